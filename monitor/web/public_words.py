"""Words the page for outsiders: in plain language, and never better than the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.model.clock import utc
from monitor.model.outcome import State
from monitor.web.public_view import Day, PublicIncident
from monitor.web.wording import span

WORDS = {
    State.UP: "up",
    State.DEGRADED: "slow",
    State.DOWN: "down",
    State.UNKNOWN: "unknown",
    State.MAINTENANCE: "maintenance",
    State.PAUSED: "paused",
}
_PHRASES = {
    State.DOWN: "down",
    State.DEGRADED: "slow",
    State.UNKNOWN: "in an unknown state",
    State.MAINTENANCE: "in planned maintenance",
}
"""The states that a sentence about everything names, the most urgent first."""


def worst(counts: Mapping[State, int]) -> State:
    """The state that everything together is in."""
    return next((state for state in _PHRASES if counts.get(state)), State.UP if counts.get(State.UP) else State.PAUSED)


def sentence(counts: Mapping[State, int]) -> str:
    """The state of everything: «All 9 services are up», «2 of 9 services are down, 1 is slow»."""
    whole = sum(count for state, count in counts.items() if state is not State.PAUSED)
    found = [(phrase, counts[state]) for state, phrase in _PHRASES.items() if counts.get(state)]
    if not whole:
        return "No service is watched at the moment"
    if not found:
        return "The service is up" if whole == 1 else f"All {whole:,} services are up"
    (phrase, count), *others = found
    if count == whole:
        return f"The service is {phrase}" if whole == 1 else f"All {whole:,} services are {phrase}"
    parts = [f"{count:,} of {whole:,} services {_are(count)} {phrase}"]
    parts += [f"{other:,} {_are(other)} {phrase}" for phrase, other in others]
    if counts.get(State.MAINTENANCE) == sum(count for _, count in found):
        parts.append("all others are up")
    return ", ".join(parts)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def date(at: float) -> str:
    """A day in UTC: «12 Nov»."""
    return f"{utc(at):%-d %b}"


def weekday(at: float) -> str:
    """A day in UTC with its weekday: «Thu 12 Nov»."""
    return f"{utc(at):%a %-d %b}"


def minute(at: float) -> str:
    """A time of day in UTC, to the minute."""
    return f"{utc(at):%H:%M}"


def until(at: float, begun: float) -> str:
    """The end of a stretch that began then: the time of day, with the day before it if that is another one."""
    return minute(at) if date(at) == date(begun) else f"{date(at)} {minute(at)}"


def outages(days: Sequence[Day]) -> str:
    """The days in words, for those who do not see the bars: «outages on 12 Nov (4 min) and 2 others»."""
    found = [f"{date(day.start)} ({span(day.down)})" for day in reversed(days) if day.down >= 1]
    if not found:
        return "no outage"
    more = f" and {len(found) - 5} other days" if len(found) > 5 else ""
    return f"outages on {', '.join(found[:5])}{more}"


def by_day(incidents: Sequence[PublicIncident]) -> list[tuple[str, list[PublicIncident]]]:
    """Incidents by the day on which they began, in the order in which they come."""
    found: dict[str, list[PublicIncident]] = {}
    for incident in incidents:
        found.setdefault(weekday(incident.started_at), []).append(incident)
    return list(found.items())
