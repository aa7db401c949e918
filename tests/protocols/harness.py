"""How the tests of checks make a specification, run it, and hold every result against what all results promise."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import msgspec

from monitor.config.credentials import secrets_of
from monitor.model.outcome import Outcome, Reason
from monitor.model.request import BasicAuth, BearerAuth, Expect, HttpRequest, Rule
from monitor.model.result import PHASE_NAMES, Result
from monitor.model.route import FileRef
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.http.credentials import secrets
from monitor.protocols.registry import HTTP, client_of
from monitor.protocols.resources import Resources
from monitor.protocols.running import check
from monitor.secrets.redaction import DETAIL_LIMIT
from monitor.secrets.secret import Text, shown_url
from tests.flat import flat_spec, http
from tests.starvation import Starvation, thread_waited
from tests.terminal.program import end_of, monitor

TOLERANCE = 0.05
"""A limit holds to within so many seconds, while the process is not starved."""

STARVED = 0.005
"""A loop that once woke up so many seconds late was starved."""

QUICK = Limits(connect=0.3, read=0.3, total=1.0)
"""Limits for faults that only a limit ends."""

Run = Callable[..., Coroutine[Any, Any, Result]]
"""`await run(url, deny=(), **fields of the specification)`."""


def rules(**operators: Any) -> tuple[Rule, ...]:
    """`rules(contains="ok", not_contains="error")`."""
    return tuple(Rule(operator, operand) for operator, operand in operators.items())  # type: ignore[arg-type]


def expecting_body(**operators: Any) -> Expect:
    """What makes the body matter; that it contain anything at all, unless told otherwise."""
    return Expect(body=rules(**(operators or {"contains": ""})))


def make_spec(url: Text, **over: Any) -> CheckSpec:
    """A check of this URL with short limits; what it holds of credentials is found as the configuration finds it."""
    fields: dict[str, Any] = {"name": "t", "limits": Limits(connect=1, read=1, total=3), **over}
    if "secrets" not in fields:
        request = HttpRequest(headers=fields.get("headers", ()), auth=fields.get("auth"))
        written = [url, fields.get("proxy"), *dict(request.headers).values(), *_texts(request.auth)]
        fields["secrets"] = secrets_of({"": written}, url, fields.get("proxy")) | set(secrets(request)) - {""}
    return flat_spec(url=url, target=shown_url(url), **fields)


def _texts(auth: BasicAuth | BearerAuth | None) -> list[Text]:
    if isinstance(auth, BasicAuth):
        return [auth.username, auth.password]
    return [auth.token] if auth is not None else []


def file_ref(path: Path) -> FileRef:
    """A file as a check refers to it."""
    return FileRef(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


@contextlib.asynccontextmanager
async def opened_resources(deny: Iterable[str] = ()) -> AsyncIterator[Resources]:
    """The resources of checks, forbidding these networks, and closed if they can be."""
    resources = Resources(tuple(map(ip_network, deny)))
    client_of(HTTP)  # as a daemon does before its first run
    try:
        yield resources
    finally:
        if (close := getattr(resources, "aclose", None) or getattr(resources, "close", None)) is not None:
            closing = close()
            if inspect.isawaitable(closing):
                await closing


async def run_check(url: Text, *, deny: Iterable[str] = (), resources: Resources | None = None, **over: Any) -> Result:
    """Run one check, and hold its result against what every result promises."""
    spec = make_spec(url, **over)
    async with contextlib.AsyncExitStack() as stack:
        result = await check(spec, resources or await stack.enter_async_context(opened_resources(deny)))
    assert_promises(spec, result)
    return result


def assert_promises(spec: CheckSpec, result: Result) -> None:
    """What holds of every result, whatever was found."""
    assert result.check == spec.name
    assert result.reason is not Reason.INTERNAL_ERROR, result.detail
    assert 0 < len(result.detail) <= DETAIL_LIMIT, result.detail
    assert "\n" not in result.detail
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(result), type=Result) == result  # it can be stored
    assert abs(time.time() - result.started_at) < 60
    _assert_phases(result)
    if isinstance(spec.request, HttpRequest):
        _assert_http(spec.request, result)
    _assert_no_secret(spec, result)


def _assert_http(asked: HttpRequest, result: Result) -> None:
    answer = http(result)
    assert answer.redirects <= asked.max_redirects
    assert answer.figures.body_bytes is None or 0 <= answer.figures.body_bytes <= asked.max_body
    assert answer.status is None or 100 <= answer.status <= 999
    if result.conclusive and result.outcome is not Outcome.CONNECTION_ERROR:
        assert result.outcome is Outcome.TIMEOUT or answer.status is not None


def _assert_no_secret(spec: CheckSpec, result: Result) -> None:
    """Nothing of what the check must keep to itself; but where it connected is known, also if a URL was secret."""
    known = " ".join([result.remote_address or "", *(attempt.address for attempt in result.attempts)])
    shown = repr(result)
    seen = [secret for secret in spec.secrets if len(secret) >= 6 and secret not in known and secret in shown]
    assert not seen, f"{seen} in {shown}"


def _assert_phases(result: Result) -> None:
    spent = [seconds for _, seconds in result.phases.items() if seconds is not None]
    assert result.duration is not None
    assert all(seconds >= 0 for seconds in spent)
    assert abs(sum(spent) - result.duration) <= 0.005, (result.phases, result.duration)
    if result.phases.transfer is not None:
        assert result.phases.processing is not None
    if result.phases.processing is not None:
        assert result.phases.connect is not None
    assert tuple(name for name, _ in result.phases.items()) == PHASE_NAMES


async def alone(
    work: str, task: dict[str, Any], loop: str = "uvloop", *, within: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Do this work of `tests.protocols.alone` in a process of its own, and return what it prints."""
    given = (work, json.dumps(task), loop)
    if within:
        command = (*within, sys.executable, "-m", "tests.protocols.alone", *given)
        ended = await end_of(
            await asyncio.create_subprocess_exec(
                *command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
    else:
        ended = await monitor(first=f"from tests.protocols import alone; alone.main(*{given!r}); raise SystemExit")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


class LagMeter:
    """How late the loop woke up, at worst, while this context was open; `held` leaves out what others kept it from."""

    def __init__(self, interval: float = 0.005) -> None:
        self.worst = 0.0
        self.held = 0.0
        self._interval = interval

    async def __aenter__(self) -> LagMeter:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> None:
        while True:
            before, waited = time.monotonic(), thread_waited()
            await asyncio.sleep(self._interval)
            late = time.monotonic() - before - self._interval
            self.worst = max(self.worst, late)
            self.held = max(self.held, late - (thread_waited() - waited))


async def ends_after(
    limit: float, run: Callable[[], Awaitable[Result]], *, since: Literal["start", "connection"] = "start"
) -> Result:
    """A result that came `limit` seconds after the start or the connection, to within 50 ms.

    Measured again, twice at most, if the machine itself had stalled; the last time what it stalled is allowed on top.
    """
    for _ in range(3):
        starvation = Starvation()
        async with LagMeter() as lag:
            started = time.monotonic()
            result = await run()
            elapsed = time.monotonic() - started
        assert result.duration is not None
        before = _connecting(result) if since == "connection" else 0.0
        late = max(abs(result.duration - before - limit), abs(elapsed - before - limit))
        if late <= TOLERANCE or lag.worst < STARVED:
            break
    stalled = max(lag.worst, starvation.seconds) if lag.worst >= STARVED else 0.0
    assert late <= TOLERANCE + stalled, (
        f"{result.reason} after {result.duration:.3f} s (the caller waited {elapsed:.3f} s; {before:.3f} s of it for "
        f"a connection), not {limit} s; the loop was {lag.worst:.3f} s late at worst, {stalled:.3f} s in all"
    )
    return result


def _connecting(result: Result) -> float:
    phases = result.phases
    return sum(seconds or 0.0 for seconds in (phases.resolve, phases.connect, phases.tls))
