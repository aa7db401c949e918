"""The queries of docs/history.md run on both databases, and say what happened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import text

from monitor.model.incident import Acknowledgement
from tests.history.living import START, Life, World, spec
from tests.history.test_truth import reload

DOCS = Path(__file__).parents[2] / "docs" / "history.md"


def documented() -> list[str]:
    found = re.findall(r"```sql\n(SELECT .*?);\n```", DOCS.read_text(), re.DOTALL)
    assert len(found) == 5
    return found


async def answers(life: Life, **values: Any) -> list[list[tuple[Any, ...]]]:
    database, found = life.keeper._database, []
    for query in documented():
        given = {name: value for name, value in values.items() if f":{name}" in query}
        rows = await database.write(lambda c, query=query, given=given: c.execute(text(query), given).all())
        found.append([tuple(row) for row in rows])
    return found


async def test_the_documented_queries_say_what_happened(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as life:
        life.live("a", 3)
        life.live("a", 3, failing=True)
        life.live("a", 1)
        life.live("b", 2, failing=True)
        incident = life.record("b").acknowledge(Acknowledgement("ana", "on it", world.clock().wall))
        assert incident is not None
        life.keeper.acknowledged(life.record("b"), incident)
        world.clock.forward(60)  # SIGSTOP
        life.ledger.presence.seen(world.clock())
        reload(life, spec("new", was=("a",)), spec("b"))
        life.live("new", 1)
        await life.write()
        lasting, long, reasons, events, outages = await answers(life, since=START, name="new")
    assert lasting == [("b", START + 90, "unexpected_status", "status 503 instead of 2xx", "ana")]
    assert [(name, count, round(minutes, 3)) for name, count, minutes in long] == [("new", 1, 0.333)]
    assert reasons == [("unexpected_status", 1, 20.0)]
    assert [(at - START, what, name) for at, what, name in events] == [
        (0, "created", "a"), (10, "up", "result"), (50, "down", "result"), (70, "up", "result"),
        (150, "renamed", "new"),
    ]  # fmt: skip
    assert [(at - START, until - START) for at, until in outages] == [(90, 150)]
