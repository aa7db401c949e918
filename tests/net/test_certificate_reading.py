"""Handshake messages, DER and names of ciphers: whatever a server sends is read as far as it goes, and never raises."""

from __future__ import annotations

import functools
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from monitor.net.certificates import parsed, revocation
from monitor.net.ciphers import standard_name
from monitor.net.der import alt_names, demands_staple, validity
from monitor.net.messages import MOST_CERTIFICATES, certificate_list, staple_in_status, staple_of_leaf
from tests.servers.chains import CLIENT_ONLY, MUST_STAPLE, Issued, issue, root

LISTS = st.lists(st.binary(min_size=1, max_size=40), max_size=2 * MOST_CERTIFICATES)


def message(certificates: list[bytes], *, tls13: bool, staple: bytes = b"") -> bytes:
    """A Certificate message, with a staple behind the first one if the version has a place for it."""
    entries = b""
    for number, certificate in enumerate(certificates):
        status = b"\x01" + len(staple).to_bytes(3) + staple
        extension = b"\x00\x05" + len(status).to_bytes(2) + status if staple and number == 0 else b""
        entries += len(certificate).to_bytes(3) + certificate
        entries += len(extension).to_bytes(2) + extension if tls13 else b""
    body = (b"\x00" if tls13 else b"") + len(entries).to_bytes(3) + entries
    return b"\x0b" + len(body).to_bytes(3) + body


@given(LISTS, st.booleans(), st.binary(max_size=40))
def test_certificates_and_the_staple_come_back(certificates: list[bytes], tls13: bool, staple: bytes) -> None:
    sent = message(certificates, tls13=tls13, staple=staple)
    assert certificate_list(sent) == tuple(certificates[:MOST_CERTIFICATES])
    assert staple_of_leaf(sent) == (staple if tls13 and certificates else b"")


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    assert len(certificate_list(data)) <= MOST_CERTIFICATES
    staple_of_leaf(data)
    staple_in_status(data)
    parsed(data)
    revocation(data, data)


@functools.cache
def whole() -> tuple[Issued, bytes]:
    ca = root()
    names = ("127.0.0.1", "::1", "shop.test", "*.shop.test")
    leaf = issue("Leaf", ca, names=names, more=((CLIENT_ONLY, False), (MUST_STAPLE, False)))
    return leaf, leaf.certificate.public_bytes(Encoding.DER)


@given(st.data())
def test_damaged_certificate_never_raises(data: st.DataObject) -> None:
    _, der = whole()
    at = data.draw(st.integers(0, len(der) - 1))
    damaged = der[:at] + data.draw(st.binary(max_size=3)) + der[at + data.draw(st.integers(0, 3)) :]
    found = parsed(damaged)
    assert found is None or len(found.names) == len(found.kinds)
    demands_staple(damaged)


def test_good_certificate_is_read_as_the_library_reads_it() -> None:
    leaf, der = whole()
    dates = validity(der)
    assert dates is not None
    assert dates.not_before == leaf.certificate.not_valid_before_utc.timestamp()
    assert dates.not_after == leaf.certificate.not_valid_after_utc.timestamp()
    alternative = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alt_names(der) == (tuple(str(name.value) for name in alternative), "iidd")
    assert demands_staple(der)
    assert not demands_staple(root().certificate.public_bytes(Encoding.DER))


def test_key_and_signature_are_said() -> None:
    for key, said in (("RSA 2048", "RSA 2048 bits"), ("P-384", "EC secp384r1"), ("Ed25519", "Ed25519")):
        found = parsed(issue("Leaf", root(key="RSA 2048"), key=key).certificate.public_bytes(Encoding.DER))
        assert found is not None
        assert (found.key, found.signature) == (said, "RSA with SHA256")


def test_cipher_suites_have_the_names_of_the_registry() -> None:
    listed = subprocess.run(
        ["openssl", "ciphers", "-stdname", "ALL"], capture_output=True, text=True, check=True
    ).stdout
    names = {line.split()[2]: line.split()[0] for line in listed.splitlines() if "PSK" not in line}
    assert len(names) > 50
    assert {openssl: standard_name(openssl) for openssl in names} == names
