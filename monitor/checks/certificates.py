"""Reads certificates; loaded when there are some to be read."""

from __future__ import annotations

from cryptography import x509

from monitor.outcome import Certificate


def parsed(der: bytes) -> Certificate | None:
    """What a certificate says of itself; None if it cannot be read."""
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            not_before=found.not_valid_before_utc.timestamp(),
            not_after=found.not_valid_after_utc.timestamp(),
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            names=_names(found),
        )
    except (ValueError, x509.InvalidVersion):
        return None


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    return tuple(str(name.value) for name in extension.value)
