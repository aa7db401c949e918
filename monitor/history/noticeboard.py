"""Announcements of the team: what holds now is in memory too, since every page shows it."""

from __future__ import annotations

from msgspec import structs
from sqlalchemy import or_, select

from monitor.history.archive import Announcement
from monitor.history.database import Database
from monitor.history.rows import announcement_of, announcement_row
from monitor.history.statements import Statements, Writes
from monitor.history.tables import announcements
from monitor.history.unreadable import SkipLog


class Noticeboard:
    """Holds the announcements."""

    def __init__(self, database: Database, statements: Statements, skipped: SkipLog) -> None:
        self._database = database
        self._statements = statements
        self._skipped = skipped
        self._known: dict[str, Announcement] = {}

    def shown(self, now: float) -> tuple[Announcement, ...]:
        """Returns the announcements to show at this time (Unix seconds), newest first."""
        holding = (one for one in self._known.values() if one.shown(now))
        return tuple(sorted(holding, key=lambda one: -one.starts))

    async def load(self, now: float) -> None:
        """Loads the announcements that are valid now or will be later."""
        table = announcements.c
        asked = select(announcements).where(or_(table.ends.is_(None), table.ends > now))
        rows = await self._database.rows(asked, early=True)
        found = (announcement_of(row, self._skipped) for row in rows)
        self._known = {one.id: one for one in found if one is not None}

    async def announce(self, said: Announcement) -> None:
        """Announce it, in place of what was announced by the same id; raises HistoryError if it cannot be kept."""
        writes = Writes(announcements=[announcement_row(said)])
        await self._database.write(lambda connection: self._statements.write(connection, writes))
        self._known[said.id] = said

    async def withdraw(self, name: str, now: float) -> bool:
        """Ends an announcement now (Unix seconds); False if no announcement of this id is still valid."""
        said = self._known.get(name)
        if said is None or (said.ends is not None and said.ends <= now):
            return False
        await self.announce(structs.replace(said, ends=now))
        return True
