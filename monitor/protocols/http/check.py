"""The HTTP check: asks hop by hop, reads what is needed, and says what was found."""

from __future__ import annotations

from dataclasses import dataclass

from yarl import URL

from monitor.model.outcome import Reason
from monitor.model.result import Hop, Result
from monitor.model.spec import CheckSpec
from monitor.net.classify import classify
from monitor.net.dial import Dialer
from monitor.net.offline import is_offline
from monitor.net.run import Run, Stop
from monitor.net.stage import Stage
from monitor.protocols.http.answer_head import Head
from monitor.protocols.http.codings import Undecodable
from monitor.protocols.http.cookies import Cookies
from monitor.protocols.http.decode import decoder_for
from monitor.protocols.http.evidence import BODY_BYTES
from monitor.protocols.http.exchange import Exchange
from monitor.protocols.http.judging import judge
from monitor.protocols.http.plan import Plan, plan_of
from monitor.protocols.http.redirect import REDIRECTS, Request, follow
from monitor.protocols.http.request_head import request_head, waits_for_leave
from monitor.protocols.resources import Net
from monitor.rules.expectations import Finding, judge_head
from monitor.rules.state import seconds
from monitor.system.turns import turns

_SHOWN = 60
"""Characters of a Content-Encoding that are quoted."""


@dataclass(frozen=True, slots=True)
class _Body:
    """The part of a body that was read: the bytes that matter, the type, and whether max_body cut it."""

    data: bytes
    content_type: str | None
    cut: bool


_UNREAD = _Body(b"", None, cut=False)


async def check_http(spec: CheckSpec, net: Net) -> Result:
    """Runs the check once and returns its result. Raises only if the program has a bug, or CancelledError."""
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
        finding = run.verdict or await _judge(run, body, net) or _fine(run)
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
            answer = await _ask(exchange, request, head)
            _note_head(run, answer, exchange.announced)
            location = answer.headers.get("Location") if answer.status in REDIRECTS else None
            if not location or not spec.follow_redirects:
                return await _read(run, answer, exchange, through=plan.proxy)
        finally:
            exchange.close()
        cookies.keep(request.url, answer.headers)
        request = _next(run, request, answer.status, location)
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


async def _ask(exchange: Exchange, request: Request, head: bytes) -> Head:
    """Send the request; the head of the answer, whose body may be yet to come."""
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


def _note_head(run: Run, head: Head, content_length: int | None) -> None:
    run.status = head.status
    last = run.hops[-1]
    run.hops[-1] = Hop(last.method, last.url, head.status)
    run.http_version = head.version
    run.content_length = content_length
    run.answer, run.beginning, run.cut = head.headers, b"", False


async def _read(run: Run, head: Head, exchange: Exchange, through: URL | None) -> _Body:
    """The body, as far as it may be read; kept only if something depends on it."""
    spec = run.spec
    run.enter(Stage.BODY)
    foreign = spec.redactor.foreign
    run.verdict = judge_head(spec.expect, head.status, run.http_version or "", head.headers, foreign)
    if run.verdict is not None and head.status == 407 and through is not None:
        run.verdict = Finding(
            Reason.PROXY_FAILED,
            f"the proxy {run.remote_address} wants other credentials (407)",
        )
    wanted = spec.expect.needs_body and run.verdict is None
    decoder = decoder_for(spec, head.headers)
    if wanted and decoder.unknown:
        named = foreign(", ".join(head.headers.getall("Content-Encoding")))[:_SHOWN]
        raise Undecodable(f"its Content-Encoding is {named}, which was not asked for")
    run.beginning = kept = bytearray()
    run.body_bytes = 0
    while chunk := await exchange.more():
        async for piece in turns(decoder.pieces(chunk)):
            room = spec.max_body - run.body_bytes
            if wanted:
                kept += piece[:room]
            elif len(kept) <= BODY_BYTES:  # evidence, in case the run fails
                kept += piece[: min(room, BODY_BYTES + 1)]
            run.body_bytes += min(len(piece), room)
            if len(piece) > room:
                run.cut = True
                return _Body(bytes(kept) if wanted else b"", None, cut=True)
    decoder.finish()
    for note in decoder.notes:
        run.note(foreign(note))
    return _Body(bytes(kept), head.headers.get("Content-Type"), cut=False) if wanted else _UNREAD


async def _judge(run: Run, body: _Body, net: Net) -> Finding | None:
    expect = run.spec.expect
    if not expect.needs_body:
        return None
    if body.cut:
        limit = run.spec.max_body
        return Finding(
            Reason.BODY_TOO_LARGE,
            f"the body is longer than max_body, {limit} bytes; read no further",
        )
    finding, notes = await judge(run.spec, body.data, body.content_type, net.jury)
    for note in notes:
        run.note(note)
    return finding


def _fine(run: Run) -> Finding:
    took = seconds((run.ended or run.began) - run.began)
    return Finding(Reason.OK, f"answered {run.status} in {took}")


def _ours_if_offline(finding: Finding, run: Run) -> Finding:
    """Without any way out of this machine, what is out of reach says nothing about the target."""
    if not is_offline(finding.reason, run):
        return finding
    return Finding(Reason.MONITOR_OFFLINE, f"this machine has no network: {finding.detail}")
