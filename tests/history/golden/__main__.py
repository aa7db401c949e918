"""Prints what the present version stores of a short past: python -m tests.history.golden > golden/REVISION.json."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import tempfile
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from monitor.history.archive import Announcement
from monitor.history.tables import metadata
from monitor.model.incident import Acknowledgement
from tests.history.living import START, HeldClock, World, hold, spec
from tests.history.test_truth import reload


def packed(value: Any) -> Any:
    return {"b": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def dump(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [
            {name: packed(value) for name, value in row.items()} for row in connection.execute(select(table)).mappings()
        ]
        for table in metadata.tables.values()
    }


async def short_past(world: World) -> dict[str, list[dict[str, Any]]]:
    """Four checks, one of them renamed, two removed; two are down, one is acknowledged; nobody looked for 100 s."""
    async with world.life(spec("a"), spec("b"), spec("c"), spec("old")) as first:
        for name in ("a", "b", "c", "old"):
            await first.last(name, 8)
        first.live("b", 3, failing=True)
        first.live("b", 2)
        first.live("old", 3, failing=True)
        await first.keeper.notices.announce(Announcement("n1", "Orders are slow", "ana", START, None, ("shop", "api")))
        await first.keeper.notices.announce(Announcement("n2", "Over", "bob", START, START + 60))
        reload(first, spec("a"), spec("b"), spec("gone"), spec("new", was=("c",)))
        await first.write()
        await first.last("gone", 3)
        reload(first, spec("a"), spec("b"), spec("new", was=("c",)))
        await first.write()
    world.clock.forward(100)
    async with world.life(spec("a"), spec("b"), spec("new", was=("c",)), killed=True) as second:
        await second.last("a", 2)
        second.live("a", 2, failing=True)
        said = Acknowledgement("ana", "on it", world.clock().wall, world.clock().wall + 86400)
        incident = second.record("a").acknowledge(said)
        assert incident is not None
        second.keeper.acknowledged(second.record("a"), incident)
        await second.save()
        second.live("a", 2, failing=True)
        second.live("b", 2)
        second.live("new", 3, failing=True)
        await second.write()
        return await second.keeper._database.write(dump)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        hold(patch)
        found = asyncio.run(short_past(World(f"sqlite:///{folder}/history.db", HeldClock())))
        found.pop("leases")
        json.dump(found, sys.stdout, indent=0)
