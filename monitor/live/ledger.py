"""Keeps the present of every check in memory: its standing, its last results and its counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from monitor.model.clock import Moment, stepped, system_clock
from monitor.model.incident import Acknowledgement, Ending, Incident
from monitor.model.outcome import FAILURES, Outcome, State
from monitor.model.result import Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.model.transition import Cause, Standing, Transition
from monitor.rules.due import DueTimes
from monitor.rules.maintenance import UNPLANNED, Plan
from monitor.rules.state import after, aged, beginning, maintained, reconfigured, shifted, without_evidence
from monitor.stats.meters import Latency
from monitor.stats.presence import Presence
from monitor.stats.result_log import History
from monitor.stats.rollups import Past

INCIDENTS_KEPT = 20
_CREDITED_EVERY = 30.0
"""Seconds after which time is counted to a state although no result came."""


class Record:
    """One check's past; changed only by the loop that runs the checks, and only whole values are put in its place."""

    __slots__ = (
        "attempts", "due_times", "exposed", "failures", "id", "incidents", "inconclusive", "last", "last_failure",
        "last_run_at", "last_success", "last_success_at", "latency", "past", "plan", "recent", "retry_at",
        "spec", "standing",
    )  # fmt: skip

    def __init__(
        self,
        spec: CheckSpec,
        monitor: MonitorSpec,
        now: Moment,
        plan: Plan = UNPLANNED,
        presence: Presence | None = None,
    ) -> None:
        self.spec = spec
        self.plan = plan
        self.past = Past(presence or Presence(now), now)
        self.standing: Standing = self._maintained(beginning(spec, now), now)
        self.last: Result | None = None
        self.recent = History(monitor.recent_results)
        self.incidents: tuple[Incident, ...] = ()
        """Incidents that have ended, newest first; only the newest with its evidence, which takes kilobytes."""
        self.attempts = 0
        self.failures: dict[Outcome, int] = dict.fromkeys(FAILURES, 0)
        self.inconclusive = 0
        self.latency = Latency.over(monitor.latency_buckets)
        self.last_run_at: float | None = None
        self.last_success_at: float | None = None
        self.last_success: Result | None = None
        self.last_failure: Result | None = None
        self.exposed: tuple[tuple[object, ...], tuple[str, ...]] | None = None
        """Its lines in the exposition, behind what they were made of; the metrics' own."""
        self.id: int | None = None
        """The id of the check in the history, which outlives its name; None until the history gives one."""
        self.due_times: DueTimes | None = None
        """None if it is not scheduled."""
        self.retry_at: float | None = None
        """Steady seconds at which a run follows a failure, None if the schedule has the next one."""

    def add(self, result: Result, now: Moment, runs: int = 1) -> Transition | None:
        """Take in a result that stands for `runs` runs (more than one only for runs that were missed together)."""
        self._count(result, runs)
        self.stand(now)
        self.past.count(result, now, runs)
        kept = without_evidence(result)
        self.last = kept
        self.recent = self.recent.add(result)
        self.last_run_at = now.wall
        if result.outcome is Outcome.SUCCESS:
            self.last_success_at = now.wall
            self.last_success = kept
        elif result.failed:
            self.last_failure = kept
        planned = self._maintained(self.standing, now)
        standing = after(planned, result, self.spec, now)
        cause = Cause.RESULT if result.conclusive else Cause.AGE
        return self._move(standing, now, self._cause(planned, standing, cause))

    def age(self, now: Moment) -> Transition | None:
        """Updates the state for the time that has passed: maintenance begins or ends, and results become too old."""
        if stepped(self.past.credited, now) or now.steady - self.past.credited.steady > _CREDITED_EVERY:
            self.stand(now)
        planned = self._maintained(self.standing, now)
        standing = aged(planned, self.spec, now)
        if standing is not self.standing:
            self.stand(now)
        return self._move(standing, now, self._cause(planned, standing, Cause.AGE))

    def forget(self, now: Moment) -> None:
        """Begins anew, as another monitor has looked meanwhile: its results go on here, or they would count twice."""
        self.past = Past(self.past.presence, now)
        self.recent = History(self.recent.limit)
        self.incidents = ()
        self.standing = self._maintained(beginning(self.spec, now), now)

    def resume(self, standing: Standing, now: Moment) -> Transition | None:
        """Continues from the stored standing, by the present configuration: a pause lasts since this process began."""
        if self.standing.state in (State.PAUSED, State.MAINTENANCE):
            now = now._replace(wall=min(now.wall, self.standing.since))
        self.standing = standing
        if self.spec.enabled is (standing.state is State.PAUSED):
            standing = reconfigured(standing, self.spec, self.spec, now)
        return self._move(self._maintained(standing, now), now, Cause.RESTORED)

    def adopt(self, standing: Standing, now: Moment) -> Transition | None:
        """Takes over a standing that joins the stored past with the results since the start."""
        return self._move(standing, now, Cause.RESTORED)

    def acknowledge(self, said: Acknowledgement | None) -> Incident | None:
        """Sets or withdraws the acknowledgement of the ongoing incident; None if there is no such incident."""
        incident = self.standing.incident
        if incident is None:
            return None
        incident = replace(incident, acknowledged=said)
        self.standing = replace(self.standing, incident=incident)
        return incident

    def reconfigure(self, spec: CheckSpec, monitor: MonitorSpec, now: Moment, plan: Plan) -> Transition | None:
        """Take on a changed specification, or other maintenance; the past stays."""
        if monitor.recent_results != self.recent.limit:
            self.recent = self.recent.within(monitor.recent_results)
        if monitor.latency_buckets != self.latency.bounds:
            self.latency = Latency.over(monitor.latency_buckets)
        self.stand(now)
        standing = self.standing if spec == self.spec else reconfigured(self.standing, self.spec, spec, now)
        if spec.name != self.spec.name:
            self.incidents = tuple(replace(one, check=spec.name) for one in self.incidents)
            if standing.incident is not None:
                standing = replace(standing, incident=replace(standing.incident, check=spec.name))
                self.standing = replace(self.standing, incident=standing.incident)
        self.spec, self.plan = spec, plan
        return self._move(self._maintained(standing, now), now, Cause.RELOAD)

    def remove(self, now: Moment) -> Transition | None:
        """Ends the incident of a check that is removed, if one lasts: nothing is known of the check from now on."""
        self.stand(now)
        unknown, incident = Standing(State.UNKNOWN, now.wall), self.standing.incident
        if incident is not None:
            return self._moved(unknown, now, Cause.RELOAD)
        self.standing = unknown
        return None

    def stand(self, now: Moment) -> None:
        """Counts the time until now to the state that held."""
        if step := self.past.stand(self.standing.state, now):
            self._follow(step)

    def _follow(self, step: float) -> None:
        """Puts times right after the wall clock was set: what is shown as ten seconds ago was ten seconds ago."""
        self.standing = shifted(self.standing, step)
        self.last_run_at = self.last_run_at and self.last_run_at + step
        self.last_success_at = self.last_success_at and self.last_success_at + step

    def _maintained(self, standing: Standing, now: Moment) -> Standing:
        return maintained(standing, self.spec, self.plan.at(now.wall) is not None, now)

    def _count(self, result: Result, runs: int) -> None:
        self.attempts += runs
        if not result.conclusive:
            self.inconclusive += runs
        elif result.failed:
            self.failures[result.outcome] += runs
        elif result.duration is not None:
            self.latency.observe(result.duration)

    @staticmethod
    def _cause(planned: Standing, standing: Standing, other: Cause) -> Cause:
        """Returns the cause of a transition that planned maintenance, applied first, may have brought about alone."""
        return Cause.MAINTENANCE if standing.state is planned.state else other

    def _move(self, standing: Standing, now: Moment, cause: Cause) -> Transition | None:
        if standing.state is self.standing.state:
            self.standing = standing
            return None
        return self._moved(standing, now, cause)

    def _moved(self, standing: Standing, now: Moment, cause: Cause) -> Transition:
        before, self.standing = self.standing, standing
        incident = standing.incident
        if before.incident is not None and incident is None:
            incident = before.incident.ended(now.wall, _ENDINGS.get(standing.state, Ending.RECOVERY))
            older = [replace(one, first=None) if one.first else one for one in self.incidents[: INCIDENTS_KEPT - 1]]
            self.incidents = (incident, *older)
        return Transition(self.spec.name, before, standing, now.wall, cause, incident, self.last, self.id)


