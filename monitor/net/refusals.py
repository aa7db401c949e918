"""Words for handshakes that fail: what OpenSSL has against a certificate, and what a server's alert means."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.model.outcome import Finding, Reason
from monitor.model.result import Certificate
from monitor.model.route import TlsSpec
from monitor.net.chain import title
from monitor.rules.state import in_words

_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_ROOT, _NO_ISSUER_HERE, _LEAF_ALONE = 18, 19, 20, 21
_HOSTNAME, _IP_ADDRESS = 62, 64
"""X509_V_ERR_* (openssl/x509_vfy.h), as those below."""
_UNTRUSTED = {
    7: "a signature in its chain is wrong",
    13: "the date at which a certificate of its chain begins cannot be read",
    14: "the date at which a certificate of its chain ends cannot be read",
    22: "its chain is too long",
    24: "a certificate that is no authority's signed another one",
    25: "an authority in its chain may have fewer below it",
    26: "its purpose is not to identify servers (extended key usage)",
    32: "an authority in its chain may not sign certificates (key usage)",
    34: "it has a critical extension that OpenSSL does not know",
    47: "its name is not among those that its authority may certify (name constraint)",
    48: "its name is among those that its authority may not certify (name constraint)",
    51: "its authority has a name constraint that OpenSSL does not know",
    66: "its key is too weak",
    67: "the key of an authority in its chain is too weak",
    68: "a signature in its chain uses a hash that is too weak, such as SHA-1 or MD5",
    79: "a certificate that is no authority's signed another one",
    89: "the authority's certificate does not mark itself as one",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A server whose certificate was refused: the chain it sent, and the path that OpenSSL built."""

    host: str
    sent: Sequence[Certificate]
    path: Sequence[Certificate]
    tls: TlsSpec


def refused_certificate(error: ssl.SSLCertVerificationError, peer: Peer, now: float) -> Finding:
    """Returns the finding for a certificate that OpenSSL rejected; `now` is Unix seconds."""
    code = error.verify_code
    if code == _EXPIRED:
        return Finding(Reason.TLS_CERTIFICATE_EXPIRED, _expired(peer, now))
    if code == _NOT_YET_VALID:
        return Finding(Reason.TLS_CERTIFICATE_NOT_YET_VALID, _not_yet_valid(peer, now))
    if code in (_HOSTNAME, _IP_ADDRESS) or code is None:
        return Finding(Reason.TLS_HOSTNAME_MISMATCH, f"the certificate is not for {peer.host}{_names(peer)}")
    why = _UNTRUSTED.get(code) or _no_issuer(code, peer) or error.verify_message
    return Finding(Reason.TLS_UNTRUSTED, f"the certificate of {peer.host} is not trusted: {why}")


def _expired(peer: Peer, now: float) -> str:
    which = next((c for c in reversed(peer.path or peer.sent) if c.not_after <= now), None)
    if which is None:
        return f"a certificate of {peer.host} has expired"
    return f"{_called(which, peer)} ended {in_words(now - which.not_after)} ago, on {_day(which.not_after)}"


def _not_yet_valid(peer: Peer, now: float) -> str:
    which = next((c for c in reversed(peer.path or peer.sent) if c.not_before >= now), None)
    if which is None:
        return f"a certificate of {peer.host} is not valid yet"
    begins = in_words(which.not_before - now)
    return f"{_called(which, peer)} is not valid yet: it begins in {begins}, on {_day(which.not_before)}"


def _called(certificate: Certificate, peer: Peer) -> str:
    """Names a certificate by its place in the chain."""
    if peer.sent and certificate == peer.sent[0]:
        return f"the certificate of {peer.host}"
    if certificate in peer.sent:
        return f"the intermediate certificate «{title(certificate)}» of {peer.host}"
    place = "tls.ca_file" if peer.tls.ca_file is not None else "this machine's store"
    return f"the authority's certificate «{title(certificate)}» in {place}"


def _names(peer: Peer) -> str:
    leaf = peer.sent[0] if peer.sent else None
    if leaf is None:
        return ""
    if peer.host in leaf.dns_names and peer.host.replace(".", "").isdigit():
        return "; it has that address as a DNS name, where an IP address would be needed"
    if not leaf.names:
        return "; it names no host (there is no subjectAltName)"
    return f"; it is for {', '.join(leaf.names[:4])}"


