"""The listener's own TLS: certificates that are replaced while it runs, and clients that never finish a handshake."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from monitor.model.errors import StartError
from monitor.model.route import FileRef
from monitor.model.settings import ListenTlsSpec
from monitor.system import file_watch as watch
from monitor.web import Limits, Server
from monitor.web.tls import Tls
from tests.servers import certs
from tests.service.daemon import eventually
from tests.system.daemon import Volume
from tests.web.conftest import Begin
from tests.web.test_limits import closed_after

Opening = Callable[..., Awaitable[Tls]]


def spec(folder: Path, min_version: str = "1.2") -> ListenTlsSpec:
    cert, key = (FileRef(str(folder / name), "as it was") for name in ("cert.pem", "key.pem"))
    return ListenTlsSpec(cert, key, min_version)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certs.issue(subject="first").write(tmp_path)
    return tmp_path


@pytest.fixture
async def tls(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opening]:
    """Loads pairs, and watches their files at a quick pace."""
    monkeypatch.setattr(watch, "PERIOD", 0.02)
    opened: list[Tls] = []

    async def opening(folder: Path, min_version: str = "1.2") -> Tls:
        opened.append(Tls(spec(folder, min_version)))
        await opened[-1].start()
        return opened[-1]

    yield opening
    for one in opened:
        one.stop()


def trusting(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    certs.authority().configure_trust(context)
    if version is not None:
        context.maximum_version = version
    return context


async def shown(server: Server) -> str:
    """The name in the certificate that a new connection gets."""
    host, _, port = server.address.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=trusting())
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return str(dict(pair for (pair,) in certificate["subject"])["commonName"])


async def healthy(server: Server, version: ssl.TLSVersion | None = None) -> int:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.get(f"https://{server.address}/-/healthy", ssl=trusting(version)) as answer,
    ):
        return answer.status


def replaced(folder: Path, credential: certs.Credential) -> None:
    """New files, renamed over the old ones as certbot and editors do."""
    beside = folder / "new"
    beside.mkdir()
    for path in credential.write(beside):
        path.replace(folder / path.name)
    beside.rmdir()


async def test_a_verified_client_is_answered(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder))
    assert await healthy(server) == 200
    assert await shown(server) == "first"


async def test_every_address_of_a_name_is_listened_on(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder), host="localhost")
    assert server.loopback
    assert await healthy(server) == 200


async def test_a_new_certificate_is_shown_to_new_connections_and_open_ones_go_on(
    begin: Begin, tls: Opening, folder: Path
) -> None:
    server = await begin(tls=await tls(folder))
    async with aiohttp.ClientSession(f"https://{server.address}/") as session:
        async with session.get("/-/healthy", ssl=trusting()) as answer:
            assert answer.status == 200
        replaced(folder, certs.issue(subject="second"))
        await eventually(lambda: shown(server), lambda name: name == "second")
        async with session.get("/-/healthy", ssl=trusting()) as answer:
            assert answer.status == 200


async def test_a_certificate_that_kubernetes_swaps_is_taken(begin: Begin, tls: Opening, tmp_path: Path) -> None:
    def files(subject: str) -> dict[str, str]:
        made = certs.issue(subject=subject)
        return {"cert__pem": b"".join(made.chain).decode(), "key__pem": made.key.decode()}

    volume = Volume(tmp_path / "volume", **files("first"))
    server = await begin(tls=await tls(volume.place))
    assert await shown(server) == "first"
    volume.swap(**files("second"))
    await eventually(lambda: shown(server), lambda name: name == "second")


@pytest.mark.parametrize("break_it", ["mismatch", "garbage", "gone", "encrypted"])
async def test_a_broken_pair_is_refused_and_the_old_one_goes_on_until_it_is_mended(
    begin: Begin, tls: Opening, folder: Path, capsys: pytest.CaptureFixture[str], break_it: str
) -> None:
    pair = await tls(folder)
    server = await begin(tls=pair)
    key = folder / "key.pem"
    if break_it == "mismatch":
        key.write_bytes(certs.issue(subject="second").key)
    elif break_it == "garbage":
        (folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    elif break_it == "gone":
        key.unlink()
    else:
        key.write_bytes(encrypted(key.read_bytes()))

    async def trouble() -> str | None:
        return pair.trouble

    said = await eventually(trouble)
    assert said is not None
    assert str(folder) in said
    assert "the old one ends 20" in said
    assert await shown(server) == "first"
    replaced(folder, certs.issue(subject="second"))
    await eventually(trouble, lambda found: found is None)
    assert await shown(server) == "second"
    out = capsys.readouterr().out
    assert "certificate not reloaded, the old one goes on" in out
    assert "PRIVATE KEY" not in out


def encrypted(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    loaded = s.load_pem_private_key(key, None)
    return loaded.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"secret"))


async def test_a_touch_is_no_change(tls: Opening, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = await tls(folder)
    before = pair.context
    (folder / "cert.pem").touch()
    shutil.copy(folder / "key.pem", folder / "copy")
    (folder / "copy").replace(folder / "key.pem")
    for _ in range(10):
        await pair._watch._look()
    assert pair.context is before


async def test_other_files_are_taken_over(tls: Opening, folder: Path) -> None:
    pair = await tls(folder)
    before = pair.context
    other = folder / "other"
    other.mkdir()
    certs.issue(subject="second").write(other)
    await pair.use(spec(other, "1.3"))
    assert pair.context is not before
    assert pair.context.minimum_version is ssl.TLSVersion.TLSv1_3


async def test_a_client_too_old_is_refused(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder, "1.3"))
    assert await healthy(server, ssl.TLSVersion.TLSv1_3) == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await healthy(server, ssl.TLSVersion.TLSv1_2)


async def test_a_pair_that_cannot_be_used_is_no_start(folder: Path) -> None:
    (folder / "key.pem").write_bytes(certs.issue(subject="second").key)
    with pytest.raises(StartError, match=r"cannot speak TLS: the key in .* does not belong to the certificate"):
        await Tls(spec(folder)).start()


async def test_an_address_in_use_is_said_in_a_sentence(begin: Begin, tls: Opening, folder: Path) -> None:
    from monitor.web import serve

    pair = await tls(folder)
    server = await begin(tls=pair)
    with pytest.raises(StartError, match="another process listens there already"):
        await serve(aiohttp.web.Application(), "127.0.0.1", int(server.address.rpartition(":")[2]), tls=pair)


async def test_the_oldest_handshake_makes_room_for_a_new_client(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder), limits=Limits(connections=4, request=30))
    host, _, port = server.address.rpartition(":")
    silent = [await asyncio.open_connection(host, int(port)) for _ in range(6)]
    assert await healthy(server) == 200
    assert await closed_after(silent[0][0]) < 2
    for _, writer in silent:
        writer.close()


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\xff", b"\x00" * 5000])
async def test_what_is_no_tls_is_hung_up_on_quietly(
    begin: Begin, tls: Opening, folder: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server = await begin(tls=await tls(folder), limits=Limits(request=0.5))
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    assert await closed_after(reader) < 5
    writer.close()
    assert not caplog.records
    assert await healthy(server) == 200


async def test_closing_does_not_wait_for_handshakes(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder))
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(2):
        await server.close()
        await closed_after(reader)
    writer.close()
    with socket.socket() as again:
        assert again.connect_ex((host, int(port))) != 0


async def test_a_client_that_asks_nothing_is_hung_up_on(begin: Begin, tls: Opening, folder: Path) -> None:
    server = await begin(tls=await tls(folder), limits=Limits(request=0.3))
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting())
    assert await closed_after(reader) < 5
    writer.close()
