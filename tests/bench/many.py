"""Ten thousand checks: how long everything takes that grows with them, and whether anything waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.audience import impatience
from tests.bench.figures import Bench, Figure, NotMeasured, Row, quantile
from tests.bench.machine import resident_mib
from tests.bench.monitor import BROWSER, PROMETHEUS, Daemon, Visitor, configuration, daemon, validated
from tests.bench.scrape import between

_CHECKS, _INTERVAL = 10_000, 20.0
_HISTORY = 30
"""Results that the daemon keeps for each check by default; memory and page are measured when they are there."""
_LOOKS = {
    "scrape": ("/metrics", PROMETHEUS, 1.0),
    "status.json": ("/status.json", {"Accept-Encoding": "gzip"}, 1.0),
    "page": ("/status", BROWSER, 1.5),
}
_SHARED = 5.0
"""An answer that took a second to make may be shared for some more; the next look comes when it has to be made anew."""
_LATE = 0.25
_SETTLED = 5.0


def _measure(bench: Bench) -> Iterator[Figure]:
    text = configuration([f"{bench.target.http}{n}" for n in range(_CHECKS)], _INTERVAL)
    bench.say("monitor validate")
    took, refused = validated(bench.tree, text)
    if refused:
        raise NotMeasured(refused)
    yield Figure("monitor validate", took, "s", most=5)
    with daemon(bench.tree, text) as running:
        yield Figure("start to listening", time.monotonic() - running.launched, "s")
        yield _first_results(bench, running)
        if not bench.quick:
            bench.wait(running.launched + (_HISTORY + 1) * _INTERVAL - time.monotonic(), "histories fill up")
        yield from _renderings(bench, running)
        yield from _reload(bench, running)
        yield _memory(running)


def _first_results(bench: Bench, running: Daemon) -> Figure:
    bench.wait(running.launched + _INTERVAL - time.monotonic(), "first results")
    while (scrape := running.scrape()).total("monitor_checks", 'state="unknown"'):
        if scrape.at - running.launched > 3 * _INTERVAL:
            raise NotMeasured("some checks have no result after three intervals")
        time.sleep(0.5)
    remark = "from the launch to the first scrape that finds no check unknown"
    took = (scrape.at - running.launched) / _INTERVAL
    return Figure("first results of all, in intervals", took, "×", most=1.5, remark=remark)


def _renderings(bench: Bench, running: Daemon) -> Iterator[Figure]:
    rounds = round(bench.either(5, 2))
    times: dict[str, list[float]] = {name: [] for name in _LOOKS}
    sizes: dict[str, int] = {}
    waits: list[float] = []
    visitor = Visitor(running.address)
    for number in range(rounds):
        longest = 0.0
        for name, (path, headers, _) in _LOOKS.items():
            with impatience(running.address) as waited:
                took, body = visitor.get(path, headers)
            times[name].append(took)
            sizes[name] = len(body)
            waits += waited
            longest = max(longest, took)
        bench.say(f"look {number + 1} of {rounds}: " + ", ".join(f"{name} {t[-1]:.2f} s" for name, t in times.items()))
        time.sleep(_SHARED * longest)
    for name, (_, _, most) in _LOOKS.items():
        remark = f"the longest of {rounds}, median {quantile(times[name], 0.5):.2f} s; {sizes[name] / 2**20:.1f} MiB"
        yield Figure(name, max(times[name]), "s", most=most, remark=remark)
    firsts = []
    for _ in range(rounds):
        time.sleep(_SHARED * max(times["page"]))
        firsts.append(visitor.first_byte("/status", BROWSER))
    yield Figure("page, first byte", max(firsts), "s", most=0.3, remark=f"the longest of {rounds}")
    remark = f"{len(waits):,} requests, the longest {1000 * max(waits):.0f} ms"
    yield Figure("/-/healthy meanwhile, p99", 1000 * quantile(waits, 0.99), "ms", most=100, remark=remark)


def _reload(bench: Bench, running: Daemon) -> Iterator[Figure]:
    bench.say("reload of the unchanged file")
    name = "monitor_schedule_lag_seconds"
    before = running.scrape().buckets(name)
    took, _ = Visitor(running.address).get("/-/reload", method="POST")
    time.sleep(_SETTLED)
    lags = between(before, running.scrape().buckets(name))
    yield Figure("reload of the unchanged file", took, "s", most=3)
    runs = max(lags.values())
    late = runs - lags[_LATE]
    remark = f"of {runs:,.0f}, from just before until {_SETTLED:g} s after"
    yield Figure(f"runs late by more than {1000 * _LATE:g} ms around it", late, most=0, remark=remark)


def _memory(running: Daemon) -> Figure:
    results = int((time.monotonic() - running.launched) / _INTERVAL)
    full = results >= _HISTORY
    remark = "" if full else f"not judged: {results} of the {_HISTORY} results that each check keeps are there"
    mib = resident_mib(running.pid)
    return Figure("resident memory, all processes", mib, "MiB", most=350 if full else None, remark=remark)


MANY = Row("many", "10,000 checks every 20 s", _measure)