_ENDINGS = {State.PAUSED: Ending.PAUSE, State.MAINTENANCE: Ending.MAINTENANCE, State.UNKNOWN: Ending.REMOVAL}
"""Endings of incidents by the state that follows; `unknown` ends an incident only when its check is removed."""


class Ledger:
    """The records of all checks, by name, in the order of the configuration."""

    def __init__(self, now: Moment | None = None) -> None:
        self._records: dict[str, Record] = {}
        self.presence = Presence(now or system_clock())

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, name: str) -> Record | None:
        """The record of a check, if it is configured."""
        return self._records.get(name)

    def apply(
        self, checks: Iterable[CheckSpec], monitor: MonitorSpec, now: Moment, plans: Mapping[str, Plan] | None = None
    ) -> list[Transition]:
        """Keeps the records of checks that stay or were renamed, begins those of new ones, and drops the others.

        Returns the changes of state. `plans` are the maintenance by the name of the check.
        """
        kept: dict[str, Record] = {}
        moved: list[Transition | None] = []
        for spec in checks:
            plan = (plans or {}).get(spec.name, UNPLANNED)
            # The file may not name a check in `was` that it has. So this change gives up a former name that was
            # configured until now, and renames its check, even onto the name of a check that is removed.
            record = next((self._records[name] for name in (*spec.was, spec.name) if name in self._records), None)
            if record is None:
                record = Record(spec, monitor, now, plan, self.presence)
            else:
                moved.append(record.reconfigure(spec, monitor, now, plan))
            kept[spec.name] = record
        staying = set(kept.values())
        moved += [record.remove(now) for record in self._records.values() if record not in staying]
        self._records = kept
        return [transition for transition in moved if transition is not None]
