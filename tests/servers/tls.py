"""HTTPS servers, each wrong in one way, and scripts for what happens before a handshake is done."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from typing import TypeVar

from tests.servers import certs
from tests.servers.http import HttpServer, Request, Responder, ok, parse_head
from tests.servers.tcp import Connection, Script, Server

T = TypeVar("T")

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def https(
    responder: Responder | None = None,
    credential: certs.Credential | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    only: ssl.TLSVersion | None = None,
) -> HttpServer:
    """An HTTPS server with a good certificate, or with this one."""
    return HttpServer(responder, host=host, port=port, tls=certs.server_context(credential or certs.issue(), only=only))


def expired() -> HttpServer:
    """Its certificate ended yesterday."""
    return https(credential=certs.issue(days=(-90, -1), subject="expired"))


def not_yet_valid() -> HttpServer:
    """Its certificate begins tomorrow."""
    return https(credential=certs.issue(days=(1, 90), subject="early"))


def wrong_host() -> HttpServer:
    """Its certificate is for another name."""
    return https(credential=certs.issue("elsewhere.test", subject="elsewhere"))


def self_signed() -> HttpServer:
    """Its certificate vouches for itself."""
    return https(credential=certs.self_signed())


def unknown_authority() -> HttpServer:
    """Its certificate is of an authority that nobody trusts."""
    return https(credential=certs.issue(ca=certs.stranger(), subject="stranger"))


def with_intermediate() -> HttpServer:
    """Its certificate is of an intermediate authority, which it sends along."""
    return https(credential=certs.issue(ca=certs.intermediate(), subject="below"))


def intermediate_missing() -> HttpServer:
    """Its certificate is of an intermediate authority, which it forgets to send."""
    whole = certs.issue(ca=certs.intermediate(), subject="below")
    return https(credential=certs.Credential(whole.key, whole.chain[:1]))


def ending_in(days: float) -> HttpServer:
    """Its certificate is good for so many days."""
    return https(credential=certs.issue(days=(-1, days), subject="ending"))


def demanding_client_certificate(only: ssl.TLSVersion, responder: Responder | None = None) -> TlsServer:
    """It wants a certificate of the trusted authority from its clients; with TLS 1.3 it says so after the handshake."""
    return TlsServer(certs.server_context(certs.issue(), only=only, client_ca=certs.authority()), responder)


def of_version(only: ssl.TLSVersion) -> TlsServer:
    """It speaks this version only, and refuses others with an alert."""
    return TlsServer(certs.server_context(certs.issue(), only=only))


def obsolete(version: ssl.TLSVersion) -> TlsServer | None:
    """It speaks TLS 1.0 or 1.1 only; None if this OpenSSL no longer does, even at security level 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = certs.server_context(certs.issue(), only=version, ciphers="ALL:@SECLEVEL=0")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.set_ciphers("ALL:@SECLEVEL=0")
        client.minimum_version = client.maximum_version = version
    return TlsServer(context) if _shake_hands(client, context) else None


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Whether the two come to terms, tried in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    done: set[int] = set()
    for turn in range(10):
        try:
            ends[turn % 2].do_handshake()
            done.add(turn % 2)
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            return False
    return len(done) == 2


class Bare(Server):
    """A TCP server whose URLs say https."""

    def url(self, path: str = "/", *, host: str | None = None, scheme: str | None = None) -> str:
        """The URL of a path here, https unless told otherwise."""
        return super().url(path, host=host, scheme=scheme or "https")


class TlsServer(Bare):
    """HTTPS with alerts, one request per connection: asyncio's own servers drop the alert when they refuse one."""

    def __init__(self, context: ssl.SSLContext, responder: Responder | None = None) -> None:
        super().__init__(self._speak)
        self.requests: list[Request] = []
        self._context = context
        self._responder = responder or (lambda _: ok())

    async def _speak(self, connection: Connection) -> None:
        session = _Session(connection, self._context)
        try:
            head = await session.talk(session.read_head)
            self.record(head)
            self.requests.append(parse_head(head, connection.number))
            answer = self._responder(self.requests[-1])
            assert isinstance(answer, bytes)
            await session.talk(lambda: session.tls.write(answer))
            await session.talk(session.tls.unwrap)
        except ssl.SSLError as refusal:
            self.handshake_failures.append(refusal)
            connection.writer.write_eof()
            await connection.hold()  # closing now could turn the alert into an RST


class _Session:
    """OpenSSL between two buffers, and the connection that carries them."""

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._head = b""

    async def talk(self, step: Callable[[], T]) -> T:
        """Do it, exchanging bytes with the client for as long as OpenSSL wants some; an alert is sent, too."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:
                await self._connection.send(self._outgoing.read())
            data = await self._connection.reader.read(65536)
            if not data:
                raise ConnectionResetError
            self._incoming.write(data)

    def read_head(self) -> bytes:
        """A request's head; its body stays unread."""
        while not self._head.endswith(b"\r\n\r\n"):
            read = self.tls.read(1)
            if not read:  # a goodbye, such as curl's once it has compared the name
                raise ConnectionResetError
            self._head += read
        return self._head


# Scripts: the fault comes before or in the handshake. Serve them with `Bare`.


async def silent(connection: Connection) -> None:
    """Take the ClientHello and never answer."""
    await connection.hold()


async def closes(connection: Connection) -> None:
    """FIN in answer to the ClientHello."""
    await connection.reader.read(65536)


async def resets(connection: Connection) -> None:
    """RST in answer to the ClientHello."""
    await connection.reader.read(65536)
    connection.reset()


async def plain_http(connection: Connection) -> None:
    """What an HTTP server says to a ClientHello."""
    await connection.reader.read(65536)
    await connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def garbage(connection: Connection) -> None:
    """A handshake record with noise for a ServerHello."""
    await connection.reader.read(65536)
    await connection.send(b"\x16\x03\x03\x00\x40\x02\x00\x00\x3c" + bytes(range(60)))
    await connection.hold()


async def noise(connection: Connection) -> None:
    """Bytes that are no TLS record at all, and no HTTP."""
    await connection.reader.read(65536)
    await connection.send(bytes(range(200, 256)) * 10)
    await connection.hold()


def alert(description: int) -> Script:
    """A fatal alert in answer to the ClientHello: 40 handshake_failure, 70 protocol_version, 112 unrecognized_name."""

    async def script(connection: Connection) -> None:
        await connection.reader.read(65536)
        await connection.send(b"\x15\x03\x03\x00\x02\x02" + bytes([description]))

    return script
