"""The HTTP check: asks hop by hop, reads what is needed, and says what was found."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass

from aiohttp.helpers import parse_content_type
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from monitor.checks.classify import classify
from monitor.checks.cookies import Cookies
from monitor.checks.decode import Decoder, Undecodable
from monitor.checks.dial import Dialer
from monitor.checks.evidence import BODY_BYTES
from monitor.checks.exchange import Exchange
from monitor.checks.head import request_head, waits_for_leave
from monitor.checks.net import Net
from monitor.checks.offline import is_offline
from monitor.checks.plan import Plan, plan_of
from monitor.checks.redirect import REDIRECTS, Request, follow
from monitor.checks.run import Run, Stop
from monitor.checks.stage import Stage
from monitor.expect import Finding, judge_body, judge_head
from monitor.outcome import Hop, Reason, Result
from monitor.spec import CheckSpec
from monitor.state import seconds

_LONG_BODY = 64 * 1024
"""A body longer than this is judged in a thread, so that no other check waits for it."""
_WITHOUT_BODY = frozenset({204, 304})
"""RFC 9110, 8.6: answers that have no body, and mostly do not say so by a Content-Length."""


@dataclass(frozen=True, slots=True)
class _Body:
    """What was read of a body: its bytes if they matter, its charset, and whether there was more than may be read."""

    data: bytes
    charset: str | None
    cut: bool


_UNREAD = _Body(b"", None, cut=False)


async def check_http(spec: CheckSpec, net: Net) -> Result:
    """Ask once and say what was found. Raises only for a bug of ours, and CancelledError when it is cancelled."""
    try:
        net.tls.get(spec.tls)  # from disk the first time, which must not count as the target's
    except OSError as error:
        return Run(spec).result(Finding(Reason.LOCAL_RESOURCES, f"a file of this check's TLS is gone: {error}"))
    run = Run(spec)
    run.client_certificate = net.tls.client_certificate(spec.tls)
    try:
        async with run:
            body = await _converse(run, net)
    except Exception as exc:  # noqa: BLE001 - the seam: all that a library can raise is placed, or raised as a bug
        finding = run.verdict or _ours_if_offline(classify(exc, run), run)
    else:
        finding = run.verdict or await _judge(run, body) or _fine(run)
    return run.result(finding)


async def _converse(run: Run, net: Net) -> _Body:
    """All hops of a run; the last one's body. What is remembered is remembered within the run."""
    spec = run.spec
    plan = plan_of(spec)
    dialer = Dialer(run, net, plan)
    cookies = Cookies()
    request, head = plan.request, plan.head
    while True:
        _begin_hop(run, request)
        exchange = await dialer.connect(request.url)
        try:
            message, content = await _ask(exchange, request, head)
            _note_head(run, message)
            location = message.headers.get("Location") if message.code in REDIRECTS else None
            if not location or not spec.follow_redirects:
                return await _read(run, message, content, through=plan.proxy)
        finally:
            exchange.close()
        cookies.keep(request.url, message.headers)
        request = _next(run, request, message.code, location)
        head = _head(request, plan, cookies)


def _begin_hop(run: Run, request: Request) -> None:
    url = run.spec.redactor.foreign(str(request.url)) if run.hops else run.spec.target
    run.hops.append(Hop(request.method, url, None))
    run.host = request.url.raw_host or ""
    run.begin_hop()


def _head(request: Request, plan: Plan, cookies: Cookies) -> bytes:
    """The head of a request that a redirect asks for."""
    request = cookies.added(request)
    return request_head(request, plan.more_headers(request.url), absolute=plan.absolute(request.url))


async def _ask(exchange: Exchange, request: Request, head: bytes) -> tuple[RawResponseMessage, StreamReader]:
    """Send the request; the head of the answer, and its body, which may be yet to come."""
    if request.body is None:
        exchange.ask(head, answer_has_body=request.method != "HEAD")
    else:
        has_body = request.method != "HEAD"
        exchange.ask(head, request.body.data, answer_has_body=has_body, patient=waits_for_leave(request))
    return await exchange.answer()


def _next(run: Run, request: Request, status: int, location: str) -> Request:
    spec = run.spec
    shown = spec.redactor.foreign(location)
    following = follow(request, status, location, shown, allow_downgrade=spec.allow_downgrade)
    if run.redirects >= spec.max_redirects:
        raise Stop(
            Reason.TOO_MANY_REDIRECTS,
            f"redirected more than {spec.max_redirects} times, at last by {status}",
        )
    run.redirects += 1
    return following


def _note_head(run: Run, message: RawResponseMessage) -> None:
    run.status = message.code
    last = run.hops[-1]
    run.hops[-1] = Hop(last.method, last.url, message.code)
    run.http_version = f"{message.version.major}.{message.version.minor}"
    length = 0 if message.code in _WITHOUT_BODY else message.headers.get("Content-Length")
    run.content_length = None if length is None else int(length)
    run.answer, run.beginning, run.cut = message.headers, b"", False


async def _read(run: Run, message: RawResponseMessage, content: StreamReader, through: URL | None) -> _Body:
    """The body, as far as it may be read; kept only if something depends on it."""
    spec = run.spec
    run.enter(Stage.BODY)
    foreign = spec.redactor.foreign
    run.verdict = judge_head(spec.expect, message.code, run.http_version or "", message.headers, foreign)
    if run.verdict is not None and message.code == 407 and through is not None:
        run.verdict = Finding(
            Reason.PROXY_FAILED,
            f"the proxy {run.remote_address} wants other credentials (407)",
        )
    wanted = spec.expect.needs_body and run.verdict is None
    decoder = Decoder(message.headers.get("Content-Encoding", ""))
    if wanted and not decoder.known:
        raise Undecodable(f"Content-Encoding {foreign(message.headers['Content-Encoding'])}, which was not asked for")
    run.beginning = kept = bytearray()
    run.body_bytes = 0
    while chunk := await content.readany():
        for piece in decoder.pieces(chunk):
            room = spec.max_body - run.body_bytes
            if wanted:
                kept += piece[:room]
            elif len(kept) <= BODY_BYTES:  # for whoever has to find out why, should this run fail
                kept += piece[: min(room, BODY_BYTES + 1)]
            run.body_bytes += min(len(piece), room)
            if len(piece) > room:
                run.cut = True
                return _Body(bytes(kept) if wanted else b"", None, cut=True)
    decoder.finish()
    return _Body(bytes(kept), _charset(message), cut=False) if wanted else _UNREAD


def _charset(message: RawResponseMessage) -> str | None:
    content_type = message.headers.get("Content-Type")
    return parse_content_type(content_type)[1].get("charset") if content_type is not None else None


async def _judge(run: Run, body: _Body) -> Finding | None:
    expect = run.spec.expect
    if not expect.needs_body:
        return None
    if body.cut:
        limit = run.spec.max_body
        return Finding(
            Reason.BODY_TOO_LARGE,
            f"the body is longer than max_body, {limit} bytes; read no further",
        )
    judge = functools.partial(judge_body, expect, body.data, body.charset, run.spec.redactor.foreign)
    return await asyncio.to_thread(judge) if len(body.data) > _LONG_BODY else judge()


def _fine(run: Run) -> Finding:
    took = seconds((run.ended or run.began) - run.began)
    return Finding(Reason.OK, f"answered {run.status} in {took}")


def _ours_if_offline(finding: Finding, run: Run) -> Finding:
    """Without any way out of this machine, what is out of reach says nothing about the target."""
    if not is_offline(finding.reason, run):
        return finding
    return Finding(Reason.MONITOR_OFFLINE, f"this machine has no network: {finding.detail}")
