"""Sums up a stretch of time in the figures that people report: availability, outages, percentiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.model.incident import Incident
from monitor.stats.tally import Tally, total


@dataclass(frozen=True, slots=True)
class Row:
    """One check, or all of them together; seconds, shares from 0 to 1, None for what is not known.

    `incidents` overlap the stretch; `ongoing` of them last. `mttr` is the mean length of those that ended within it,
    `longest` the longest of them within it. Unknown time within an incident is part of its length, not of `downtime`.
    """

    name: str
    availability: float | None
    coverage: float | None
    incidents: int
    ongoing: int
    downtime: float
    longest: float | None
    mttr: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    runs: int
    failures: int
    inconclusive: int
    maintenance: float
    paused: float
    title: str = ""

    @property
    def display_name(self) -> str:
        """The title of the check, or its name."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of [start, end), in Unix seconds; the total weighs every check by its known time."""

    start: float
    end: float
    rows: tuple[Row, ...]
    total: Row


def report(
    titles: Mapping[str, str], totals: Mapping[str, Tally], incidents: Iterable[Incident], start: float, end: float
) -> Report:
    """The figures of these checks, names with their titles, in their order; incidents of others are left out."""
    of_check: dict[str, list[Incident]] = {name: [] for name in titles}
    for one in incidents:
        if one.check in of_check and one.started_at < end and (one.ended_at is None or one.ended_at > start):
            of_check[one.check].append(one)
    period = (start, end)
    rows = tuple(_row(name, totals.get(name, Tally()), of_check[name], period, title=titles[name]) for name in titles)
    summed = total([totals.get(name, Tally()) for name in titles])
    every = [one for some in of_check.values() for one in some]
    return Report(start, end, rows, _row("all", summed, every, period, checks=len(titles)))


def _row(
    name: str, tally: Tally, incidents: list[Incident], period: tuple[float, float], *, checks: int = 1, title: str = ""
) -> Row:
    start, end = period
    ended = [one.ended_at - one.started_at for one in incidents if one.ended_at is not None and one.ended_at <= end]
    within = [min(one.ended_at or end, end) - max(one.started_at, start) for one in incidents]
    return Row(
        name=name,
        availability=tally.availability,
        coverage=tally.coverage((end - start) * checks),
        incidents=len(incidents),
        ongoing=sum(one.ended_at is None for one in incidents),
        downtime=tally.down,
        longest=max(within, default=None),
        mttr=sum(ended) / len(ended) if ended else None,
        p50=tally.percentile(0.5),
        p95=tally.percentile(0.95),
        p99=tally.percentile(0.99),
        runs=tally.runs,
        failures=tally.failures,
        inconclusive=tally.inconclusive,
        maintenance=tally.maintenance,
        paused=tally.paused,
        title=title,
    )


def percent(share: float | None) -> str:
    """«99.98 %»; never rounded up to a hundred, and an en dash for what is not known."""
    if share is None:
        return "–"
    hundredths = int(share * 10000 + 1e-9)
    return "100 %" if hundredths >= 10000 else f"{hundredths / 100:.2f} %"
