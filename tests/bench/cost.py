"""What a check costs beside blackbox_exporter: both take turns on the same load, and every round gives one ratio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Literal

from tests.bench.exporter import Driver, exporter
from tests.bench.figures import Bench, Figure, Row
from tests.bench.machine import cpu_seconds, resident_mib
from tests.bench.monitor import Spent, configuration, daemon, saturated

_WARM_UP = 3.0
"""Seconds of a load before it is measured: every check has run once then, and what is made once is made."""


@dataclass(frozen=True)
class Load:
    """Checks per second of one kind of target, None for as many as possible, and the aim: the highest ratio."""

    kind: Literal["http", "https", "ticketless"]
    rate: int | None
    most: float | None = None


@dataclass(frozen=True)
class _Sample:
    """What one contender spent in one round; memory is None where no whole daemon ran."""

    spent: Spent
    mib: float | None = None


def _row(load: Load) -> Row:
    rate = "back to back" if load.rate is None else f"{load.rate}/s"
    kind = {"ticketless": "HTTPS check without session tickets"}.get(load.kind, f"{load.kind.upper()} check")
    return Row(f"{load.kind}-{load.rate or 'max'}", f"CPU per {kind}, {rate}", partial(_measure, load))


def _measure(load: Load, bench: Bench) -> Iterator[Figure]:
    ours, theirs = list[_Sample](), list[_Sample]()
    for number in range(bench.rounds):
        ours.append(_monitor(load, bench, bench.tree))
        theirs.append(_monitor(load, bench, bench.against) if bench.against else _exporter(load, bench))
        round_ = f"round {number + 1} of {bench.rounds}"
        bench.say(f"{round_}: {ours[-1].spent.per_run:.3f} ms : {theirs[-1].spent.per_run:.3f} ms")
    ratios = [a.spent.per_run / b.spent.per_run for a, b in zip(ours, theirs, strict=True)]
    opponent = bench.against or "blackbox_exporter"
    remark = (
        f"{min(ratios):.2f}–{max(ratios):.2f}; {_milliseconds(ours)} : {_milliseconds(theirs)} ms; "
        f"{_runs(ours)} : {_runs(theirs)} checks; {_memory(ours)} : {_memory(theirs)} MiB"
    )
    yield Figure(f"monitor ÷ {opponent}", median(ratios), "×", most=load.most, remark=remark)


def _monitor(load: Load, bench: Bench, tree: Path) -> _Sample:
    url, ca_file = bench.target.url(load.kind), bench.target.ca_file
    if load.rate is None:
        return _Sample(saturated(tree, url, ca_file, bench.seconds))
    with daemon(tree, configuration([url] * load.rate, 1.0, ca_file=ca_file)) as running:
        time.sleep(_WARM_UP)
        spent = running.measure(bench.seconds, scraped=True)
        return _Sample(spent, resident_mib(running.pid))


def _exporter(load: Load, bench: Bench) -> _Sample:
    with exporter(bench.target) as (pid, port):
        driver = Driver(port, bench.target.url(load.kind))

        def drive(seconds: float) -> int:
            return driver.run(driver.saturated(seconds) if load.rate is None else driver.paced(load.rate, seconds))

        drive(_WARM_UP)
        before = cpu_seconds(pid)
        runs = drive(bench.seconds)
        spent = Spent(bench.seconds, cpu_seconds(pid) - before, runs, 0)
        return _Sample(spent, resident_mib(pid))


def _milliseconds(samples: list[_Sample]) -> str:
    return f"{median(s.spent.per_run for s in samples):.3f}"


def _runs(samples: list[_Sample]) -> str:
    nothing = sum(s.spent.inconclusive for s in samples)
    return f"{sum(s.spent.runs for s in samples):,}" + (f" (+ {nothing:,} inconclusive)" if nothing else "")


def _memory(samples: list[_Sample]) -> str:
    known = [s.mib for s in samples if s.mib is not None]
    return f"{median(known):.0f}" if known else "–"


COSTS = tuple(
    map(_row, (Load("http", 100, 0.45), Load("http", 600, 0.35), Load("https", 50, 0.7), Load("ticketless", 50, 1.0)))
)
BACK_TO_BACK = tuple(map(_row, (Load("http", None), Load("https", None))))
