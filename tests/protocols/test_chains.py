"""Chains: which certificates count, over which hops, and what a broken or odd one leaves known."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.route import TlsSpec
from monitor.model.spec import CheckSpec
from monitor.net.chain import read_chain, revoked
from monitor.net.messages import staple_in_status
from monitor.net.stapling import asked
from monitor.rules.state import degradation
from tests.flat import http
from tests.protocols.harness import Run, file_ref, make_spec
from tests.servers import chains, tls
from tests.servers.chains import Issued, issue, root, served
from tests.servers.http import redirect
from tests.servers.tcp import Connection, closed_port

DAY = 86400.0


@pytest.fixture(scope="module")
def ca() -> Issued:
    return root(days=(-1, 3000))


@pytest.fixture
def trusted(ca: Issued, tmp_path: Path) -> TlsSpec:
    return TlsSpec(ca_file=file_ref(chains.written(tmp_path, "ca.pem", ca.pem)))


def ends(one: Issued) -> float:
    return one.certificate.not_valid_after_utc.timestamp()


def why(result: Result, tls_spec: TlsSpec) -> str | None:
    spec: CheckSpec = make_spec("https://x.test/", tls=tls_spec)
    return degradation(spec, result, result.started_at)


@pytest.mark.parametrize("verify", [True, False])
async def test_superfluous_expired_root_counts_for_nothing(
    run: Run, ca: Issued, trusted: TlsSpec, verify: bool
) -> None:
    leaf = issue("Leaf", ca)
    settings = trusted if verify else TlsSpec(verify=False)
    async with served(leaf, root("AddTrust", days=(-90, -1))) as server:
        result = await run(server.url(), tls=settings)
    assert result.reason is Reason.OK, result.detail
    assert len(result.certificates) == 2
    assert result.earliest_expiry == ends(leaf)
    assert why(result, settings) is None


async def test_verified_chain_has_the_root_and_its_end_counts(run: Run, ca: Issued, tmp_path: Path) -> None:
    ending = root("Ending root", days=(-90, 5))
    settings = TlsSpec(ca_file=file_ref(chains.written(tmp_path, "ending.pem", ending.pem)))
    async with served(issue("Leaf", ending)) as server:
        result = await run(server.url(), tls=settings)
    assert [c.subject for c in result.verified] == ["CN=Leaf", "CN=Ending root"]
    assert result.earliest_expiry == ends(ending)
    assert why(result, settings) == "the authority's certificate «Ending root» ends in 5 days"


async def test_earliest_end_of_all_hops_counts(run: Run, ca: Issued, trusted: TlsSpec) -> None:
    ending = issue("Ending", ca, days=(-90, 3))
    async with (
        served(issue("Leaf", ca)) as last,
        tls.TlsServer(chains.context(ending), lambda _: redirect(last.url())) as first,
    ):
        result = await run(first.url(), tls=trusted)
    assert (result.reason, http(result).redirects) == (Reason.OK, 1), result.detail
    assert result.certificate is not None
    assert result.certificate.subject == "CN=Leaf"
    assert result.earliest_expiry == ends(ending)
    assert why(result, trusted) == "the certificate of 127.0.0.1 ends in 3 days"


async def test_what_a_hop_found_is_not_shown_of_the_next_that_failed(run: Run, ca: Issued, trusted: TlsSpec) -> None:
    with closed_port() as port:
        where = f"https://127.0.0.1:{port}/"
        async with tls.TlsServer(chains.context(issue("Leaf", ca)), lambda _: redirect(where)) as server:
            result = await run(server.url(), tls=trusted)
    assert (result.reason, http(result).redirects, http(result).status) == (Reason.REFUSED, 1, 302), result.detail
    assert (result.certificates, result.verified, result.tls_version, result.tls_cipher) == ((), (), None, None)
    assert (result.remote_address, http(result).version, result.evidence) == (None, None, None)
    assert result.earliest_expiry == pytest.approx(result.started_at + 90 * DAY, abs=DAY)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expiry_warning": 0.0}, None),
        ({"expiry_warning": 0.0, "expiry_share": 0.4}, "the certificate of 127.0.0.1 ends in 30 days"),
        ({"expiry_warning": 0.0, "expiry_share": 0.3}, None),
        ({"expiry_warning": 31 * DAY}, "the certificate of 127.0.0.1 ends in 30 days"),
    ],
)
async def test_warning_is_a_time_or_a_share_of_the_lifetime_or_off(
    run: Run, ca: Issued, settings: dict[str, float], said: str | None
) -> None:
    async with served(issue("Leaf", ca, days=(-60, 30))) as server:
        result = await run(server.url(), tls=TlsSpec(verify=False, **settings))  # type: ignore[arg-type]
    assert why(result, TlsSpec(verify=False, **settings)) == said  # type: ignore[arg-type]


async def test_certificate_that_has_ended_is_said_so(run: Run, ca: Issued) -> None:
    settings = TlsSpec(verify=False)
    async with served(issue("Leaf", ca, days=(-90, -60))) as server:
        result = await run(server.url(), tls=settings)
    assert why(result, settings) == "the certificate of 127.0.0.1 ended 60 days ago"


async def test_end_of_the_client_certificate_is_a_warning(
    run: Run, ca: Issued, trusted: TlsSpec, tmp_path: Path
) -> None:
    client = issue("Client", ca, days=(-90, 5))
    both = file_ref(chains.written(tmp_path, "client.pem", client.key_pem, client.pem))
    settings = TlsSpec(ca_file=trusted.ca_file, cert_file=both, key_file=both)
    async with served(issue("Leaf", ca), client_ca=ca) as server:
        result = await run(server.url(), tls=settings)
    assert result.client_ending is not None
    assert result.client_ending.not_after == ends(client)
    assert why(result, settings) == "the client certificate ends in 5 days"


# names


@pytest.mark.parametrize(
    ("asked_for", "sent"),
    [("straße.test", "xn--strae-oqa.test"), ("shop.test.", "shop.test"), ("shop.test", "shop.test")],
)
async def test_name_is_sent_and_verified_as_idna_2008_without_a_last_dot(
    run: Run, ca: Issued, trusted: TlsSpec, asked_for: str, sent: str
) -> None:
    context, seen = chains.context(issue("Leaf", ca, names=(sent,))), []
    context.sni_callback = lambda _sock, sni, _context: seen.append(sni)
    async with tls.TlsServer(context) as server:
        place = ("127.0.0.1", server.port)
        by_url = await run(f"https://{asked_for}/", connect_to=place, tls=trusted)
        by_key = await run(server.url(), tls=TlsSpec(ca_file=trusted.ca_file, server_name=asked_for))
    assert (by_url.reason, by_key.reason) == (Reason.OK, Reason.OK), (by_url.detail, by_key.detail)
    assert seen == [sent, sent]


# OpenSSL's own server


async def test_chain_is_seen_where_servers_compress_it(run: Run, ca: Issued, trusted: TlsSpec, tmp_path: Path) -> None:
    """From OpenSSL 3.2 on: `make test-systemd` runs this on Debian 13."""
    options = ["-cert_comp"] if ssl.OPENSSL_VERSION_INFO >= (3, 2) else []
    leaf = issue("Leaf", ca)
    async with openssl_server(leaf, tmp_path, *options) as url:
        result = await run(url, tls=trusted)
        unverified = await run(url, tls=TlsSpec(verify=False))
        refused = await run(url, tls=TlsSpec())
    assert (result.reason, unverified.reason) == (Reason.OK, Reason.OK), result.detail
    assert refused.reason is Reason.TLS_UNTRUSTED, refused.detail
    assert [len(r.certificates) for r in (result, unverified, refused)] == [1, 1, 1]
    assert [r.earliest_expiry for r in (result, unverified, refused)] == [ends(leaf)] * 3
    assert len(result.verified) == 2


def answer(leaf: Issued, ca: Issued, status: ocsp.OCSPCertStatus) -> bytes:
    """An OCSP answer as DER, signed by the authority itself."""
    now = datetime.now(UTC)
    revoked = now - timedelta(days=3) if status is ocsp.OCSPCertStatus.REVOKED else None
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf.certificate, ca.certificate, hashes.SHA1(), status, now, now + timedelta(days=1), revoked,
        x509.ReasonFlags.key_compromise if revoked else None,
    )  # fmt: skip
    made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate).sign(ca.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


@contextlib.asynccontextmanager
async def openssl_server(leaf: Issued, folder: Path, *options: str, staple: bytes | None = None) -> AsyncIterator[str]:
    """OpenSSL's own server, which may send a staple; its URL."""
    both = chains.written(folder, "server.pem", leaf.key_pem, leaf.pem)
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", both, "-key", both, "-www", *options]
    if staple is not None:
        command += ["-status_file", chains.written(folder, "staple.der", staple)]
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    try:
        while not (line := (await process.stdout.readline()).decode()).startswith("ACCEPT"):
            assert line, (await process.communicate())[1]
        yield f"https://{line.split()[1]}/"
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_stapled_revocation_is_a_failure(
    run: Run, ca: Issued, trusted: TlsSpec, tmp_path: Path, version: str
) -> None:
    assert asked(), "this Python cannot ask for staples: say so in docs/configuration.md"
    leaf = issue("Leaf", ca)
    staple = answer(leaf, ca, ocsp.OCSPCertStatus.REVOKED)
    async with openssl_server(leaf, tmp_path, version, staple=staple) as url:
        result = await run(url, tls=trusted)
        unverified = await run(url, tls=TlsSpec(verify=False))
    assert result.reason is Reason.TLS_UNTRUSTED, result.detail
    day = datetime.now(UTC) - timedelta(days=3)
    assert result.detail == f"the certificate of 127.0.0.1 was revoked on {day:%Y-%m-%d}: keyCompromise"
    assert unverified.reason is Reason.OK, unverified.detail


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("stapled", [True, False])
async def test_certificate_that_demands_a_staple_leaves_a_note_without_one(
    run: Run, ca: Issued, trusted: TlsSpec, tmp_path: Path, version: str, stapled: bool
) -> None:
    leaf = issue("Leaf", ca, more=((chains.MUST_STAPLE, False),))
    staple = answer(leaf, ca, ocsp.OCSPCertStatus.GOOD) if stapled else None
    async with openssl_server(leaf, tmp_path, version, staple=staple) as url:
        result = await run(url, tls=trusted)
    assert result.reason is Reason.OK, result.detail
    assert bool(result.notes) is not stapled
    assert all("must-staple" in note for note in result.notes)


