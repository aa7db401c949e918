"""Certificates for loopback: one authority of the tests, and leaves that are good or wrong in one way each."""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("127.0.0.1", "127.0.0.2", "::1", "localhost", "target.test", "other.test")
"""What a good certificate of the tests is for."""


@dataclass(frozen=True)
class Credential:
    """A private key and the chain that goes with it, leaf first, both PEM."""

    key: bytes
    chain: tuple[bytes, ...]

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificate(self.chain[0])

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write chain and key as files, and say where."""
        cert_path, key_path = folder / "cert.pem", folder / "key.pem"
        cert_path.write_bytes(b"".join(self.chain))
        key_path.write_bytes(self.key)
        return cert_path, key_path


@functools.cache
def authority() -> trustme.CA:
    """The authority that checks of the tests trust."""
    return trustme.CA(organization_name="Trusted Tests")


@functools.cache
def stranger() -> trustme.CA:
    """An authority that nobody trusts."""
    return trustme.CA(organization_name="Strangers")


@functools.cache
def nobody() -> trustme.CA:
    """What a system trusts that trusts nobody else; none of our servers has a certificate of it."""
    return trustme.CA(organization_name="Nobody")


@functools.cache
def intermediate() -> trustme.CA:
    """An authority below the trusted one."""
    return authority().create_child_ca()


def whole_second(days: float) -> datetime:
    """So many days from now, in UTC, without the fraction that a certificate cannot hold."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


@functools.cache
def issue(
    *names: str, ca: trustme.CA | None = None, days: tuple[float, float] = (-1, 90), subject: str = "leaf"
) -> Credential:
    """A certificate for these names (or `NAMES`), valid from and to so many days from now."""
    leaf = (ca or authority()).issue_cert(
        *(names or NAMES),
        common_name=subject,
        organization_name="Endpoint Tests",
        organization_unit_name="Loopback",
        not_before=whole_second(days[0]),
        not_after=whole_second(days[1]),
    )
    return Credential(leaf.private_key_pem.bytes(), tuple(blob.bytes() for blob in leaf.cert_chain_pems))


@functools.cache
def self_signed() -> Credential:
    """A certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(whole_second(-1))
        .not_valid_after(whole_second(90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("target.test"), x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credential(secret, (certificate.public_bytes(pem),))


def server_context(
    credential: Credential,
    *,
    only: ssl.TLSVersion | None = None,
    client_ca: trustme.CA | None = None,
    ciphers: str | None = None,
) -> ssl.SSLContext:
    """A server's context, of one TLS version if wanted, demanding a client certificate of `client_ca` if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.LeafCert(credential.key, credential.chain[0], list(credential.chain[1:])).configure_cert(context)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    if only is not None:
        context.minimum_version = context.maximum_version = only
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        client_ca.configure_trust(context)
    return context
