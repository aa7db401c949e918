"""The state of a check as a pure function of what it was, the result that came, and now."""

from __future__ import annotations

import math

from msgspec.structs import replace

from monitor.model.clock import Moment
from monitor.model.incident import Incident, incident_id
from monitor.model.outcome import State
from monitor.model.result import Ending, Result
from monitor.model.route import TlsSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Standing

STALE_AFTER_INTERVALS = 3
"""Intervals without a conclusive result after which the state is unknown."""


def beginning(spec: CheckSpec, now: Moment) -> Standing:
    """Returns the standing of a check before its first result."""
    return Standing(State.UNKNOWN if spec.enabled else State.PAUSED, now.wall)


def after(standing: Standing, result: Result, spec: CheckSpec, now: Moment) -> Standing:
    """Returns the standing after a result that ended now; an inconclusive one neither counts nor resets."""
    if standing.state is State.PAUSED:  # a run that was under way when the check was paused
        return standing
    if not result.conclusive:
        return aged(standing, spec, now)
    counted = replace(
        standing,
        consecutive_failures=standing.consecutive_failures + 1 if result.failed else 0,
        consecutive_successes=0 if result.failed else standing.consecutive_successes + 1,
        conclusive=without_evidence(result),
        concluded=now.steady,
        fresh_until=-math.inf,
        failing=((standing.consecutive_failures and standing.failing) or result) if result.failed else None,
        consecutive_slow=_slow_in_a_row(standing.consecutive_slow, result, spec),
    )
    if standing.state is State.MAINTENANCE:
        return replace(counted, consecutive_failures=0, consecutive_successes=0)
    return _moved(counted, _judged(counted, result, spec, now), now)


def maintained(standing: Standing, spec: CheckSpec, due: bool, now: Moment) -> Standing:
    """Returns the standing for maintenance that is `due` now, or not; a paused check stays paused.

    An incident ends where maintenance begins. Afterwards the check is judged afresh: a success of the maintenance is
    believed, a failure leaves open what the check is like, and is none of the `down_after` in a row.
    """
    if standing.state is State.PAUSED or due is (standing.state is State.MAINTENANCE):
        return standing
    fresh = replace(standing, consecutive_failures=0, consecutive_successes=0)
    if due:
        return _moved(fresh, State.MAINTENANCE, now)
    found = fresh.conclusive
    if found is None or found.failed or stale(fresh, spec, now):
        return _moved(fresh, State.UNKNOWN, now)
    return _moved(fresh, _good_or_degraded(fresh, found, spec, now), now)


def aged(standing: Standing, spec: CheckSpec, now: Moment) -> Standing:
    """Returns the standing without a new result: unknown, once the last conclusive result is too old."""
    if standing.state in (State.PAUSED, State.MAINTENANCE) or not stale(standing, spec, now):
        return standing
    return _moved(standing, State.UNKNOWN, now)


def reconfigured(standing: Standing, before: CheckSpec, spec: CheckSpec, now: Moment) -> Standing:
    """Returns the standing after a reload that changed the check from `before`.

    Results stay, and a pause begins or ends.
    """
    if not spec.enabled:
        return _moved(replace(standing, consecutive_failures=0), State.PAUSED, now)
    if standing.state is State.PAUSED:
        return Standing(State.UNKNOWN, now.wall, conclusive=standing.conclusive)
    if standing.concluded is None or spec.interval >= before.interval:
        return standing
    # By the shorter interval no run was due yet. But no number of reloads lets a check seem fresh for longer than three
    # of the longest interval that it had since its last conclusive result.
    due = now.steady + STALE_AFTER_INTERVALS * spec.interval
    return replace(standing, fresh_until=min(due, _fresh_until(standing, before)))


def shifted(standing: Standing, step: float) -> Standing:
    """Returns the standing by a clock that was set: its times keep their distance from now."""
    incident = standing.incident
    if incident is not None:
        incident = replace(incident, started_at=incident.started_at + step)
    return replace(standing, since=standing.since + step, incident=incident)


def undecided(standing: Standing, spec: CheckSpec) -> bool:
    """True if the check fails, but too few times in a row yet to be down."""
    settled = standing.incident is not None or standing.state is State.DOWN
    return not settled and 0 < standing.consecutive_failures < spec.down_after


def degradation(spec: CheckSpec, result: Result, now: float, slow_runs: int | None = None) -> str | None:
    """Returns why a success is degraded, in a sentence; None if it is not. `now` is Unix seconds.

    `slow_runs` is the number of slow runs in a row; None for a run that is judged alone.
    """
    slow = slowness(spec, result) if slow_runs is None or slow_runs >= spec.degraded_after else None
    return slow or expiry(spec, result, now)


