"""Incidents of all checks beside each other in time, and which of them have one beginning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from monitor.history.archive import Outage
from monitor.model.incident import Incident
from monitor.rules.maintenance import Window
from monitor.web.wording import span

WIDTH, HEIGHT = 900, 14
_TOGETHER = 60.0
"""Seconds between two beginnings that may have one cause."""
_FEWEST = 3
MOST_LANES = 60


@dataclass(frozen=True, slots=True)
class Period:
    """The shown period: its names, and its length in seconds before now."""

    name: str
    words: str
    length: float


PERIODS = (
    Period("6h", "6 h", 6 * 3600.0),
    Period("24h", "24 h", 86400.0),
    Period("7d", "7 d", 7 * 86400.0),
    Period("30d", "30 d", 30 * 86400.0),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Incidents of several checks that began together, in the order in which they did."""

    incidents: tuple[Incident, ...]

    @property
    def started_at(self) -> float:
        """The time at which the first incident began, in Unix seconds."""
        return self.incidents[0].started_at

    def sentence(self, groups: Mapping[str, str]) -> str:
        """«14 checks went down within 40 s: shop (9), mail (5); refused ×11, response_timeout ×3»."""
        within = self.incidents[-1].started_at - self.started_at
        checks = {one.check for one in self.incidents}
        of_groups = Counter(groups.get(check) or "no group" for check in checks)
        reasons = Counter(one.reason.value for one in self.incidents)
        where = ", ".join(f"{group} ({count})" for group, count in of_groups.most_common(6))
        why = ", ".join(f"{reason} ×{count}" for reason, count in reasons.most_common(4))
        return f"{len(checks)} checks went down within {span(max(within, 1))}: {where}; {why}"


@dataclass(frozen=True, slots=True)
class Lane:
    """One check, with its title if it has one, and when it was down."""

    check: str
    title: str
    drawn: Markup
    ongoing: bool


def clusters(incidents: Iterable[Incident]) -> list[Cluster]:
    """Groups incidents that began together, the latest first; leaves out single ones."""
    found: list[list[Incident]] = []
    for one in sorted(incidents, key=lambda incident: incident.started_at):
        if found and one.started_at - found[-1][-1].started_at <= _TOGETHER:
            found[-1].append(one)
        else:
            found.append([one])
    several = (some for some in found if len({one.check for one in some}) >= _FEWEST)
    return [Cluster(tuple(some)) for some in several][::-1]


def together_with(incident: Incident, others: Iterable[Incident]) -> list[Incident]:
    """Incidents of other checks that began within two minutes of this one."""
    near = 2 * _TOGETHER
    return [o for o in others if o.check != incident.check and abs(o.started_at - incident.started_at) <= near]


def lanes(
    incidents: Sequence[Incident],
    start: float,
    end: float,
    outages: Iterable[Outage] = (),
    planned: Mapping[str, Sequence[Window]] | None = None,
    *,
    titles: Mapping[str, str] | None = None,
) -> list[Lane]:
    """A lane for each check, those that are down first, then by their latest incident."""
    of_check: dict[str, list[Incident]] = {}
    for one in sorted(incidents, key=lambda incident: (incident.ended_at is not None, -incident.started_at)):
        of_check.setdefault(one.check, []).append(one)
    unseen = "".join(_bar("gap", o.started_at, o.ended_at, start, end, "the monitor did not look") for o in outages)
    found = []
    for check, some in list(of_check.items())[:MOST_LANES]:
        windows = "".join(_bar("planned", w.starts, w.ends, start, end, w.name) for w in (planned or {}).get(check, ()))
        drawn = "".join(_bar("failed", o.started_at, o.ended_at or end, start, end, _said(o, end)) for o in some)
        title = (titles or {}).get(check, "")
        found.append(Lane(check, title, _svg(title or check, some, unseen + windows + drawn), some[0].ended_at is None))
    return found


def _said(one: Incident, end: float) -> str:
    return f"{span((one.ended_at or end) - one.started_at)}, {one.reason.value}"


def _bar(kind: str, begin: float, over: float, start: float, end: float, title: str) -> str:  # noqa: PLR0917  two stretches
    left, right = (max(0.0, min((at - start) / (end - start), 1.0)) * WIDTH for at in (begin, over))
    if over <= start or begin >= end:
        return ""
    y, height = (4, 6) if kind == "planned" else (0, HEIGHT)
    box = f'x="{left:.1f}" y="{y}" width="{max(right - left, 2):.1f}" height="{height}"'
    return f'<rect class="{kind}" {box}><title>{escape(title)}</title></rect>'


def _svg(check: str, some: Sequence[Incident], drawn: str) -> Markup:
    words = f"{check}: {len(some)} incident{'s' if len(some) > 1 else ''}"
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    return Markup(f'<svg class="lane" role="img" aria-label="{escape(words)}" {box}>{drawn}</svg>')  # noqa: S704
