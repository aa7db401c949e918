"""Fetches everything that a daemon reports on its checks, and compares it with the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.proof.acceptance import Incident
from tests.proof.comparison import Account, Figures, Row, Sighting, lost, problems
from tests.proof.roster import Check
from tests.proof.stage import Stage
from tests.proof.truth import RESUMES
from tests.service.daemon import eventually

PATIENCE = RESUMES + 30.0
"""Seconds until the API serves the history, once the database is back."""
WRONG = ("connection_error", "timeout", "unexpected_answer")
"""Outcomes that no target of this test causes."""


def seconds(text: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


class Audit:
    """Compares reports with the truth now and then, and remembers the reported incidents."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.sightings: dict[tuple[Incident, str | None], Sighting] = {}
        """The first sighting of each incident as it was reported."""
        self.problems: list[str] = []

    async def look(self, why: str) -> None:
        """Fetches and compares everything."""
        self._stage.note(f"look: {why}")
        await eventually(lambda: self._code("/api/v1/incidents"), lambda code: code == 200, PATIENCE)
        told: dict[str, Account] = {}
        notes: dict[str, str | None] = {}
        rows = await self._rows()
        for check in self._stage.roster.checks.values():
            if check.buried is None and check.key in self._stage.truth.subjects:
                told[check.key] = await self._of(check, notes, rows)
        found = [
            f"{self._stage.roster.checks[key].name} ({key}): {p}"
            for key, t in told.items()
            for p in self._of_check(key, t)
        ]
        found += lost(self._stage.truth, self.sightings.values(), told, notes)
        found += await self._strangers(told)
        found += await self._metrics()
        self.problems += [f"at the look {why!r}: {one}" for one in found]
        at = time.time()
        for key, one in told.items():
            for incident in one.incidents[-5:]:
                self._saw(Sighting(at, key, incident, notes.get(incident.id)))

    def _saw(self, one: Sighting) -> None:
        self.sightings.setdefault((one.incident, one.note), one)

    def _of_check(self, key: str, told: Account) -> Iterator[str]:
        return problems(self._stage.truth, self._stage.truth.subjects[key], told)

    async def acknowledge(self, pick: Any) -> None:
        """Acknowledges an ongoing incident."""
        code, text = await self._stage.daemon.get("/api/v1/incidents?state=ongoing")
        lasting = json.loads(text)["incidents"] if code == 200 else []
        keys = {check.name: check.key for check in self._stage.roster.configured}
        known = [one for one in lasting if one["check"] in keys]
        if not known:
            return
        one, note = pick.choice(known), f"note {pick.random():.6f}"
        path = f"/api/v1/incidents/{one['id']}/acknowledgement"
        code, text = await self._stage.daemon.get(path, method="PUT", json={"note": note})
        self._stage.note(f"acknowledge {one['check']} {one['id']}: {code}")
        if code == 200:
            for key, seen in self.sightings.items():
                if seen.incident.id == one["id"]:
                    self.sightings[key] = replace(seen, note=None)
            self._saw(Sighting(time.time(), keys[one["check"]], self._reported(one), note))

    # requests

    async def _rows(self) -> dict[str, Row]:
        """The report by check; none once the clock was set, as a report ends now."""
        began = time.time()
        report = await self._get(f"/api/v1/report?{self._period()}")
        asked, period = (began, time.time()), seconds(report["to"]) - seconds(report["from"])
        if len(self._stage.clock.steps) > 1:
            return {}
        return {
            row["name"]: Row(asked, (row["coverage"] or 0.0) * period, row["downtime_seconds"], row["availability"])
            for row in report["checks"]
        }

    async def _of(self, check: Check, notes: dict[str, str | None], rows: dict[str, Row]) -> Account:
        began = time.time()
        incidents = await self._incidents(f"check={check.name}")
        for one in incidents:
            notes[one["id"]] = one["acknowledged"] and one["acknowledged"]["note"]
        reported = sorted((self._reported(one) for one in incidents), key=lambda one: one.started)
        if not check.configured:
            return Account((began, time.time()), reported)
        state = (await self._get(f"/api/v1/checks/{check.name}"))["state"]
        slots = (await self._get(f"/api/v1/checks/{check.name}/history?{self._period()}&step=60"))["slots"]
        return Account((began, time.time()), reported, _figures(slots), rows.get(check.name), state)

    def _period(self) -> str:
        return "from={:.0f}&to={:.0f}".format(*self._stage.clock.shown)

    async def _incidents(self, query: str) -> list[Any]:
        found, cursor = [], ""
        while True:
            page = await self._get(f"/api/v1/incidents?limit=1000&{query}{cursor}")
            found += page["incidents"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def _get(self, path: str) -> Any:
        code, text = await self._stage.daemon.get(path)
        assert code == 200, (path, code, text)
        document = json.loads(text)
        self.problems += [f"{path}: {place} is {value}" for place, value in _negative(document)]
        return document

    async def _code(self, path: str) -> int:
        return (await self._stage.daemon.get(path))[0]

    def _reported(self, one: dict[str, Any]) -> Incident:
        ended = one["ended_at"] and seconds(one["ended_at"])
        return self._stage.clock.true(Incident(one["id"], seconds(one["started_at"]), ended))

    # across checks

    async def _strangers(self, told: dict[str, Account]) -> Iterator[str]:
        """Incidents without a check, or with two."""
        everything = await self._incidents("")
        ids = [one["id"] for one in everything]
        owners: dict[str, list[str]] = {}
        for key, one in told.items():
            for incident in one.incidents:
                owners.setdefault(incident.id, []).append(key)
        buried = max((check.buried or 0.0 for check in self._stage.roster.checks.values()), default=0.0)
        known = {incident.id for incident, _ in self.sightings}
        alone = [one for one in map(self._reported, everything) if one.id not in {*owners, *known}]
        found = [f"incident {one} is reported {ids.count(one)} times" for one in set(ids) if ids.count(one) > 1]
        found += [f"incident {name} is reported for {keys}" for name, keys in owners.items() if len(keys) > 1]
        lately = min((one.asked[0] for one in told.values()), default=0.0) - 1
        found += [f"incident is of no check: {one}" for one in alone if buried < one.started < lately]
        return iter(found)

    async def _metrics(self) -> list[str]:
        before = await self._stage.daemon.checks()
        metrics = await self._stage.daemon.metrics()
        after = await self._stage.daemon.checks()
        found = [f"metric {sample} is negative" for sample in metrics.samples if sample.value < 0]
        names = {check.name for check in self._stage.roster.configured}
        if set(after) != names or metrics.checks != names:
            found.append(f"checks are {sorted(names)}, reported are {sorted(after)} and {sorted(metrics.checks)}")
        metrics.assert_adds_up()
        for name, check in after.items():
            shown = metrics.value("probe_up", check=name)
            if check["state"] == before[name]["state"] and shown != {"up": 1.0, "down": 0.0}.get(check["state"]):
                found.append(f"probe_up of {name} is {shown} in state {check['state']}")
        return found


def _figures(slots: list[dict[str, Any]]) -> Figures:
    def total(*path: str) -> Any:
        return sum(slot[path[0]] if len(path) == 1 else slot[path[0]][path[1]] for slot in slots)

    return Figures(
        up=total("seconds", "up") + total("seconds", "degraded"),
        down=total("seconds", "down"),
        runs=total("runs"),
        inconclusive=total("inconclusive"),
        wrong=sum(total("failures", one) for one in WRONG),
        failures=total("failures", "http_error"),
    )


def _negative(document: Any, place: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _negative(value, f"{place}.{key}")
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from _negative(value, f"{place}[{number}]")
    elif isinstance(document, (int, float)) and document < 0:
        yield place, document
