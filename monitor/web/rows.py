"""The overview, arranged: what is wrong first, by urgency, then everything else by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from monitor.live.view import CheckView, Overview
from monitor.model.incident import Acknowledgement
from monitor.model.outcome import State
from monitor.model.result import Ending
from monitor.rules.state import endings, ends_soon
from monitor.stats.availability import percent
from monitor.system.turns import turns
from monitor.web.overview_query import OverviewQuery
from monitor.web.paths import link
from monitor.web.selection import searched
from monitor.web.slots import bar
from monitor.web.wording import latency, plural, span

FEW = 40
"""Checks that fit on one screen: up to this number, groups are not folded."""
MANY = 1000
"""With more checks than this, healthy ones are listed only if a filter selects them."""
MOST = 200
"""Rows shown for a filter, or for trouble if checks are many: a longer list would not be read."""
PERIODS = (1, 7, 30, 90)
"""Days for which the availability is shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One check in the overview."""

    view: CheckView
    href: str
    bars: Markup
    availability: tuple[str, ...]
    """Availability in words, for each of `PERIODS`."""
    latency: str
    certificate: str
    ending: bool
    """True if the certificate ends soon."""
    lasted: str
    searched: str
    acknowledged: Acknowledgement | None

    @property
    def reason(self) -> str:
        """The code beside the sentence, empty unless the last conclusive run failed."""
        found = self.view.standing.conclusive
        return found.reason.value if found is not None and found.failed else ""


@dataclass(frozen=True, slots=True)
class Section:
    """Checks that something is wrong with, under one heading."""

    key: str
    title: str
    rows: list[Row]
    total: int


@dataclass(frozen=True, slots=True)
class Group:
    """The other checks of one group, unless they are too many to be listed; `counts` is over all of its checks."""

    title: str
    href: str
    rows: list[Row]
    counts: list[tuple[str, int]]
    total: int
    open: bool


@dataclass(frozen=True, slots=True)
class OverviewRows:
    """The whole overview."""

    sections: list[Section]
    groups: list[Group]
    waiting: int
    """Checks without any result yet."""
    first_results: str
    """Time until the last of them has a result."""
    whole: bool
    """True if every check is listed."""
    shown: int
    """The number of selected checks."""
    left_out: int
    """Selected checks left out for lack of room."""


_TITLES = {
    "down": "Down",
    "degraded": "Degraded",
    "failing": "Failing, not down yet",
    "unknown": "Unknown",
}


async def arrange(view: Overview, wanted: OverviewQuery) -> OverviewRows:
    """Put every check that is wanted where it belongs."""
    sorted_out = await _sorted_out(view, wanted)
    shown = sum(counts.total() for counts in sorted_out.counts.values())
    whole = shown <= MANY or bool(wanted.selection.groups or wanted.selection.words)
    room = _Room(MOST if wanted.selection or shown > MANY else shown)
    sections = []
    for key, checks in sorted_out.wrong.items():
        ordered = await _ordered(checks, _urgency if key == "down" and not wanted.sort else _order(wanted.sort))
        if rows := [_row(check, view.now) async for check in turns(room.take(ordered))]:
            sections.append(Section(key, _TITLES[key], rows, len(checks)))
    groups = await _groups(view, wanted, sorted_out, room if whole else None)
    waiting = sorted_out.waiting
    due = max((c.next_run_at or view.now for c in waiting), default=view.now)
    return OverviewRows(sections, groups, len(waiting), span(max(due - view.now, 1)), whole, shown, room.left_out)


class _Room:
    """Rows that may still be listed."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self.left_out = 0

    def take(self, checks: Sequence[CheckView]) -> Sequence[CheckView]:
        """The first of these for which there is room."""
        taken = checks[: self._rows]
        self._rows -= len(taken)
        self.left_out += len(checks) - len(taken)
        return taken


class _Sorted(NamedTuple):
    """The selected checks: those in trouble by heading, the others by group, and counts of all by group."""

    wrong: dict[str, list[CheckView]]
    rest: dict[str, list[CheckView]]
    counts: dict[str, Counter[str]]
    waiting: list[CheckView]


async def _sorted_out(view: Overview, wanted: OverviewQuery) -> _Sorted:
    found = _Sorted({key: [] for key in _TITLES}, {}, {}, [])
    async for check in turns(view.checks):
        if check not in wanted.selection:
            continue
        found.counts.setdefault(check.spec.group, Counter())[check.state.value] += 1
        if key := _wrong(check):
            found.wrong[key].append(check)
            continue
        found.rest.setdefault(check.spec.group, []).append(check)
        if _waiting(check):
            found.waiting.append(check)
    return found


