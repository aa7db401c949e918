"""`python -m tests.bench`: the options, and what is printed."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import signal
import sys
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from rich.console import Console

from tests.bench import saturate
from tests.bench.cores import CORES
from tests.bench.cost import BACK_TO_BACK, COSTS
from tests.bench.figures import Bench, Figure, NotMeasured, Row
from tests.bench.growth import GROWTH, SMALL
from tests.bench.hanging import HANGING
from tests.bench.history import HISTORY
from tests.bench.honest import HONEST
from tests.bench.machine import described, foreign_cpu_seconds
from tests.bench.many import MANY
from tests.bench.soak import SOAK
from tests.bench.table import cells, markdown, show, write
from tests.bench.target import nginx

ROWS = (*COSTS, HONEST, HANGING, MANY, GROWTH, SMALL, HISTORY, CORES)
"""The table, in its order."""
_ALL = {row.name: row for row in (*ROWS, *BACK_TO_BACK, SOAK)}

_QUICK_SECONDS, _QUICK_ROUNDS = 3.0, 2
_LINES_OF_PROFILE = 40
_TOO_MUCH = 10.0
"""Per cent of a CPU that others may use while a row is measured."""
_WIDTH = 180
"""Characters of a line in a file."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or profile, as the options say."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # through every context, which ends the processes
        signal.signal(number, lambda *_: sys.exit("ended by a signal"))
    if options.profile:
        _profile(options.profile, options.seconds)
    else:
        _measure(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.bench", description=f"{__doc__} See docs/bench.md.")
    default = [row.name for row in ROWS]
    parser.add_argument("--only", choices=_ALL, nargs="+", default=default, metavar="ROW", help=", ".join(_ALL))
    parser.add_argument("--quick", action="store_true", help="a first impression of every row, in a few minutes")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each round of what is compared by turns")
    parser.add_argument("--rounds", type=int, default=4, help="how often contenders take turns")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak, which runs only by name")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout, instead of blackbox_exporter")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the table there as well")
    parser.add_argument("--profile", choices=["http", "https"], help="profile the path of a check instead")
    return parser


def _measure(options: argparse.Namespace) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    machine, began = described(), time.monotonic()

    def say(text: str) -> None:
        console.print(f"  {time.monotonic() - began:5.0f} s  {text}", highlight=False, markup=False)

    seconds, rounds = (_QUICK_SECONDS, _QUICK_ROUNDS) if options.quick else (options.seconds, options.rounds)
    against = options.against.resolve() if options.against else None
    with nginx() as target:
        bench = Bench(Path(__file__).parents[2], target, options.quick, say, against, seconds, rounds, options.minutes)
        rows = [(_ALL[name], _figures(_ALL[name], bench)) for name in options.only]
    show(rows, machine, console)
    if options.markdown:
        write(options.markdown, markdown(rows, machine))


def _figures(row: Row, bench: Bench) -> list[Figure]:
    """The figures of a row, each said as soon as it is there; what cannot be measured is a figure that says why."""
    figures: list[Figure] = []
    began, others = time.monotonic(), foreign_cpu_seconds()
    bench.say(f"── {row.title} ({row.name})")
    try:
        for figure in row.measure(bench):
            figures.append(figure)
            bench.say("   ".join(filter(None, cells(figure))))
    except (NotMeasured, OSError, HTTPException) as exc:  # the daemon may be too busy to answer at all
        bench.say(f"not measured: {exc!r}")
        figures.append(Figure("the rest" if figures else "all of it", None, remark=str(exc)))
    share = 100 * (foreign_cpu_seconds() - others) / (time.monotonic() - began)
    remark = "too much: what this row says of time is theirs as well" if share > _TOO_MUCH else ""
    figures.append(Figure("other programs meanwhile", share, "% of a CPU", remark=remark))
    bench.say("   ".join(filter(None, cells(figures[-1]))))
    return figures


def _profile(scheme: str, seconds: float) -> None:
    """Print where the time of a check goes; cProfile makes Python slower and C not, so it shows where, not how much."""
    profile = cProfile.Profile()
    with nginx() as target:
        profile.enable()
        _, runs = saturate.run(target.url(scheme), str(target.ca_file), seconds)
        profile.disable()
    Console().print(f"{runs} runs in {seconds:g} s")
    pstats.Stats(profile).sort_stats("tottime").print_stats(_LINES_OF_PROFILE)


if __name__ == "__main__":
    main()