@pytest.mark.parametrize("staple", [b"", b"\x30", b"garbage" * 100])
async def test_staple_that_cannot_be_read_says_nothing(
    run: Run, ca: Issued, trusted: TlsSpec, tmp_path: Path, staple: bytes
) -> None:
    leaf = issue("Leaf", ca)
    message = b"\x16" + (4 + len(staple)).to_bytes(3) + b"\x01" + len(staple).to_bytes(3) + staple
    assert staple_in_status(message[4:]) == staple
    assert revoked(staple, leaf.certificate.public_bytes(serialization.Encoding.DER)) is None


# what nobody expects of a certificate


def der(one: Issued) -> bytes:
    return one.certificate.public_bytes(serialization.Encoding.DER)


def with_alt_names(names: bytes, ca: Issued) -> Issued:
    """A certificate whose subjectAltName has this DER."""
    content = b"\x30" + len(names).to_bytes() + names
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), content)
    return issue("Odd", ca, names=None, more=((extension, False),))


_GOOD_NAME = b"\x87\x04\x7f\x00\x00\x01"
ODD_NAMES = {
    "x400Address": b"\xa3\x02\x30\x00" + _GOOD_NAME,
    "ediPartyName": b"\xa5\x04\xa1\x02\x0c\x00" + _GOOD_NAME,
    "otherName": b"\xa0\x0a\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01a" + _GOOD_NAME,
    "an address of five bytes": b"\x87\x05\x7f\x00\x00\x01\x02" + _GOOD_NAME,
    "a name that is not ASCII": b"\x82\x02\xff\xfe" + _GOOD_NAME,
    "cut off": _GOOD_NAME + b"\x82\x7f",
}


