"""What a second probe worker gives: more and more checks per second, until fewer succeed than are due."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from statistics import median

from tests.bench.figures import Bench, Figure, Row
from tests.bench.monitor import configuration, daemon, validated

_AIM = 1.5
_INTERVAL = 1.0
_FIRST, _STEP = 600.0, 1.25
"""Checks per second to begin with, and by how much the next try has more."""
_KEPT_UP = 0.95
_IN_FLIGHT = 64
"""Runs at a time: under too much load runs then wait for a slot and are skipped, and do not fail by their limits."""


def _measure(bench: Bench) -> Iterator[Figure]:
    what = "two workers ÷ one, checks per second"
    if validated(bench.tree, _text(bench, 1, 2))[1]:
        yield Figure(what, None, "×", least=_AIM, remark="not supported by this version: it has no [monitor] workers")
        return
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(round(bench.either(2, 1))):
        for workers, found in rates.items():
            found.append(_most(bench, workers, max(_FIRST, 0.6 * max(found, default=0.0))))
    one, two = (median(found) for found in rates.values())
    remark = f"{two:,.0f} : {one:,.0f} checks per second, nginx on the same {os.cpu_count()} CPUs"
    yield Figure(what, two / one, "×", least=_AIM, remark=remark)


def _most(bench: Bench, workers: int, rate: float) -> float:
    """The highest rate of successes."""
    most = 0.0
    while True:
        achieved = _achieved(bench, workers, round(rate))
        bench.say(f"{workers} worker{'s' if workers > 1 else ''}: {achieved:,.0f} of {rate:,.0f} checks per second")
        most = max(most, achieved)
        if achieved < _KEPT_UP * rate:
            return most
        rate *= _STEP


def _achieved(bench: Bench, workers: int, rate: int) -> float:
    with daemon(bench.tree, _text(bench, rate, workers)) as running:
        time.sleep(2 * _INTERVAL)
        before = running.scrape()
        time.sleep(bench.either(5.0, 2.0))
        after = running.scrape()
        ran, nothing = (
            after.total(name) - before.total(name) for name in ("probe_attempts_total", "probe_inconclusive_total")
        )
        failed = after.total("probe_failures_total") - before.total("probe_failures_total")
        return (ran - nothing - failed) / (after.at - before.at)


def _text(bench: Bench, rate: int, workers: int) -> str:
    urls = [f"{bench.target.http}{n}" for n in range(rate)]
    return configuration(urls, _INTERVAL, workers=workers, max_concurrency=_IN_FLIGHT)


CORES = Row("cores", "two cores: probe workers", _measure)
