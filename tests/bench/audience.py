"""Who looks at the daemon while it works: clients that come back regularly, and one that asks whether it is healthy."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.bench.figures import NotMeasured
from tests.bench.monitor import BROWSER, PROMETHEUS, Visitor

_LOOKS = {"/metrics": (PROMETHEUS, 2.0), "/status": (BROWSER, 5.0), "/status.json": (BROWSER, 5.0)}
_PAUSE = 0.005


@contextmanager
def audience(address: str) -> Iterator[None]:
    """Scrapes every 2 s, and page and JSON every 5 s, for as long as the context lasts."""
    with _meanwhile(*(_regular(address, path, *look) for path, look in _LOOKS.items())):
        yield


@contextmanager
def impatience(address: str) -> Iterator[list[float]]:
    """Asks all the time, over one connection, whether the daemon is healthy; the seconds that each answer took."""
    waits: list[float] = []
    visitor = Visitor(address)

    def ask() -> float:
        try:
            waits.append(visitor.get("/-/healthy")[0])
        except NotMeasured:  # it says that it is not healthy, which is worse than late
            waits.append(math.inf)
        return _PAUSE

    with _meanwhile(ask):
        yield waits


def _regular(address: str, path: str, headers: Mapping[str, str], every: float) -> Callable[[], float]:
    visitor = Visitor(address)

    def look() -> float:
        took, _ = visitor.get(path, dict(headers))
        return max(0.0, every - took)

    return look


@contextmanager
def _meanwhile(*works: Callable[[], float]) -> Iterator[None]:
    """Each in a thread again and again, with the pause in between that it returned; a failure of one is raised."""
    ended = threading.Event()
    failures: list[Exception] = []

    def repeat(work: Callable[[], float]) -> None:
        try:
            while not ended.wait(work()):
                pass
        except Exception as exc:  # noqa: BLE001 - raised again where it can be heard
            failures.append(exc)

    threads = [threading.Thread(target=repeat, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
