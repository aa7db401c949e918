"""Do limits hold when a fifth of the targets hangs? Some accept no connection, some never answer, some never end."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.bench.answerer import Answerer, answerer
from tests.bench.figures import Bench, Figure, NotMeasured, Row, quantile
from tests.bench.monitor import configuration, daemon
from tests.bench.target import HOST

_CHECKS, _INTERVAL = 1000, 4.0
_LIMITS = _CONNECT, _READ, _TOTAL = 1.0, 1.5, 2.5
_HANGING = 5
"""Each fifth check hangs, in one of three ways by turns."""
_DELAY = 20
"""Milliseconds that the healthy ones take."""
_FILLERS = 8
_REASONS = ("connect_timeout", "response_timeout", "total_timeout")


def _measure(bench: Bench) -> Iterator[Figure]:
    seconds = bench.either(32.0, 12.0)
    hanging = [f"check-{n}" for n in range(0, _CHECKS, _HANGING)]
    healthy = [f"check-{n}" for n in range(_CHECKS) if n % _HANGING]
    with _full_backlog() as port, answerer() as target:
        urls = [_url(n, target, port) for n in range(_CHECKS)]
        with daemon(bench.tree, configuration(urls, _INTERVAL, _LIMITS)) as running:
            bench.wait(2 * _INTERVAL, "warming up")
            before, begin = running.scrape(), time.time()
            bench.wait(seconds, "measuring")
            end, after = time.time(), running.scrape()
            time.sleep(_TOTAL + 1.0)  # what began last has ended
            results = [result for *_, result in running.results(hanging, begin, end)]
    overruns = [over for result in results if (over := _overrun(result)) is not None]
    others = {result["reason"] for result in results if _overrun(result) is None}
    by_reason = ", ".join(f"{sum(r['reason'] == reason for r in results)} {reason}" for reason in _REASONS)
    yield Figure("reported over the limit, p99", 1000 * quantile(overruns, 0.99), "ms", most=50, remark=by_reason)
    yield Figure("reported over the limit, most", 1000 * max(overruns, default=0.0), "ms")
    yield Figure("hanging, and not reported as that", len(results) - len(overruns), most=0, remark=", ".join(others))
    failed, had_failed = (scrape.per_check("probe_failures_total") for scrape in (after, before))
    yield Figure("failures of the healthy", sum(failed[name] - had_failed[name] for name in healthy), most=0)
    asked = {name: [a for a in target.by_name.get(name, []) if begin <= a.arrived < end] for name in healthy}
    few = sum(len(requests) < int((end - begin) / _INTERVAL) - 1 for requests in asked.values())
    yield Figure("healthy checks with too few requests", few, most=0)
    nothing = after.total("probe_inconclusive_total") - before.total("probe_inconclusive_total")
    yield Figure("inconclusive runs", nothing, most=0)


def _url(n: int, target: Answerer, full: int) -> str:
    if n % _HANGING:
        return target.url(_DELAY, f"check-{n}")
    way = n // _HANGING % 3
    return f"http://{HOST}:{full}/" if way == 0 else target.url("silent" if way == 1 else "drip", f"check-{n}")


def _overrun(result: dict[str, Any]) -> float | None:
    """Seconds by which a run lasted longer than the limit that ended it; None if none of ours did."""
    match result["reason"]:
        case "connect_timeout":
            return float(result["duration_seconds"]) - _CONNECT
        case "response_timeout":  # of silence, which begins when the request is sent
            return float(result["phases"]["processing"]) - _READ
        case "total_timeout":
            return float(result["duration_seconds"]) - _TOTAL
    return None


@contextmanager
def _full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full, so that the kernel drops whatever asks for one more."""
    with ExitStack() as sockets, socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(_FILLERS):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
            if not select.select([], [filler], [], 0.1)[1]:
                yield address[1]
                return
        raise NotMeasured("a queue of connections does not fill up on this machine")


HANGING = Row("hanging", "200 of 1,000 targets hanging", _measure)
