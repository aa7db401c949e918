"""Reads certificates and stapled OCSP answers; loaded when there are some to be read."""

from __future__ import annotations

import hashlib
import warnings

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import SignatureAlgorithmOID

from monitor.model.result import Certificate
from monitor.net.der import alt_names, validity

_LONGEST = 1000
"""Characters of a subject or an issuer."""
_SIGNATURES = {
    oid: name.lstrip("_").replace("_WITH_", " with ")
    for name, oid in vars(SignatureAlgorithmOID).items()
    if hasattr(oid, "_name")
}


def parsed(der: bytes) -> Certificate | None:
    """Reads a certificate; returns None if its dates cannot be read."""
    dates = validity(der)
    if dates is None:
        return None
    names, kinds = alt_names(der)
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        with warnings.catch_warnings(action="ignore"):  # of negative serial numbers and the like
            found = x509.load_der_x509_certificate(der)
            return Certificate(
                *dates,
                found.subject.rfc4514_string()[:_LONGEST],
                found.issuer.rfc4514_string()[:_LONGEST],
                names,
                kinds,
                fingerprint,
                _serial(found),
                _key(found),
                _SIGNATURES.get(found.signature_algorithm_oid) or found.signature_algorithm_oid.dotted_string,
            )
    except Exception:  # noqa: BLE001 - the target sent these bytes
        return Certificate(*dates, "(unreadable)", "(unreadable)", names, kinds, fingerprint)


def _serial(found: x509.Certificate) -> str:
    """Serial number in whole bytes and without a sign, as blackbox_exporter writes it."""
    digits = f"{abs(found.serial_number):x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _key(found: x509.Certificate) -> str:
    """«RSA 2048 bits», «EC secp256r1»; empty for a kind that is not known."""
    try:
        key = found.public_key()
    except Exception:  # noqa: BLE001 - a key that the library does not know says nothing against the certificate
        return ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size} bits"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else ""


def revocation(staple: bytes, leaf: bytes) -> str | None:
    """Returns when and why a stapled OCSP answer revokes the certificate: «2026-11-02: keyCompromise»; else None."""
    try:
        answer = ocsp.load_der_ocsp_response(staple)
        serial = x509.load_der_x509_certificate(leaf).serial_number
        for one in answer.responses:
            at, why = one.revocation_time_utc, one.revocation_reason
            if one.serial_number == serial and one.certificate_status is ocsp.OCSPCertStatus.REVOKED and at:
                return f"{at:%Y-%m-%d}" + (f": {why.value}" if why is not None else "")
    except Exception:  # noqa: BLE001 - an answer that cannot be read says nothing
        return None
    return None