def slowness(spec: CheckSpec, result: Result) -> str | None:
    """Returns a sentence on how a run exceeded `expect.latency`; None if it did not."""
    latency = spec.latency
    if latency is not None and result.duration is not None and result.duration > latency:
        return f"answered in {seconds(result.duration)}, expected within {seconds(latency)}"
    return None


def expiry(spec: CheckSpec, result: Result, now: float) -> str | None:
    """Names the first certificate that ends within `tls.expiry_warning`; None if none does. `now` is Unix time."""
    soon = [one for one in endings(result) if ends_soon(spec.route.tls, one, now)]
    if not soon:
        return None
    first = min(soon, key=lambda one: one.not_after)
    left = first.not_after - now
    return f"{first.what} ends in {in_words(left)}" if left > 0 else f"{first.what} ended {in_words(abs(left))} ago"


def endings(result: Result) -> tuple[Ending, ...]:
    """The ends of certificates that count: of each hop's chain, and of our own certificate."""
    found = result.endings
    if not found and result.certificates:  # a result of an older version, which knew no verified chain
        first = min(result.certificates, key=lambda one: one.not_after)
        found = (Ending("the certificate", first.not_before, first.not_after),)
    return (*found, result.client_ending) if result.client_ending is not None else found


def ends_soon(tls: TlsSpec, ending: Ending, now: float) -> bool:
    """True if a certificate ends within the warning, which is a time or a share of its lifetime."""
    warning = tls.expiry_warning
    if tls.expiry_share is not None:
        warning = tls.expiry_share * (ending.not_after - ending.not_before)
    return warning > 0 and ending.not_after - now < warning


def without_evidence(result: Result) -> Result:
    """The result as it is kept: only an incident holds the answer that began it."""
    return result if result.evidence is None else replace(result, evidence=None)


def seconds(value: float) -> str:
    """A duration as a person says it: «0.4 ms», «84 ms», «5.0 s»."""
    if value < 0.001:
        return f"{value * 1000:.1f} ms"
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.1f} s"


def in_words(length: float) -> str:
    """A length of time in seconds as people say it: «40 seconds», «90 minutes», «36 hours», «60 days»."""
    for unit, name in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if length >= 2 * unit:
            return f"{length / unit:,.0f} {name}s"
    return "1 second" if round(length) == 1 else f"{length:.0f} seconds"


def stale(standing: Standing, spec: CheckSpec, now: Moment) -> bool:
    """True if the last conclusive result is too old."""
    return standing.concluded is not None and now.steady > _fresh_until(standing, spec)


def _fresh_until(standing: Standing, spec: CheckSpec) -> float:
    assert standing.concluded is not None
    return max(standing.concluded + STALE_AFTER_INTERVALS * spec.interval, standing.fresh_until)


def _judged(standing: Standing, result: Result, spec: CheckSpec, now: Moment) -> State:
    before = standing.state if standing.incident is None else State.DOWN  # it may be unknown meanwhile
    if result.failed:
        return State.DOWN if standing.consecutive_failures >= spec.down_after else before
    if before is State.DOWN and standing.consecutive_successes < spec.up_after:
        return State.DOWN
    return _good_or_degraded(standing, result, spec, now)


def _good_or_degraded(standing: Standing, result: Result, spec: CheckSpec, now: Moment) -> State:
    return State.DEGRADED if degradation(spec, result, now.wall, standing.consecutive_slow) else State.UP


def _slow_in_a_row(before: int, result: Result, spec: CheckSpec) -> int:
    """A failure ends the row, unless that made the check degraded: below `down_after` the state stays what it was."""
    if result.failed:
        return before if before >= spec.degraded_after else 0
    return before + 1 if slowness(spec, result) else 0


def _moved(standing: Standing, state: State, now: Moment) -> Standing:
    if state is standing.state:
        return standing
    incident = _incident(standing, state, now)
    since = incident.started_at if incident is not None and state is State.DOWN else now.wall
    slow = 0 if state in (State.DOWN, State.MAINTENANCE) else standing.consecutive_slow
    return replace(standing, state=state, since=since, incident=incident, consecutive_slow=slow)


def _incident(standing: Standing, state: State, now: Moment) -> Incident | None:
    """Returns the incident in the new state: the one that lasts, a new one in `down`, None in a state that ends it."""
    if state not in (State.DOWN, State.UNKNOWN):
        return None
    found = standing.conclusive
    if standing.incident is not None or state is State.UNKNOWN or found is None:
        return standing.incident
    name = incident_id(found.check, now.wall)
    return Incident(name, found.check, now.wall, found.reason, found.detail, first=standing.failing)
