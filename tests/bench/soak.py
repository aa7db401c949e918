# ruff: noqa: E501
"""Hours in minutes: hostile targets, reloads, visitors that stay and that go, and what the daemon holds meanwhile."""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import psutil

from tests.bench.audience import audience
from tests.bench.figures import Bench, Figure, NotMeasured, Row
from tests.bench.hostile import hostile
from tests.bench.machine import family, resident_mib
from tests.bench.monitor import BROWSER, Daemon, Visitor, daemon
from tests.bench.scrape import Scrape

_COPIES = 4
_INTERVALS = ("100ms", "250ms", "500ms", "1s")
_USUAL = 60.0
"""Seconds between two runs of a check in use, by which runs are reckoned as days."""
_PATHS = [
    "/status",
    "/status/h-1",
    "/status/h-7.json",
    "/wall",
    "/incidents",
    "/report",
    "/api/v1/checks",
    "/api/v1/incidents",
]
_CUT_SHORT = [
    b"GET /status HT", b"\x16\x03\x01", b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
]  # fmt: skip
"""What visitors send who then go away."""
_STEP, _SAMPLED = 1.0, 0.5
_STRETCHES = 6
"""Each has some reloads: memory rises between two of them by what the collector of garbage has not looked at yet."""
_MOST = {"descriptors": 20.0, "memory": 10.0, "threads": 1.0, "files": 1.0}
"""By how much the line through the second half may rise. Runs in flight make it sway; a leak in one run of a thousand adds 60."""

Sample = dict[str, float]


def _measure(bench: Bench) -> Iterator[Figure]:
    with hostile() as urls, daemon(bench.tree, _configuration(urls, 0)) as running, audience(running.address):
        before = running.scrape()
        with _sampled(running) as samples:
            turns, slowest = _disturbed(bench, running, urls)
        after = running.scrape()
    yield from _work(before, after, turns)
    yield Figure("slowest page meanwhile", slowest, "s", remark="targets, daemon and visitors share the CPUs")
    for name, most in _MOST.items():
        yield _growth(name, most, samples[len(samples) // 2 :])


@contextmanager
def _sampled(running: Daemon) -> Iterator[list[tuple[float, Sample]]]:
    """What the daemon holds, twice a second for as long as the context lasts."""
    samples: list[tuple[float, Sample]] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLED):
            with suppress(psutil.NoSuchProcess):  # a child that has just ended
                samples.append((time.monotonic(), _held(running)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def _disturbed(bench: Bench, running: Daemon, urls: Sequence[str]) -> tuple[int, float]:
    """Disturb it for as long as the soak lasts; how often that was, and the seconds of the slowest page."""
    until, slowest = time.monotonic() + 60 * bench.minutes, 0.0
    turn = 0
    while time.monotonic() < until:
        turn += 1
        slowest = max(slowest, _disturb(running, urls, turn))
        if turn % 15 == 0:
            bench.say(", ".join(f"{name} {value:.0f}" for name, value in _held(running).items()))
        time.sleep(_STEP)
    return turn, slowest


def _configuration(urls: Sequence[str], turn: int) -> str:
    """Each target at four intervals; a part of the checks is another one after each turn."""
    lines = [
        "[monitor]\nmax_concurrency = 400",
        '[defaults]\nmax_redirects = 3\ntimeout = { connect = "80ms", read = "80ms", total = "90ms" }',
        'expect = { status = "100-999", body = { not_contains = "nothing" }, headers = { X-Odd = { optional = true, matches = "^x" } } }',
    ]
    for number, (url, copy) in enumerate(itertools.product(urls, range(_COPIES))):
        changing = f" {turn}" if number % 5 == 0 else ""
        name = f"h-{number}-{turn}" if number % 17 == 16 else f"h-{number}"
        lines.append(
            f'[[checks]]\nname = "{name}"\nurl = "{url}"\ninterval = "{_INTERVALS[copy]}"\ndescription = "t{changing}"'
        )
    return "\n".join(lines) + "\n"


def _disturb(running: Daemon, urls: Sequence[str], turn: int) -> float:
    """What happens in a minute of a bad day: pages, visitors that go away early, a reload; seconds of the slowest page."""
    visitor, slowest = Visitor(running.address), 0.0
    for path in random.sample(_PATHS, 3):
        began = time.monotonic()
        try:
            visitor.get(path, BROWSER)
        except (NotMeasured, HTTPException, OSError):
            visitor = Visitor(running.address)
        slowest = max(slowest, time.monotonic() - began)
    host, port = running.address.rsplit(":", 1)
    for request in _CUT_SHORT:
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(request)
    running.config.write_text(_configuration(urls, turn))
    Visitor(running.address).get("/-/reload", method="POST")
    return slowest


def _held(running: Daemon) -> Sample:
    """What the daemon holds now, with its children."""
    processes = [psutil.Process(pid) for pid in family(running.pid)]
    return {
        "descriptors": sum(process.num_fds() for process in processes),
        "memory": resident_mib(running.pid),
        "threads": sum(process.num_threads() for process in processes),
        "files": sum(1 for _ in Path(running.config).parent.iterdir()),
    }


def _work(before: Scrape, after: Scrape, turns: int) -> Iterator[Figure]:
    runs = after.total("probe_attempts_total") - before.total("probe_attempts_total")
    days = runs * _USUAL / 86400
    remark = f"as one check a minute makes in {days:,.0f} days, or {len(_INTERVALS) * 10} in {days / 40:,.1f}; {turns} reloads"
    yield Figure("runs against hostile targets", runs, remark=remark)
    name = "monitor_runs_inconclusive_total"
    yield Figure("internal errors", after.total(name, 'reason="internal_error"'), most=0)
    skipped = after.total("monitor_runs_skipped_total") - before.total("monitor_runs_skipped_total")
    yield Figure("runs that did not happen", skipped, remark="of an interval as short as the limit, and around reloads")


def _growth(name: str, most: float, samples: Sequence[tuple[float, Sample]]) -> Figure:
    """How much the line through the lowest samples of each stretch rises: what floods take for a moment is no growth."""
    size = max(1, len(samples) // _STRETCHES)
    stretches = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    points = [min((sample[name], at) for at, sample in stretch)[::-1] for stretch in stretches]
    rise = slope(points) * (samples[-1][0] - samples[0][0])
    values = [sample[name] for _, sample in samples]
    lows = ", ".join(f"{value:.0f}" for _, value in points)
    remark = f"{len(values)} samples up to {max(values):.0f}; the lowest of each stretch: {lows}"
    return Figure(
        f"{name}: growth in the second half", rise, "MiB" if name == "memory" else "", most=most, remark=remark
    )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line that fits the points best, by least squares; 0 if they are all at one place."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


SOAK = Row("soak", "a soak: every hostile target ten times a second, reloads and visitors", _measure)
