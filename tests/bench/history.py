"""The history: how large it becomes, and whether a year of it is opened as fast as a day."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from monitor.history.database import Database
from monitor.history.identities import StoredCheck
from monitor.history.rows import incident_row
from monitor.history.saved import encode
from monitor.history.statements import Row as Record
from monitor.history.statements import Statements, Writes
from monitor.stats.result_log import History
from monitor.stats.rollups import DAY, encode_tally
from tests.bench.figures import Bench, Figure, Row, quantile
from tests.bench.monitor import BROWSER, Visitor, daemon
from tests.bench.year import Life, lives

_YEAR, _MONTH = 365 * DAY, 30 * DAY
_BATCH = 5000
_LOOKS = 7


def _measure(bench: Bench) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-history-") as folder:
        year = Path(folder, "year.db")
        checks = round(bench.either(200, 40))
        bench.say(f"a year of {checks} checks is written")
        _written(year, lives(checks), _YEAR)
        size = 100 / checks * year.stat().st_size / 1e6
        yield Figure("100 checks for a year", size, "MB", most=200, remark=f"measured with {checks} checks")
        month, sample = Path(folder, "month.db"), round(bench.either(300, 60))
        bench.say(f"30 days of {sample} checks are written")
        _written(month, lives(sample), _MONTH)
        size = 10_000 / sample * month.stat().st_size / 1e9
        yield Figure("10,000 checks for 30 days", size, "GB", most=3, remark=f"from {sample} checks, every 30 s")
        yield from _opened(bench, year, lives(checks))


def _opened(bench: Bench, database: Path, checks: list[Life]) -> Iterator[Figure]:
    listed = "".join(f'[[checks]]\nname = "{life.name}"\nurl = "{bench.target.http}"\n' for life in checks)
    text = f'[monitor]\nhistory.url = "sqlite:///{database}"\n[defaults]\ninterval = "1h"\n{listed}'
    with daemon(bench.tree, text) as running:
        visitor = Visitor(running.address)
        name = checks[0].name
        pairs = {
            "the page of a check": (f"/status/{name}?range=24h", f"/status/{name}?range=90d"),
            "its history by the API": (
                f"/api/v1/checks/{name}/history?from=-24h",
                f"/api/v1/checks/{name}/history?from=-365d&step=86400",
            ),
            "the report of all": ("/api/v1/report?from=-24h", "/api/v1/report?from=-365d"),
        }
        for what, (day, longer) in pairs.items():
            short, long = _time(visitor, day), _time(visitor, longer)
            remark = f"{1000 * long:.0f} ms : {1000 * short:.0f} ms, the median of {_LOOKS}"
            yield Figure(
                f"{what}: {'90 days' if 'range' in longer else 'a year'} ÷ a day", long / short, "×", remark=remark
            )
            yield Figure(f"{what}, the longer one", long, "s", most=1)


def _time(visitor: Visitor, path: str) -> float:
    """The median of some, each when the answer before cannot be shared any more."""
    times = []
    for _ in range(_LOOKS):
        took, _body = visitor.get(path, BROWSER if path.startswith("/status") else {"Accept": "application/json"})
        times.append(took)
        time.sleep(6 * took)
    return quantile(times, 0.5)


def _written(path: Path, checks: list[Life], past: float) -> None:
    """Write what a daemon would have kept until now, in the order in which it would have written it."""
    asyncio.run(_write(path, checks, past))


async def _write(path: Path, checks: list[Life], past: float) -> None:
    end = int(time.time() // DAY) * DAY
    database = Database(f"sqlite:///{path}")
    await database.open()
    database.adopted()
    statements = Statements(database.dialect)
    rows = [
        {"step": one.step, "check_id": life.number + 1, "start": one.start, "tally": encode_tally(one.tally)}
        for life in checks
        for one in life.stretches(end, past)
    ]
    rows.sort(key=lambda row: row["start"] + row["step"])
    for start in range(0, len(rows), _BATCH):
        await database.write(partial(statements.write, writes=Writes(tallies=rows[start : start + _BATCH])))
    known = [StoredCheck(life.number + 1, life.name, end - past)._asdict() for life in checks]
    incidents = [row for life in checks for row in _incidents(life, end, past)]
    results = [row for life in checks for row in _results(life, end)]
    await database.write(partial(statements.write, writes=Writes(checks=known, incidents=incidents, results=results)))
    await database.close()


def _incidents(life: Life, end: float, past: float) -> Iterator[Record]:
    for one in life.incidents(end, past):
        yield incident_row(one, life.number + 1)


def _results(life: Life, end: float) -> Iterator[Record]:
    found = list(life.results(end))
    for start in range(0, len(found), 10):
        some, packed = found[start : start + 10], History(10)
        for result in some:
            packed = packed.add(result)
        times = {"first_at": some[0].started_at, "last_at": some[-1].started_at}
        yield {"check_id": life.number + 1, "failed": False, **times, "count": len(some), "data": encode(packed)}


HISTORY = Row("history", "the history", _measure)