async def _ordered(checks: Sequence[CheckView], key: Callable[[CheckView], Any]) -> list[CheckView]:
    """Sorted, in the order of the configuration where keys are equal; keys may take long to make."""
    keyed = [(key(check), number) async for number, check in turns(enumerate(checks))]
    return [checks[number] for _, number in sorted(keyed)]


def _order(sort: str) -> Callable[[CheckView], Any]:
    """Returns the sort key of checks; the worst, or newest, comes first."""
    if sort == "name":
        return lambda check: check.display_name.lower()
    if sort == "since":
        return lambda check: -check.standing.since
    if sort == "availability":
        return lambda check: _or_last(check.availability(30))
    if sort == "latency":
        return lambda check: -(last_latency(check) or 0.0)
    return lambda _check: 0


def _urgency(check: CheckView) -> tuple[bool, float]:
    """Sorts incidents without an acknowledgement first, then the longest."""
    incident = check.standing.incident
    cared_for = incident is not None and incident.acknowledgement(check.now) is not None
    return cared_for, check.standing.since


def _or_last(value: float | None) -> float:
    return math.inf if value is None else value


def _wrong(check: CheckView) -> str:
    """Returns the heading that a check is listed under; empty if nothing is wrong with it."""
    if check.state is State.UP and check.standing.consecutive_failures:
        return "failing"
    if check.state is State.UNKNOWN and _waiting(check):
        return ""
    return check.state.value if check.state.value in _TITLES else ""


def _waiting(check: CheckView) -> bool:
    return check.state is State.UNKNOWN and check.last is None


async def _groups(view: Overview, wanted: OverviewQuery, found: _Sorted, room: _Room | None) -> list[Group]:
    """The groups, with as many rows as there is room for; None if they are only counted."""
    few, asked = len(view.checks) <= FEW, bool(wanted.selection)
    several = len({check.spec.group for check in view.checks})
    groups = []
    for name, counts in found.counts.items():
        if name not in found.rest:
            continue
        title = _title(name, several)
        listed = room.take(await _ordered(found.rest[name], _order(wanted.sort))) if room else ()
        rows = [_row(check, view.now) async for check in turns(listed)]
        troubled = counts.total() <= FEW and bool(counts["down"] or counts["degraded"])
        href = link(f"/status?group={quote(name, safe='')}#g-{quote(title)}")
        groups.append(Group(title, href, rows, _by_urgency(counts), counts.total(), asked or few or troubled))
    return groups


def _title(group: str, groups: int) -> str:
    if group:
        return group
    return "No group" if groups > 1 else "All checks"


def _by_urgency(counts: Counter[str]) -> list[tuple[str, int]]:
    order = ("down", "degraded", "unknown", "maintenance", "paused", "up")
    return [(state, counts[state]) for state in order if counts[state]]


def _row(check: CheckView, now: float) -> Row:
    spec, incident = check.spec, check.standing.incident
    ending = latest_ending(check)
    left = None if ending is None else ending.not_after - now
    return Row(
        view=check,
        href=detail_path(check.name),
        bars=bar(check.slots),
        availability=tuple(percent(check.availability(days)) for days in PERIODS),
        latency=latency(last_latency(check)),
        certificate=certificate_words(left),
        ending=ending is not None and ends_soon(spec.route.tls, ending, now),
        lasted=span(now - check.standing.since),
        searched=searched(check),
        acknowledged=incident.acknowledgement(now) if incident else None,
    )


def detail_path(name: str) -> str:
    """Returns the path of a check's page; `?page` marks it where the name itself ends in `.json`."""
    return link(f"/status/{quote(name, safe='')}") + ("?page" if name.endswith(".json") else "")


def certificate_words(left: float | None) -> str:
    """Words the seconds until a certificate ends: «61 d», «ended 3 d ago»; empty if there is no certificate."""
    if left is None:
        return ""
    if left < 0:
        return f"ended {span(-left)} ago"
    return f"{left / 86400:.0f} d" if left >= 2 * 86400 else span(left)


def last_latency(check: CheckView) -> float | None:
    """Returns the duration of the last success in seconds, None if there is none."""
    return None if check.last_success is None else check.last_success.duration


def latest_ending(check: CheckView) -> Ending | None:
    """The certificate that ends first among those that count, as seen by the last run that saw any."""
    seen = check.history.certified
    return None if seen is None else min(endings(seen), key=lambda one: one.not_after, default=None)


def headline(view: Overview) -> str:
    """The state of everything in one sentence, for when there is nothing to list above the groups."""
    summary = view.summary
    running = len(view.checks) - summary["paused"] - summary["maintenance"]
    said = "The one check that runs is up" if running == 1 else (f"All {plural(running, 'check')} are up")
    aside = [f"{summary[s]} {w}" for s, w in (("paused", "paused"), ("maintenance", "in maintenance")) if summary[s]]
    return ", ".join([said, *aside])
