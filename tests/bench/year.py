"""A year of synthetic history: what a daemon would have kept of checks that live as checks do, mostly well."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from monitor.model.incident import Incident, incident_id
from monitor.model.outcome import Reason
from monitor.model.result import Evidence, Phases, Result
from monitor.stats.rollups import DAY, HOUR, MINUTE, Stretch
from monitor.stats.tally import Tally
from tests.flat import flat_result

KEPT = {MINUTE: DAY, HOUR: 90 * DAY, DAY: 3 * 365 * DAY}
"""For how long the stretches of each length are kept, in seconds."""
_VARIANTS = 48
"""Different tallies of each kind; thousands of checks share them, for their sizes are what counts."""
_LATENCIES = (0.004, 0.03, 0.08, 0.25, 1.1)
_SPREAD, _SPIKES = 0.25, 0.02
"""Of the logarithm of a latency; and how many are three times as long."""
_BAD = {MINUTE: 0.002, HOUR: 0.01, DAY: 0.06}
"""How many stretches have an outage in them."""
_INCIDENT_EVERY = 15 * DAY


@dataclass(frozen=True)
class Life:
    """One check: its place among all of them, its name, and the seconds between its runs."""

    number: int
    name: str
    interval: float = 30.0

    def stretches(self, end: int, past: float) -> Iterator[Stretch]:
        """What is kept of so many seconds before `end` (Unix seconds, a multiple of a day), oldest first by length."""
        chance = random.Random(self.number)
        for step, kept in KEPT.items():
            for start in range(end - int(min(past, kept)) // step * step, end, step):
                bad = chance.random() < _BAD[step]
                variant = chance.randrange(_VARIANTS)
                yield Stretch(step, start, _tally(step, self.number % len(_LATENCIES), self.interval, variant, bad))

    def incidents(self, end: float, past: float) -> Iterator[Incident]:
        """Incidents before `end` (Unix seconds), oldest first, with what a failing run leaves."""
        chance = random.Random(-self.number - 1)
        began = end - past + chance.random() * _INCIDENT_EVERY
        while began < end - HOUR:
            lasted = math.exp(chance.gauss(5.5, 1.2))
            failed = _failed(self.name, began - 30)
            yield Incident(
                *(incident_id(self.name, began), self.name, began, failed.reason, failed.detail),
                ended_at=began + lasted,
                first=failed,
            )
            began += lasted + chance.expovariate(1 / _INCIDENT_EVERY)

    def results(self, end: float, count: int = 100) -> Iterator[Result]:
        """The last results before `end` (Unix seconds), oldest first."""
        for ago in range(count, 0, -1):
            took = _LATENCIES[self.number % len(_LATENCIES)]
            yield flat_result(
                *(self.name, end - ago * self.interval, Reason.OK, f"200 in {took * 1000:.0f} ms", took),
                Phases(*(took * share for share in (0.01, 0.13, 0.22, 0.6, 0.04))),
                status_code=200,
                http_version="1.1",
                remote_address="198.51.100.7:443",
                content_length=512,
                body_bytes=512,
                tls_version="TLSv1.3",
            )


def lives(count: int, interval: float = 30.0) -> list[Life]:
    """So many checks."""
    return [Life(number, f"service-{number:05}", interval) for number in range(count)]


@cache
def _tally(step: int, latency: int, interval: float, variant: int, bad: bool) -> Tally:
    """What a stretch held, counted from runs as the daemon counts them."""
    chance = random.Random(f"{step} {latency} {interval} {variant} {bad}")
    down = min(step * 0.5, math.exp(chance.gauss(5.5, 1.2))) if bad else 0.0
    tally = Tally(up=step - down, down=down)
    for _ in range(round(step / interval)):
        took = _LATENCIES[latency] * math.exp(chance.gauss(0, _SPREAD)) * (3 if chance.random() < _SPIKES else 1)
        failed = chance.random() < down / step
        tally.count(Result("", 0.0, Reason.REFUSED if failed else Reason.OK, "", None if failed else took))
    return tally


def _failed(name: str, at: float) -> Result:
    headers = (("content-type", "text/html; charset=utf-8"), ("server", "nginx"), ("retry-after", "30"))
    body = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>" + "<p>Sorry.</p>" * 60
    return flat_result(
        *(name, at, Reason.UNEXPECTED_STATUS, "status 503 instead of 2xx", 0.31),
        Phases(0.002, 0.03, 0.06, 0.21, 0.008),
        status_code=503,
        http_version="1.1",
        remote_address="198.51.100.8:443",
        evidence=Evidence(headers, body),
    )
