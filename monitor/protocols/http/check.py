"""The HTTP check: asks hop by hop, reads what is needed, and says what was found."""

from __future__ import annotations

import asyncio

from monitor.model.outcome import Finding, Reason
from monitor.model.result import Result
from monitor.net.dial import Dialer
from monitor.net.run import Run, Stop
from monitor.net.stage import Stage
from monitor.protocols.http.answer_head import Head
from monitor.protocols.http.codings import Undecodable
from monitor.protocols.http.cookies import Cookies
from monitor.protocols.http.decode import decoder_for
from monitor.protocols.http.exchange import Exchange
from monitor.protocols.http.expectations import judge_head
from monitor.protocols.http.faults import TABLE
from monitor.protocols.http.judging import judge
from monitor.protocols.http.plan import Plan, plan_of
from monitor.protocols.http.progress import Progress
from monitor.protocols.http.protocol import HTTP
from monitor.protocols.http.redirect import REDIRECTS, Request, follow
from monitor.protocols.http.request_head import request_head, waits_for_leave
from monitor.protocols.resources import Resources
from monitor.protocols.running import within_limits
from monitor.rules.state import seconds
from monitor.system.turns import turns

_SHOWN = 60
"""Characters of a Content-Encoding that are quoted."""


async def run_http(run: Run, resources: Resources) -> Result:
    """Runs the check once and returns its result. Raises only if the program has a bug, or CancelledError."""
    progress = Progress(run)
    _, failed = await within_limits(run, _converse(progress, resources), TABLE)
    finding = progress.verdict or failed
    if finding is None and progress.wanted:
        finding = await _judge(progress, resources)
    finding = finding or _fine(progress)
    return run.result(finding, progress.answer(), progress.evidence() if finding.reason.failed else None)


async def _converse(progress: Progress, resources: Resources) -> None:
    """Makes all hops of a run; what is remembered is remembered within the run."""
    run = progress.run
    plan = plan_of(run.spec, progress.asked)
    loop = asyncio.get_running_loop()
    dialer = Dialer(run, resources, lambda: Exchange(loop, run), plan.proxy, HTTP.alpn)
    cookies = Cookies()
    request, head = plan.request, plan.head
    while True:
        progress.begin_hop(request)
        exchange = await dialer.connect(plan.destination(request.url))
        run.enter(Stage.HEAD)
        try:
            answer = await _ask(exchange, request, head)
            progress.take_head(answer, exchange.announced)
            location = answer.headers.get("Location") if answer.status in REDIRECTS else None
            if not location or not progress.asked.follow_redirects:
                await _read(progress, answer, exchange)
                return
        finally:
            exchange.close()
        cookies.keep(request.url, answer.headers)
        request = _next(progress, request, answer.status, location)
        head = _head(request, plan, cookies)


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


def _next(progress: Progress, request: Request, status: int, location: str) -> Request:
    run, asked = progress.run, progress.asked
    shown = run.spec.redactor.foreign(location)
    following = follow(request, status, location, shown, allow_downgrade=asked.allow_downgrade)
    if run.redirects >= asked.max_redirects:
        raise Stop(
            Reason.TOO_MANY_REDIRECTS,
            f"redirected more than {asked.max_redirects} times, at last by {status}",
        )
    run.redirects += 1
    return following


async def _read(progress: Progress, head: Head, exchange: Exchange) -> None:
    """Judges the head, and reads the body as far as it may be read."""
    run, asked = progress.run, progress.asked
    run.enter(Stage.BODY)
    foreign = run.spec.redactor.foreign
    progress.verdict = judge_head(asked.expect, head.status, head.version, head.headers, foreign)
    if progress.verdict is not None and head.status == 407 and run.spec.route.proxy is not None:
        progress.verdict = Finding(
            Reason.PROXY_FAILED,
            f"the proxy {run.remote_address} wants other credentials (407)",
        )
    progress.wanted = asked.expect.needs_body and progress.verdict is None
    decoder = decoder_for(asked, head.headers)
    if progress.wanted and decoder.unknown:
        named = foreign(", ".join(head.headers.getall("Content-Encoding")))[:_SHOWN]
        raise Undecodable(f"its Content-Encoding is {named}, which was not asked for")
    progress.body_bytes = 0
    while chunk := await exchange.more():
        if decoder.plain:
            progress.take(chunk)
        else:
            async for piece in turns(decoder.pieces(chunk)):
                progress.take(piece)
                if progress.cut:
                    break
        if progress.cut:
            return
    decoder.finish()
    for note in decoder.notes:
        run.note(foreign(note))


async def _judge(progress: Progress, resources: Resources) -> Finding | None:
    asked = progress.asked
    if progress.cut:
        return Finding(
            Reason.BODY_TOO_LARGE,
            f"the body is longer than max_body, {asked.max_body} bytes; read no further",
        )
    content_type = (progress.headers or {}).get("Content-Type")
    body = bytes(progress.beginning)
    finding, notes = await judge(progress.run.spec, asked.expect, body, content_type, resources.jury)
    for note in notes:
        progress.run.note(note)
    return finding


def _fine(progress: Progress) -> Finding:
    run = progress.run
    took = seconds((run.ended or run.began) - run.began)
    return Finding(Reason.OK, f"answered {progress.status} in {took}")
