"""The waterfall: bars in proportion, nothing invisible, and the phase that broke marked."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from monitor.model.answer import Hop
from monitor.model.outcome import Reason
from monitor.model.result import Phases, Result
from monitor.terminal.waterfall import BAR_LIMIT, broken_phase, milliseconds, waterfall
from tests.flat import flat_result

WHOLE = Phases(0.001, 0.009, 0.02, 0.05, 0.02)


def result(reason: Reason = Reason.OK, phases: Phases = WHOLE, **more: object) -> Result:
    return flat_result("x", 0.0, reason, "", duration=sum(v or 0 for _, v in phases.items()), phases=phases, **more)  # type: ignore[arg-type]


def drawn(found: Result, width: int = 100) -> dict[str, str]:
    """The lines by phase."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(waterfall(found, width))
    return {line.split()[0]: line.rstrip() for line in captured.get().splitlines()}


def bar(line: str) -> tuple[int, int]:
    """First column and length of a bar."""
    found = [column for column, char in enumerate(line) if char in "▏▎▍▌▋▊▉█"]
    return found[0], len(found)


def test_bars_follow_each_other_and_are_as_long_as_their_phase() -> None:
    lines = drawn(result())
    starts = {phase: bar(line) for phase, line in lines.items() if phase != "total"}
    zero = starts["resolve"][0]
    assert starts["processing"][0] - zero == pytest.approx(BAR_LIMIT * 0.3, abs=1)
    assert starts["processing"][1] == pytest.approx(BAR_LIMIT * 0.5, abs=1)
    assert starts["transfer"][0] - zero == pytest.approx(BAR_LIMIT * 0.8, abs=1)
    assert sum(starts["transfer"]) - zero <= BAR_LIMIT


def test_the_shortest_phase_is_seen() -> None:
    lines = drawn(result(phases=Phases(1e-6, 1e-6, 1e-6, 10.0, 1e-6)))
    assert bar(lines["resolve"])[1] == 1
    assert bar(lines["transfer"])[1] == 1


def test_figures_line_up() -> None:
    lines = drawn(result(phases=Phases(0.0004, 0.0112, 0.02, 4.98, None)))
    assert len({line.index("ms") for line in lines.values() if "ms" in line}) == 1
    assert "4,980.0 ms" in lines["processing"]


def test_an_unreached_phase_is_a_dash() -> None:
    lines = drawn(result(Reason.REFUSED, Phases(0.001, 0.002)))
    assert lines["tls"].split() == ["tls", "–"]
    assert lines["connect"].endswith("× refused")


def test_a_phase_that_broke_before_it_took_time_is_marked_where_it_would_be() -> None:
    lines = drawn(result(Reason.ADDRESS_DENIED, Phases(0.001)))
    assert lines["connect"].index("×") > bar(lines["resolve"])[0] + 10


def test_without_any_time_nothing_is_divided_by_it() -> None:
    assert drawn(result(Reason.LOCAL_RESOURCES, Phases()))["total"].split() == ["total", "0.0", "ms"]


@pytest.mark.parametrize("width", [40, 60, 100, 4096])
@pytest.mark.parametrize("reason", [Reason.OK, Reason.TLS_CERTIFICATE_NOT_YET_VALID])
def test_lines_fit(width: int, reason: Reason) -> None:
    lines = drawn(result(reason, hops=(Hop("GET", "http://a/", 302), Hop("GET", "http://b/", 200))), width)
    assert all(len(line) <= min(width, 130) for line in lines.values())


def test_every_connection_error_and_timeout_has_a_phase_and_no_other_outcome_needs_one() -> None:
    for reason in Reason:
        marked = broken_phase(result(reason))
        if reason.outcome in ("connection_error", "timeout"):
            assert marked is not None
        if reason.outcome in ("success", "inconclusive") or reason.startswith("unexpected"):
            assert marked is None


def test_what_can_break_anywhere_is_marked_where_it_got_to() -> None:
    assert broken_phase(result(Reason.RESET, Phases(0.1, 0.1))) == "connect"
    assert broken_phase(result(Reason.RESET)) == "transfer"
    assert broken_phase(result(Reason.TOTAL_TIMEOUT, Phases())) == "resolve"


def test_milliseconds() -> None:
    assert [milliseconds(v) for v in (0.0, 0.00044, 0.0123, 12.3456)] == ["0.0 ms", "0.4 ms", "12.3 ms", "12,345.6 ms"]
