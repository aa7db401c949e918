"""Are the durations right and the runs on time? Each reported result is held against the target's own record.

Results come from `recent` of `/status/{check}.json`, one by one, and not from a histogram: the difference of a run from
the truth is exact that way, and a run that was never reported, or never made, is noticed.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator

from tests.bench.answerer import Answerer, Asked, answerer
from tests.bench.audience import audience
from tests.bench.figures import Bench, Figure, Row, bucket_quantile, quantile
from tests.bench.monitor import configuration, daemon
from tests.bench.scrape import Scrape, between

_CHECKS, _INTERVAL = 1000, 2.0
_DELAYS = (0, 5, 50, 200)
"""Milliseconds, by turns."""
_SLOT = 0.1
_ROUNDED = 0.002
"""`started_at` is told in milliseconds."""
_SPOILT = 0.005
"""If the target itself woke up so late, the 99th percentile of the difference is partly its own."""

Results = dict[str, list[tuple[float, float | None, str]]]
"""For each check: when each run started, what it reported as its duration, and its outcome."""


def _measure(bench: Bench) -> Iterator[Figure]:
    seconds = bench.either(40.0, 10.0)
    names = [f"check-{n}" for n in range(_CHECKS)]
    with answerer() as target:
        urls = [target.url(_DELAYS[n % len(_DELAYS)], name) for n, name in enumerate(names)]
        with daemon(bench.tree, configuration(urls, _INTERVAL)) as running, audience(running.address):
            bench.wait(2 * _INTERVAL, "warming up")
            before, begin = running.scrape(), time.time()
            bench.wait(seconds, "measuring")
            end, after = time.time(), running.scrape()
            time.sleep(1.0)  # what began last has ended
            bench.say("reading the results of every check")
            results: Results = {name: [] for name in names}
            for name, started, result in running.results(names, begin, end):
                results[name].append((started, result["duration_seconds"], result["outcome"]))
    yield from _durations(target, results, begin, end)
    yield from _starts(target, names, begin, end)
    yield from _lags(before, after)


def _durations(target: Answerer, results: Results, begin: float, end: float) -> Iterator[Figure]:
    errors, unlike = list[float](), 0
    for name, runs in results.items():
        asked = deque(sorted(target.by_name.get(name, [])))
        for started, duration, outcome in sorted(runs):
            request = request_of(asked, started, duration)
            if request is None or outcome != "success":
                unlike += 1
            else:
                errors.append(1000 * (duration or 0.0) - 1000 * request.delay)
    requests = sum(begin <= a.arrived < end for those in target.by_name.values() for a in those)
    late = quantile(target.late, 0.99)
    spoilt = "the target's own lag spoils this; " if late > _SPOILT else ""
    remark = f"{spoilt}the target itself woke up {1000 * late:.1f} ms late at p99"
    compared = f"{len(errors):,} reported runs, {requests:,} requests"
    yield Figure("reported − true delay, median", quantile(errors, 0.5), "ms", most=1.5, remark=compared)
    yield Figure("reported − true delay, p99", quantile(errors, 0.99), "ms", most=15, remark=remark)
    yield Figure("runs that failed or that the target knows nothing of", unlike, most=0)


def request_of(asked: deque[Asked], started: float, duration: float | None) -> Asked | None:
    """The request of a run, both in order of time; requests before it belong to no run that is still to come."""
    while asked and asked[0].arrived < started - _ROUNDED:
        asked.popleft()
    if asked and asked[0].arrived <= started + (duration or 0.0) + _ROUNDED:
        return asked.popleft()
    return None


def _starts(target: Answerer, names: list[str], begin: float, end: float) -> Iterator[Figure]:
    arrivals = {n: [a.arrived for a in target.by_name.get(n, []) if begin <= a.arrived < end] for n in names}
    expected = int((end - begin) / _INTERVAL)
    missing = sum(not expected - 1 <= len(times) <= expected + 2 for times in arrivals.values())
    yield Figure("checks with more or fewer requests than the interval ± 1", missing, most=0)
    slots = Counter(int((at - begin) % _INTERVAL / _SLOT) for times in arrivals.values() for at in times)
    even = sum(slots.values()) / (_INTERVAL / _SLOT)
    remark = "requests at the target, folded over the interval"
    yield Figure("busiest 100 ms ÷ its even share", max(slots.values()) / even, "×", most=1.5, remark=remark)


def _lags(before: Scrape, after: Scrape) -> Iterator[Figure]:
    name = "monitor_schedule_lag_seconds"
    lags = between(before.buckets(name), after.buckets(name))
    remark = f"{max(lags.values()):,.0f} runs; linear within a bucket of the histogram"
    yield Figure("start − due time, p99", 1000 * bucket_quantile(lags, 0.99), "ms", most=30, remark=remark)
    skipped = after.total("monitor_runs_skipped_total") - before.total("monitor_runs_skipped_total")
    yield Figure("runs skipped", skipped, most=0)


HONEST = Row("honest", "500 checks/s, scraped every 2 s, page and JSON every 5 s", _measure)