@pytest.mark.parametrize("names", ODD_NAMES)
def test_odd_alternative_names_are_read_as_far_as_they_go(ca: Issued, names: str) -> None:
    odd = with_alt_names(ODD_NAMES[names], ca)
    (found,) = read_chain((der(odd),))
    assert (found.subject, found.not_after) == ("CN=Odd", ends(odd))
    assert "127.0.0.1" in found.names
    assert len(found.names) == len(found.kinds)


@pytest.mark.parametrize("names", ["x400Address", "ediPartyName", "otherName"])
async def test_server_with_odd_alternative_names_is_fine(run: Run, ca: Issued, trusted: TlsSpec, names: str) -> None:
    async with served(with_alt_names(ODD_NAMES[names], ca)) as server:
        result = await run(server.url(), tls=trusted)
    assert result.reason is Reason.OK, result.detail
    assert len(result.verified) == 2


def test_certificate_that_the_library_cannot_read_keeps_its_place_and_its_dates(ca: Issued) -> None:
    leaf = issue("Leaf", ca, days=(-9, 9))
    broken = der(leaf).replace(b"\x02\x01\x02", b"\x02\x01\x07", 1)  # a version that does not exist
    with pytest.raises(x509.InvalidVersion):
        x509.load_der_x509_certificate(broken)
    first, second = read_chain((broken, der(ca)))
    assert (first.subject, first.not_after) == ("(unreadable)", ends(leaf))
    assert second.subject == "CN=Root of the tests"


def test_nothing_takes_the_place_of_one_without_dates(ca: Issued) -> None:
    assert read_chain((b"garbage", der(ca))) == ()
    assert [c.subject for c in read_chain((der(ca), b"\x30\x00", der(ca)))] == ["CN=Root of the tests"]


@pytest.mark.filterwarnings("ignore")
async def test_negative_serial_number_is_read(ca: Issued) -> None:
    leaf = issue("Leaf", ca, serial=0x11223344)
    negative = der(leaf).replace(b"\x02\x04\x11\x22\x33\x44", b"\x02\x04\xee\xdd\xcc\xbc")
    (found,) = read_chain((negative,))
    assert found.serial == "11223344"


EMPTY_12 = b"\x0b\x00\x00\x03\x00\x00\x00"


async def sends_no_certificate(connection: Connection) -> None:
    """A ServerHello of TLS 1.2 and an empty Certificate message."""
    hello = await connection.reader.read(65536)
    session = hello[44 : 44 + hello[43]]
    body = b"\x03\x03" + bytes(32) + len(session).to_bytes() + session + b"\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00"
    message = b"\x02" + len(body).to_bytes(3) + body + EMPTY_12
    await connection.send(b"\x16\x03\x03" + len(message).to_bytes(2) + message)
    await connection.hold()


async def test_empty_certificate_message_is_a_failed_handshake(run: Run) -> None:
    async with tls.Bare(sends_no_certificate) as server:
        result = await run(server.url(), tls=TlsSpec(verify=False))
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED, result.detail
    assert result.certificates == ()
