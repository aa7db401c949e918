"""Lets only one monitor write to a database: the lease is a row that the holder renews with every transaction."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from sqlalchemy import Double, bindparam, literal_column, or_, select, update
from sqlalchemy.engine import Connection

from monitor.history.tables import leases

_SECONDS = 15.0
"""Seconds until a lease ends that is not renewed."""
_WRONG = 60.0
"""Seconds ahead that no lease ends, unless the clock of the database was put back since."""
_NOW = {
    "postgresql": literal_column("extract(epoch FROM clock_timestamp())::double precision", Double),
    "sqlite": literal_column("(julianday('now') - 2440587.5) * 86400.0", Double),
}
"""Unix seconds by the clock of the database, so that no monitor's own clock decides."""


class Lease:
    """A lease. A process that takes it raises its epoch, so the last holder notices with its next transaction."""

    def __init__(self, dialect: str) -> None:
        self._insert = import_module(f"sqlalchemy.dialects.{dialect}").insert
        self._now = _NOW[dialect]
        self._name = ""
        self.holder = _this_process()
        self.before = ""
        """The process that held it before this one, empty if none did."""
        self._epoch = 0

    def take(self, connection: Connection, name: str) -> bool:
        """Takes the lease of this name if it is free, expired, or held by a process of this machine that has ended."""
        self._name = name
        held = connection.scalar(select(leases.c.holder).where(leases.c.name == self._name))
        ended = held if isinstance(held, str) and _has_ended(held) else self.holder
        until, now = self._now + _SECONDS, self._now
        wrong = leases.c.until > now + _WRONG
        free = or_(leases.c.until < now, wrong, leases.c.holder.in_([self.holder, ended]))
        taken = self._insert(leases).values(name=self._name, holder=self.holder, epoch=1, until=until)
        values = {"holder": self.holder, "epoch": leases.c.epoch + 1, "until": until}
        taken = taken.on_conflict_do_update(index_elements=["name"], set_=values, where=free)
        epoch = connection.scalar(taken.returning(leases.c.epoch))
        self._epoch = epoch or 0
        if epoch is not None and held != self.holder:
            self.before = str(held or "")
        return epoch is not None

    def renew(self, connection: Connection, seconds: float = _SECONDS) -> bool:
        """Renews the lease within the open transaction; False if another monitor has taken it."""
        mine = (leases.c.name == self._name, leases.c.holder == self.holder, leases.c.epoch == self._epoch)
        renewed = update(leases).where(*mine).values(until=self._now + bindparam("seconds", seconds, Double))
        return connection.execute(renewed).rowcount == 1

    def give_back(self, connection: Connection) -> None:
        """Lets others take the lease at once."""
        with connection.begin():
            self.renew(connection, -1.0)


def _this_process() -> str:
    """The boot of the machine, the namespace of process ids in it, the process id, its start, and a random number."""
    pid = os.getpid()
    return f"{_machine()} {pid} {_started(pid)} {uuid.uuid4().hex[:8]}"


def _has_ended(holder: str) -> bool:
    """True if this is a process of this machine that runs no more; what cannot be seen from here may run."""
    boot, namespace, pid, started, *_ = (*holder.split(), "", "", "", "")
    if f"{boot} {namespace}" != _machine() or not pid.isdecimal() or not 0 < int(pid) < _MOST:
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return _started(int(pid)) not in (started, _HIDDEN)


def _machine() -> str:
    """The boot of the machine, and the namespace of process ids in it."""
    try:
        return f"{_BOOT.read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.uuid4()} unknown"


def _started(pid: int) -> str:
    """Clock ticks from the boot to the start of a process; empty if it is about to vanish (proc(5))."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state in "ZX" else fields[18]
    except (OSError, IndexError, ValueError):
        return _HIDDEN


_BOOT = Path("/proc/sys/kernel/random/boot_id")
_HIDDEN = "hidden"
_MOST = 2**31
"""Process ids are below this."""
