"""Sets the wall clock of a daemon, and translates reported times into true ones."""

from __future__ import annotations

import struct
import time
from pathlib import Path

from tests.proof.acceptance import Incident
from tests.proof.spans import Span

AROUND = 2.0
"""Seconds around a step in which a time may belong to either side."""


class Clock:
    """The wall clock of a daemon; `library` lets it differ from the clock of the machine."""

    def __init__(self, folder: Path, library: Path | None) -> None:
        self._library = library
        self._file = folder / "ahead"
        self._file.write_bytes(struct.pack("d", 0.0))
        self.steps: list[tuple[float, float]] = [(0.0, 0.0)]
        """Pairs of a true time and the seconds by which the clock is ahead from then on."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the daemon; empty if its clock is never set."""
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "STEPPED_CLOCK": str(self._file)}

    @property
    def shown(self) -> Span:
        """A span that contains all times that the clock has shown."""
        now = time.time()
        return min(now + ahead for _, ahead in self.steps) - 3600, max(now + ahead for _, ahead in self.steps) + 60

    def set(self, ahead: float) -> None:
        """Sets the clock to the machine's time and these seconds."""
        with self._file.open("r+b") as file:  # in place: the daemon has it mapped
            file.write(struct.pack("d", ahead))
        self.steps.append((time.time(), ahead))

    def true(self, reported: Incident) -> Incident:
        """The incident in true time. An ongoing incident follows the clock, an ended one keeps its times."""
        ahead = self.steps[-1][1]
        if reported.ended is not None:
            ends = [*(at for at, _ in self.steps[1:]), time.time()]
            periods = zip(self.steps, ends, strict=True)
            fitting = [a for (since, a), end in periods if since - AROUND <= reported.ended - a <= end + AROUND]
            ahead = fitting[-1] if fitting else ahead
        ended = None if reported.ended is None else reported.ended - ahead
        return reported._replace(started=reported.started - ahead, ended=ended)
