"""What a check costs among many and among few: CPU at the same total rate, and a small installation as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.bench.figures import Bench, Figure, Row
from tests.bench.machine import resident_mib
from tests.bench.monitor import Daemon, Spent, configuration, daemon

_FEW, _OFTEN = 1_000, 2.0
_MANY, _SELDOM = 10_000, 20.0
_SMALL, _SMALL_INTERVAL = 20, 30.0
_NEAR_NOTHING = 1.0
"""Per cent of a CPU; «near nothing» in a number."""


def _growth(bench: Bench) -> Iterator[Figure]:
    """Both daemons run at once, so that whatever the machine does meets both alike; CPU time is all that counts."""
    few, many = (
        configuration((f"{bench.target.http}{n}" for n in range(checks)), interval)
        for checks, interval in ((_FEW, _OFTEN), (_MANY, _SELDOM))
    )
    with daemon(bench.tree, few) as of_few, daemon(bench.tree, many) as of_many:
        bench.wait(1.5 * _SELDOM, "first results of both")
        with ThreadPoolExecutor() as threads:
            for scraped in (True, False):
                bench.say(f"measuring both, {'scraped every 5 s' if scraped else 'not scraped'}")

                seconds = bench.either(2 * _SELDOM, _SELDOM) if scraped else _SELDOM

                def spent(running: Daemon, seconds: float = seconds, scraped: bool = scraped) -> Spent:
                    return running.measure(seconds, scraped=scraped)

                yield _ratio(*threads.map(spent, (of_few, of_many)), scraped=scraped)


def _ratio(few: Spent, many: Spent, *, scraped: bool) -> Figure:
    what = "CPU per check at 10,000 ÷ at 1,000, " + ("scraped every 5 s" if scraped else "not scraped")
    remark = f"{many.per_run:.3f} : {few.per_run:.3f} ms; {many.runs:,} : {few.runs:,} checks"
    return Figure(what, many.per_run / few.per_run, "×", most=1.3 if scraped else None, remark=remark)


def _small(bench: Bench) -> Iterator[Figure]:
    text = configuration([bench.target.http] * _SMALL, _SMALL_INTERVAL)
    with daemon(bench.tree, text) as running:
        bench.wait(bench.either(_SMALL_INTERVAL, 5.0), "first results")
        bench.say("measuring, unscraped")
        spent = running.measure(bench.either(_SMALL_INTERVAL, 10.0), scraped=False)
        yield Figure("resident memory, all processes", resident_mib(running.pid), "MiB", most=90)
        yield Figure("idle CPU", spent.share, "% of a CPU", most=_NEAR_NOTHING)


GROWTH = Row("growth", "growth: 1,000 checks every 2 s and 10,000 every 20 s", _growth)
SMALL = Row("small", "small installations: 20 checks every 30 s", _small)
