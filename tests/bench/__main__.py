"""`python -m tests.bench`: the options, and what is printed."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench import saturate
from tests.bench.loads import LOADS, Comparison, Contest, Load
from tests.bench.machine import described
from tests.bench.table import cells, markdown, show
from tests.bench.target import nginx

_QUICK_SECONDS, _QUICK_ROUNDS = 3.0, 2
_LINES_OF_PROFILE = 40
_WIDTH = 140
"""Characters of a line in a file."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or profile, as the options say."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # through every context, which end the processes
    if options.profile:
        _profile(options.profile, options.seconds)
    else:
        _measure(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.bench", description=f"{__doc__} See docs/bench.md.")
    names = [load.name for load in LOADS]
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each round of each contender is measured")
    parser.add_argument("--rounds", type=int, default=4, help="how often they take turns")
    parser.add_argument("--only", choices=names, nargs="+", default=names, metavar="LOAD", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="a first impression: few and short rounds")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout, instead of blackbox_exporter")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as well")
    parser.add_argument("--profile", choices=["http", "https"], help="profile the path of a check instead")
    return parser


def _measure(options: argparse.Namespace) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    machine = described()
    seconds, rounds = (_QUICK_SECONDS, _QUICK_ROUNDS) if options.quick else (options.seconds, options.rounds)
    with nginx() as target:
        against = options.against.resolve() if options.against else None
        contest = Contest(target, against, seconds, rounds)
        loads = [load for load in LOADS if load.name in options.only]
        comparisons = [_compared(contest, load, console) for load in loads]
    show(comparisons, contest.opponent, machine, console)
    if options.markdown:
        options.markdown.write_text(markdown(comparisons, contest.opponent, machine))


def _compared(contest: Contest, load: Load, console: Console) -> Comparison:
    """Run all rounds of a load, and say how it stands after each."""
    for comparison in contest.compare(load):
        console.print(f"  {'   '.join(cells(comparison))}", highlight=False)
    return comparison


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
