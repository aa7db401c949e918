# ruff: noqa: E501
"""Bytes below TLS: handshakes whose records are damaged on the way, and certificates that are damaged and signed anew."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

from monitor.model.route import TlsSpec
from monitor.model.spec import Limits
from monitor.net.certificates import parsed, revocation
from monitor.net.chain import first_ending
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from tests.fuzz.damage import Damage, bounded, damages, slips
from tests.fuzz.field import Kept, loop, run
from tests.protocols.harness import assert_promises, make_spec, opened_resources
from tests.servers import certs, tls
from tests.servers.relay import Relay, Shape
from tests.servers.tcp import Connection, Server

LIMITS = Limits(connect=0.3, read=0.1, total=0.4)
KINDS = [
    TlsSpec(verify=False),
    TlsSpec(),
    TlsSpec(verify=False, expiry_warning=9e9, expiry_down=True),
    TlsSpec(expiry_share=0.5),
]

RECORDS = [
    b"\x16\x03\x03", b"\x15\x03\x03\x00\x02\x02\x28", b"\x15\x03\x03\x00\x02\x01\x00", b"\x17\x03\x03\x40\x00", b"\x14\x03\x03\x00\x01\x01",
    b"\x16\x03\x03\xff\xff", b"\x02\x00\x00\x46", b"\x0b\x00\x00\x00", b"\x0e\x00\x00\x00", b"\x16\x00\x00\x00", b"\x04\xff\xff\xff",
    b"\x00", b"\xff" * 8, b"\x00" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x82\xff\xff", b"\x30\x80",
]  # fmt: skip
DER = [
    b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\xff", b"\x02\x09\xff\x00\x00\x00\x00\x00\x00\x00\x00", b"\x05\x00",
    b"\x17\x0d991332250000Z", b"\x17\x0d500101000000Z", b"\x18\x0f99991231235959Z", b"\x18\x0f00000101000000Z", b"\x0c\x01\x00",
    b"\x0c\x03\xe2\x80\xae", b"\x1e\x02\xd8\x00", b"\x13\x01\xff", b"\x82\x01\xff", b"\x87\x03abc", b"\x87\x10" + bytes(16), b"\xa0\x80",
    b"\x01\x01\xff", b"\x00", b"\x80", b"\xff", b"0", b"Z",
]  # fmt: skip


def spoiling(damage: Damage, *, in_place: bool) -> Shape:
    """Damages what the server says, flight by flight, and passes it on."""

    async def shape(client: Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            await client.send(damage.in_place(data) if in_place else damage.to(data))

    return shape


@pytest.mark.parametrize("version", [tls.V12, tls.V13], ids=["1.2", "1.3"])
def test_no_bytes_below_tls_do_worse_than_fail_a_check(version: ssl.TLSVersion) -> None:
    """With TLS 1.2 certificates come in the clear, so that damage in place reaches the reader of certificates."""
    kept = Kept(5)

    async def go(server: Server, shape: Shape, kind: TlsSpec, resources: Resources) -> None:
        async with Relay(server, shape) as relay:
            spec = make_spec(relay.url(), limits=LIMITS, tls=kind)
            assert_promises(spec, await check(spec, resources))

    async def all_of(cases: list[tuple[Damage, bool, TlsSpec]]) -> None:
        async with opened_resources() as resources, tls.https(only=version) as server:
            await asyncio.gather(
                *(go(server, spoiling(one, in_place=place), kind, resources) for one, place, kind in cases)
            )

    with loop() as runner:

        @bounded(10)
        @given(
            st.lists(
                st.tuples(damages(RECORDS + DER) | slips(), st.booleans(), st.sampled_from(KINDS)),
                min_size=8,
                max_size=8,
            )
        )
        def example(cases: list[tuple[Damage, bool, TlsSpec]]) -> None:
            run(runner, all_of(cases))
            kept.example()

        example()
    kept.assert_flat()


KEY = ec.generate_private_key(ec.SECP256R1())


def original() -> x509.Certificate:
    """A certificate with something of everything that is read, for a key that signs it."""
    name = x509.Name.from_rfc4514_string("CN=leaf.test,OU=Loopback,O=caf\u00e9")
    alternatives: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.DNSName("*.test"),
        x509.RFC822Name("a@b.test"),
    ]
    alternatives += [x509.UniformResourceIdentifier("https://a.test/"), x509.DirectoryName(name)]
    return (
        x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number())
        .not_valid_before(certs.whole_second(-1)).not_valid_after(certs.whole_second(90))
        .add_extension(x509.SubjectAlternativeName(alternatives), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(KEY, hashes.SHA256())
    )  # fmt: skip


def tagged(tag: int, content: bytes) -> bytes:
    """One value in DER."""
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def signed(body: bytes) -> bytes:
    """A certificate of this damaged body, with a signature that fits it."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    return tagged(0x30, body + algorithm + tagged(0x03, b"\0" + KEY.sign(body, ec.ECDSA(hashes.SHA256()))))


def context_of(der: bytes) -> ssl.SSLContext | None:
    """A server that sends this certificate; None if OpenSSL itself will not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secret = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, "it.pem")
        path.write_bytes(ssl.DER_cert_to_PEM_cert(der).encode() + secret)
        try:
            context.load_cert_chain(path)
        except (ssl.SSLError, ValueError):
            return None
    return context


def read_by_itself(der: bytes) -> None:
    """What is made of a certificate, and of an OCSP answer, without a server."""
    found = parsed(der)
    if found is not None:
        first_ending("leaf.test", [found, found], verified=False)
    revocation(der, der)


def test_no_certificate_does_worse_than_fail_a_check() -> None:
    whole, sent = original(), 0
    kept = Kept(5)

    async def go(context: ssl.SSLContext, kind: TlsSpec) -> None:
        async with opened_resources() as resources, tls.TlsServer(context) as server:
            spec = make_spec(server.url(), limits=LIMITS, tls=kind)
            assert_promises(spec, await check(spec, resources))

    with loop() as runner, warnings.catch_warnings(action="ignore"):

        @bounded(150)
        @given(damages(DER, 2) | slips() | slips(), st.booleans(), st.sampled_from(KINDS))
        def example(damage: Damage, in_place: bool, kind: TlsSpec) -> None:
            nonlocal sent
            body = whole.tbs_certificate_bytes
            der = signed(damage.in_place(body) if in_place else damage.to(body))
            read_by_itself(der)
            read_by_itself(damage.to(der))
            if (context := context_of(der)) is not None:
                sent += 1
                run(runner, go(context, kind))
            kept.example()

        example()
    assert sent > 10, "too few of them were sent"
    kept.assert_flat()
