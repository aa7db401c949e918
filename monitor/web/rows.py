"""The overview, arranged: what is wrong first, by urgency, then everything else by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

from monitor.outcome import Certificate, State
from monitor.turns import turns
from monitor.view import CheckView, Overview
from monitor.web.bars import strip
from monitor.web.wording import latency, plural, span

PLACES = 30
"""Results shown in a row."""
FEW = 40
"""So many checks fit on one screen: their groups need not be folded."""
MANY = 1000
"""Of more checks than that, those that nothing is wrong with are listed only if somebody asks for them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which checks the address of the page asks for: a group, or words to search for."""

    group: str | None = None
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """As `?group=` and `?q=` say it."""
        return cls(query.get("group"), tuple(query.get("q", "").lower().split()))

    def __contains__(self, check: CheckView) -> bool:
        if self.words:
            text = searched(check)
            return all(word in text for word in self.words)
        return check.spec.group == self.group


@dataclass(frozen=True, slots=True)
class Row:
    """One check in the overview."""

    view: CheckView
    href: str
    bars: Markup
    latency: str
    certificate: str
    ending: bool
    """Whether the certificate is a worry."""
    lasted: str
    searched: str

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
class Arranged:
    """The whole overview."""

    sections: list[Section]
    groups: list[Group]
    waiting: int
    """Checks without any result yet."""
    first_results: str
    """How long until the last of them has one."""
    whole: bool
    """Whether every check is listed."""


_TITLES = {
    "down": "Down",
    "degraded": "Degraded",
    "failing": "Failing, not down yet",
    "unknown": "Unknown",
}


async def arrange(view: Overview, wanted: Wanted) -> Arranged:
    """Put every check where it belongs."""
    placed: dict[str, list[Row]] = {key: [] for key in _TITLES}
    rest: dict[str, list[Row]] = {}
    whole = len(view.checks) <= MANY
    waiting = []
    async for check in turns(view.checks):
        if key := _wrong(check):
            placed[key].append(_row(check, view.now))
            continue
        rows = rest.setdefault(check.spec.group, [])
        if whole or check in wanted:
            rows.append(_row(check, view.now))
        if _waiting(check):
            waiting.append(check)
    placed["down"].sort(key=lambda row: row.view.standing.since)
    due = max((c.next_run_at or view.now for c in waiting), default=view.now)
    return Arranged(
        [Section(k, _TITLES[k], rows) for k, rows in placed.items() if rows],
        _groups(view, rest, asked=not whole),
        len(waiting),
        span(max(due - view.now, 1)),
        whole,
    )


def _wrong(check: CheckView) -> str:
    """Under which heading a check stands; empty for one that nothing is wrong with."""
    if check.state is State.UP and check.standing.consecutive_failures:
        return "failing"
    if check.state is State.UNKNOWN and _waiting(check):
        return ""
    return check.state.value if check.state.value in _TITLES else ""


def _waiting(check: CheckView) -> bool:
    return check.state is State.UNKNOWN and check.last is None


def _groups(view: Overview, rest: dict[str, list[Row]], *, asked: bool) -> list[Group]:
    counted: dict[str, Counter[str]] = {}
    for check in view.checks:
        counted.setdefault(check.spec.group, Counter())[check.state.value] += 1
    few = len(view.checks) <= FEW
    return [
        Group(
            _title(name, len(counted)),
            f"/status?group={quote(name, safe='')}#g-{quote(_title(name, len(counted)))}",
            rest[name],
            _by_urgency(counts),
            counts.total(),
            asked or few or (counts.total() <= FEW and bool(counts["down"] or counts["degraded"])),
        )
        for name, counts in counted.items()
        if name in rest
    ]


def _title(group: str, groups: int) -> str:
    if group:
        return group
    return "No group" if groups > 1 else "All checks"


def _by_urgency(counts: Counter[str]) -> list[tuple[str, int]]:
    order = ("down", "degraded", "unknown", "maintenance", "paused", "up")
    return [(state, counts[state]) for state in order if counts[state]]


def _row(check: CheckView, now: float) -> Row:
    spec = check.spec
    certificate = latest_certificate(check)
    left = None if certificate is None else certificate.not_after - now
    return Row(
        check,
        detail_path(check.name),
        strip(check.recent, spec.interval, spec.expect.latency, PLACES),
        latency(last_latency(check)),
        certificate_words(left),
        left is not None and left < spec.tls.expiry_warning,
        span(now - check.standing.since),
        searched(check),
    )


def searched(check: CheckView) -> str:
    """What the words of a search are looked for in."""
    spec = check.spec
    labels = (f"{key}={value}" for key, value in spec.labels)
    return " ".join((check.name, spec.group, check.state.value, *labels)).lower()


def detail_path(name: str) -> str:
    """Where one check is shown; a check whose very name ends in `.json` has to say that its page is meant."""
    return f"/status/{quote(name, safe='')}" + ("?page" if name.endswith(".json") else "")


def certificate_words(left: float | None) -> str:
    """How long a certificate still holds, given in seconds: «61 d», «ended 3 d ago»; empty if there is none."""
    if left is None:
        return ""
    if left < 0:
        return f"ended {span(-left)} ago"
    return f"{left / 86400:.0f} d" if left >= 2 * 86400 else span(left)


def last_latency(check: CheckView) -> float | None:
    """How long the last success took."""
    return None if check.last_success is None else check.last_success.duration


def latest_certificate(check: CheckView) -> Certificate | None:
    """The certificate of the chain that ends first, as seen by the last run that saw any."""
    return min(check.history.chain, key=lambda c: c.not_after, default=None)


def headline(view: Overview) -> str:
    """The state of everything in one sentence, for when there is nothing to list above the groups."""
    summary = view.summary
    running = len(view.checks) - summary["paused"] - summary["maintenance"]
    said = "The one check that runs is up" if running == 1 else (f"All {plural(running, 'check')} are up")
    aside = [f"{summary[s]} {w}" for s, w in (("paused", "paused"), ("maintenance", "in maintenance")) if summary[s]]
    return ", ".join([said, *aside])