def _no_issuer(code: int, peer: Peer) -> str | None:
    if code == _SELF_SIGNED:
        return "it is self-signed"
    chain = peer.path or peer.sent
    last = chain[-1] if chain else None
    if code == _SELF_SIGNED_ROOT and last is not None:
        return f"the root of its chain, «{title(last)}», is no trusted authority"
    if code not in (2, _NO_ISSUER_HERE, _LEAF_ALONE) or last is None:
        return None
    issuer = last.issuer[:80]
    if len(peer.sent) == 1:
        return f"the server sends no intermediate certificate, and its issuer «{issuer}» is no trusted authority"
    return f"the issuer of its chain, «{issuer}», is no trusted authority, or an intermediate certificate is missing"


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


_CERTIFICATE_ALERTS = {
    42: "bad certificate",
    43: "unsupported certificate",
    44: "revoked",
    45: "expired",
    46: "unknown certificate",
    48: "unknown CA",
    49: "access denied",
}
_WANTED = (*_CERTIFICATE_ALERTS, 40, 116)
"""Alerts with which servers answer clients that have no certificate: TLS 1.2 has no word of its own for that."""
_ALERTS = {
    10: "the server did not expect one of our messages",
    20: "the server could not authenticate what it received",
    40: "the server refused it without a word: no cipher suite, curve or signature in common, or an unknown name",
    47: "the server found one of our parameters illegal",
    50: "the server could not decode what it received",
    51: "the server could not verify a signature",
    70: "the server does not speak the TLS versions of this check",
    71: "the server demands stronger ciphers",
    80: "the server had an internal error",
    86: "the server refused an inappropriate fallback",
    90: "the server gave up on purpose",
    109: "the server misses an extension",
    110: "the server does not know an extension",
    115: "the server wants a pre-shared key",
    116: "the server wants a client certificate",
}
_REASONS = {
    "UNSUPPORTED_PROTOCOL": "the server chose a version of TLS that this check does not allow",
    "VERSION_TOO_LOW": "the server chose a version of TLS that this check does not allow",
    "WRONG_SSL_VERSION": "the server chose a version of TLS that this check does not allow",
    "TLSV1_ALERT_PROTOCOL_VERSION": _ALERTS[70],
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "the server knows no secure renegotiation (RFC 5746)",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too weak",
    "EE_KEY_TOO_SMALL": "a key is too weak",
    "WRONG_SIGNATURE_TYPE": "the server signs with an algorithm that is too weak or was not offered",
    "WRONG_CIPHER_RETURNED": "the server chose a cipher that was not offered",
    "NO_CIPHERS_AVAILABLE": "tls.ciphers and the versions of this check leave no cipher",
    "NO_PROTOCOLS_AVAILABLE": "OpenSSL on this machine speaks none of the TLS versions of this check",
    "EXCESSIVE_MESSAGE_SIZE": "the server sent a message that is too large",
    "BAD_SIGNATURE": "the server's signature is wrong",
    "UNEXPECTED_MESSAGE": "the server sent a message out of turn",
}
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "RECORD_TOO_SMALL"}
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that failed: the server's alert, its wish for a certificate, and its first bytes."""

    alert: int | None
    wants_certificate: bool
    beginning: bytes
    host: str
    tls: TlsSpec


def refused_handshake(error: ssl.SSLError, refusal: Refusal) -> Finding:
    """Returns the finding for a failed TLS connection: from the server's alert, or else from OpenSSL's error."""
    if refusal.alert == 120:
        return Finding(Reason.ALPN_REFUSED, "the server does not offer HTTP/1.1")
    said = _by_alert(refusal) or _by_reason(error, refusal)
    return Finding(Reason.TLS_HANDSHAKE_FAILED, f"the TLS handshake failed: {said}")


def _by_alert(refusal: Refusal) -> str | None:
    alert = refusal.alert
    if alert is None:
        return None
    has_certificate = refusal.tls.cert_file is not None
    if refusal.wants_certificate and not has_certificate and alert in _WANTED:
        return "the server wants a client certificate"
    if alert in _CERTIFICATE_ALERTS:
        whose = "our client certificate" if refusal.wants_certificate and has_certificate else "the handshake"
        return f"the server refused {whose}: {_CERTIFICATE_ALERTS[alert]}"
    if alert == 112:
        return f"the server does not know the name {refusal.host}"
    return _ALERTS.get(alert, f"the server sent the alert {alert}")


def _by_reason(error: ssl.SSLError, refusal: Refusal) -> str:
    reason = getattr(error, "reason", None) or ""  # not there on one that Python made itself
    if refusal.beginning.startswith(b"HTTP/"):
        return "the server speaks plain HTTP on this port"
    if reason in _NOT_TLS:
        return "the answer is not TLS"
    return _REASONS.get(reason) or reason.replace("_", " ").lower() or "no reason given"
