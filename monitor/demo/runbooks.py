"""The pages that the demo's runbook links lead to: what happened, and what to do next, from a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from monitor.demo.example import Example
from monitor.demo.script import answer
from monitor.demo.server import HOST
from monitor.model.outcome import Reason

NEXT = {
    Reason.UNEXPECTED_STATUS: "Read the application's log. 401 or 403: look at the credentials of the check.",
    Reason.UNEXPECTED_HEADER: "Look at what sits in front of the application: a proxy or a CDN changes headers.",
    Reason.UNEXPECTED_BODY: "Ask for the page yourself. An error page with status 200 is the usual cause.",
    Reason.UNEXPECTED_HTTP_VERSION: "Find the old proxy or server that answers in HTTP/1.0.",
    Reason.BODY_TOO_LARGE: "Raise max_body, or check a smaller resource.",
    Reason.INVALID_CONTENT: "Ask for the page yourself: often HTML comes where JSON should.",
    Reason.TOO_MANY_REDIRECTS: "Two rules undo each other: monitor probe URL lists every hop.",
    Reason.FORBIDDEN_REDIRECT: "Correct the redirect: from https to http, everything after it can be read by others.",
    Reason.DNS_NOT_FOUND: "Run dig NAME, and look at the zone: was the record removed, or the name mistyped?",
    Reason.DNS_FAILED: "Look at the name server itself, and at the signatures of the zone.",
    Reason.REFUSED: "Is the service running, and does it listen on this address and port?",
    Reason.UNREACHABLE: "Look at routes, VPN and firewalls, of either side.",
    Reason.RESET: "Look for a crash in the server's log, or a load balancer without a healthy backend.",
    Reason.DISCONNECTED: "Look for a worker that was killed or ran into its own time limit.",
    Reason.INVALID_RESPONSE: "Another protocol speaks on this port. Is the port of the URL right?",
    Reason.PROXY_FAILED: "Look at the proxy, not at the target: its rules, its credentials, its log.",
    Reason.TLS_CERTIFICATE_EXPIRED: "Renew the certificate. If it was renewed, reload the server.",
    Reason.TLS_CERTIFICATE_NOT_YET_VALID: "Compare the clocks of this machine and of whoever issued the certificate.",
    Reason.TLS_HOSTNAME_MISMATCH: "The wrong virtual host answers: look at the server's names and at SNI.",
    Reason.TLS_UNTRUSTED: "Have the server send its whole chain, or name your own authority in tls.ca_file.",
    Reason.TLS_HANDSHAKE_FAILED: "Does the port speak TLS at all? If it does, compare versions and ciphers.",
    Reason.ALPN_REFUSED: "The port offers other protocols than HTTP/1.1: look at the server's list for ALPN.",
    Reason.ADDRESS_DENIED: "If the address is meant, take it from deny_addresses. If not, ask who had it checked.",
    Reason.DNS_TIMEOUT: "Look at the name server, and at the firewall on the way to it.",
    Reason.CONNECT_TIMEOUT: "Packets are dropped: look at firewalls, at a dead host, at a full accept queue.",
    Reason.TLS_TIMEOUT: "The port accepts and then says nothing: look at the load of whatever terminates TLS.",
    Reason.RESPONSE_TIMEOUT: "Look for stuck workers, and at the database that they wait for.",
    Reason.UNEXPECTED_DATA: "See what the service says: it may be overloaded, in maintenance, or another one.",
    Reason.UNEXPECTED_CERTIFICATE: "Renew the certificate, and have the server load it.",
    Reason.READ_TIMEOUT: "Look for an application or a proxy that stalls in the middle of an answer.",
    Reason.TOTAL_TIMEOUT: "Bytes came all the time, too slowly: look at the network, or raise timeout.total.",
}
"""The next step for on-call, by reason; docs/outcomes.md has more."""


async def serve_runbooks(examples: Iterable[Example]) -> str:
    """Answer on a free port for as long as the loop runs; says at which URL."""
    pages = {f"/{e.name}": _page(e, e.reason) for e in examples if e.reason is not None and e.reason in NEXT}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode("latin-1")
            page = pages.get(path)
            status = "200 OK" if page else "404 Not Found"
            writer.write(answer(page or "There is no such runbook.\n", status, kind="text/plain; charset=utf-8"))
            await writer.drain()
        except (OSError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no request
        finally:
            writer.close()

    server = await asyncio.start_server(converse, HOST, 0)
    return f"http://{HOST}:{server.sockets[0].getsockname()[1]}"


def _page(example: Example, reason: Reason) -> str:
    title = f"{example.name}: {reason.value}"
    return f"{title}\n{'=' * len(title)}\n\n{example.description}\n\nWhat to do next: {NEXT[reason]}\n"
