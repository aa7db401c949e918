"""Makes certificates at the start: of an authority that the demo's checks trust, and of an unknown one."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.demo.script import Certificate

_YEAR = (-365.0, 365.0)
_PEM = serialization.Encoding.PEM


class Authority:
    """Issues certificates for one run of the demo; its key never leaves the process."""

    def __init__(self, name: str) -> None:
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = _builder(self._name, self._name, self._key.public_key(), _YEAR).add_extension(
            authority, critical=True
        )

    def certificate(self) -> bytes:
        """Returns the certificate to trust, PEM."""
        return self._certificate.sign(self._key, hashes.SHA256()).public_bytes(_PEM)

    def issue(self, host: str, days: tuple[float, float]) -> bytes:
        """Returns a private key and its certificate for a host, valid between two days relative to now, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(host), self._name, key.public_key(), days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        issued = builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM)
        plain = serialization.NoEncryption()
        return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain) + issued


class Issuer:
    """Both authorities, and the folder where ssl can read what they issue."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trusted, self._unknown = Authority("Demo Authority"), Authority("Unknown Authority")
        (folder / "ca.pem").write_bytes(self._trusted.certificate())

    def context(self, host: str, wanted: Certificate) -> ssl.SSLContext:
        """A server's side of TLS for a host, with the certificate that is wanted of it."""
        authority = self._trusted if wanted.trusted else self._unknown
        path = self._folder / f"{host}.pem"
        path.touch(mode=0o600)
        path.write_bytes(authority.issue(wanted.host or host, wanted.days))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        path.unlink()
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: tuple[float, float]
) -> x509.CertificateBuilder:
    begin, end = (datetime.now(UTC) + timedelta(days=number) for number in days)
    return x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), begin, end)
