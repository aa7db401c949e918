"""The HTTP check: asks hop by hop, reads what is needed, and says what was found."""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from monitor.checks.classify import classify
from monitor.checks.decode import Decoder, Undecodable
from monitor.checks.dial import Dialer
from monitor.checks.net import Net
from monitor.checks.offline import is_offline
from monitor.checks.redirect import (
    REDIRECTS,
    Request,
    authorization,
    first_request,
    follow,
    parse,
)
from monitor.checks.run import Run, Stage, Stop
from monitor.expect import Finding, judge_body, judge_head
from monitor.outcome import Hop, Reason, Result
from monitor.secret import reveal
from monitor.spec import BasicAuth, Body, CheckSpec
from monitor.state import seconds

_LINE_LIMIT = 64 * 1024
_HEADER_COUNT_LIMIT = 256
"""More than any server means to send, and few enough that the worst head fits in a few megabytes."""
_LONG_BODY = 64 * 1024
"""A body longer than this is judged in a thread, so that no other check waits for it."""
_NO_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=None)
"""aiohttp's own limits round and overlap; the run's are exact."""
_WITHOUT_BODY = frozenset({204, 304})
"""RFC 9110, 8.6: answers that have no body, and mostly do not say so by a Content-Length."""
_SKIPPED = ("Content-Type",)
"""aiohttp would add one that nobody asked for."""


@dataclass(frozen=True, slots=True)
class _Body:
    """What was read of a body: its bytes if they matter, its charset, and whether there was more than may be read."""

    data: bytes
    charset: str | None
    cut: bool


async def check_http(spec: CheckSpec, net: Net) -> Result:
    """Ask once and say what was found. Raises only for a bug of ours, and CancelledError when it is cancelled."""
    try:
        net.tls.get(spec.tls)  # from disk the first time, which must not count as the target's
    except OSError as error:
        return Run(spec).result(Finding(Reason.LOCAL_RESOURCES, f"a file of this check's TLS is gone: {error}"))
    run = Run(spec)
    try:
        async with run:
            body = await _converse(run, net)
    except Exception as exc:  # noqa: BLE001 - the seam: all that a library can raise is placed, or raised as a bug
        finding = run.verdict or _ours_if_offline(classify(exc, run), run)
    else:
        finding = run.verdict or await _judge(run, body) or _fine(run)
    return run.result(finding)


async def _converse(run: Run, net: Net) -> _Body:
    """All hops of a run; the last one's body. A session of its own keeps everything of the run within the run."""
    spec = run.spec
    request = first_request(spec)
    proxy, proxy_authorization = _proxy_of(spec)
    jars: dict[URL, aiohttp.CookieJar] = {}
    async with aiohttp.ClientSession(
        connector=Dialer(run, net, proxy_authorization),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_NO_LIMITS,
        auto_decompress=False,
        skip_auto_headers=_SKIPPED,
        max_line_size=_LINE_LIMIT,
        max_field_size=_LINE_LIMIT,
        max_headers=_HEADER_COUNT_LIMIT,
        middlewares=(functools.partial(_once, run),),
    ) as session:
        while True:
            async with session.request(
                request.method,
                request.url,
                headers=_headers(request, jars, proxy_authorization),
                data=_payload(request.body),
                allow_redirects=False,
                proxy=proxy,
            ) as response:
                _note_head(run, response)
                location = response.headers.get("Location") if response.status in REDIRECTS else None
                if not location or not spec.follow_redirects:
                    return await _read(run, response, through=proxy)
                _keep_cookies(jars, response)
                request = _next(run, request, response.status, location)


def _payload(body: Body | None) -> bytes | io.BytesIO | None:
    """The body as aiohttp likes it best: a long one as a file, which it sends piece by piece."""
    if body is None or len(body.data) <= _LONG_BODY:
        return None if body is None else body.data
    return io.BytesIO(body.data)


async def _once(
    run: Run,
    request: aiohttp.ClientRequest,
    handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
) -> aiohttp.ClientResponse:
    """Exactly one request per hop: aiohttp repeats a request whose connection broke, unless it sees another error."""
    url = run.spec.redactor.foreign(str(request.url)) if run.hops else run.spec.target
    run.hops.append(Hop(request.method, url, None))
    run.host = request.url.raw_host or ""
    run.begin_hop()
    try:
        return await handler(request)
    except (OSError, aiohttp.ServerDisconnectedError) as exc:
        raise Stop(*classify(run.broken or exc, run)) from exc


def _proxy_of(spec: CheckSpec) -> tuple[URL | None, str | None]:
    """The proxy without its userinfo, and the header that this stands for."""
    if spec.proxy is None:
        return None, None
    url = parse(reveal(spec.proxy))
    if url.user is None:
        return url, None
    return url.with_user(None), authorization(BasicAuth(url.user, url.password or ""))


def _headers(
    request: Request,
    jars: dict[URL, aiohttp.CookieJar],
    proxy_authorization: str | None,
) -> list[tuple[str, str]]:
    headers = request.all_headers()
    if jar := jars.get(request.url.origin()):
        cookies = [f"{m.key}={m.coded_value}" for m in jar.filter_cookies(request.url).values()]
        cookies = [v for n, v in headers if n.lower() == "cookie"] + cookies
        headers = [(n, v) for n, v in headers if n.lower() != "cookie"]
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
    if proxy_authorization is not None and request.url.scheme == "http":
        headers.append(("Proxy-Authorization", proxy_authorization))
    return headers


def _keep_cookies(jars: dict[URL, aiohttp.CookieJar], response: aiohttp.ClientResponse) -> None:
    """Cookies are kept by origin, port included: what one origin set, no other is sent."""
    if response.cookies:
        jar = jars.setdefault(response.url.origin(), aiohttp.CookieJar(unsafe=True))
        jar.update_cookies(response.cookies, response.url)


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


def _note_head(run: Run, response: aiohttp.ClientResponse) -> None:
    run.status = response.status
    last = run.hops[-1]
    run.hops[-1] = Hop(last.method, last.url, response.status)
    version = response.version
    run.http_version = f"{version.major}.{version.minor}" if version is not None else None
    run.content_length = 0 if response.status in _WITHOUT_BODY else response.content_length


async def _read(run: Run, response: aiohttp.ClientResponse, through: URL | None) -> _Body:
    """The body, as far as it may be read; kept only if something depends on it."""
    spec = run.spec
    run.enter(Stage.BODY)
    foreign = spec.redactor.foreign
    run.verdict = judge_head(spec.expect, response.status, run.http_version or "", response.headers, foreign)
    if run.verdict is not None and response.status == 407 and through is not None:
        run.verdict = Finding(
            Reason.PROXY_FAILED,
            f"the proxy {run.remote_address} wants other credentials (407)",
        )
    wanted = spec.expect.needs_body and run.verdict is None
    decoder = Decoder(response.headers.get("Content-Encoding", ""))
    if wanted and not decoder.known:
        raise Undecodable(f"Content-Encoding {foreign(response.headers['Content-Encoding'])}, which was not asked for")
    kept = bytearray()
    run.body_bytes = 0
    async for chunk in response.content.iter_any():
        for piece in decoder.pieces(chunk):
            room = spec.max_body - run.body_bytes
            if wanted:
                kept += piece[:room]
            run.body_bytes += min(len(piece), room)
            if len(piece) > room:
                return _Body(bytes(kept), response.charset, cut=True)
    decoder.finish()
    return _Body(bytes(kept), response.charset, cut=False)


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
