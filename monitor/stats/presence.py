"""Tracks when this process, or an earlier one, was there to see anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from monitor.model.clock import Moment, stepped

_STILL = 3.0
"""Seconds without a heartbeat after which a gap is noted; heartbeats come at least once a second."""
_GAPS_KEPT = 100


class Presence:
    """Presence of this process; `gaps` are the latest stretches without it, in Unix seconds."""

    def __init__(self, now: Moment) -> None:
        self.last = now
        """The last sign of life."""
        self.gaps: deque[tuple[float, float]] = deque(maxlen=_GAPS_KEPT)
        self._lately: deque[tuple[float, float]] = deque(maxlen=_GAPS_KEPT)
        """The gaps since the clock was last put back: times of earlier ones may be shown again."""

    @classmethod
    def of(cls, stretches: Iterable[tuple[float, float]], now: Moment) -> Presence:
        """The presence of earlier processes, from stretches in the order of their beginning (Unix seconds)."""
        presence, reached = cls(now), None
        for began, until in stretches:
            if reached is not None and began > reached:
                presence._note(reached, began)
            reached = until if reached is None else max(reached, until)
        return presence

    def seen(self, now: Moment) -> None:
        """A sign of life; a clock that was set begins another stretch, maybe at an earlier time."""
        before, self.last = self.last, now
        if now.steady - before.steady > _STILL or now.slept - before.slept > _STILL:
            self._note(before.wall, now.wall)
        elif step := stepped(before, now):
            self._note(now.wall - step, now.wall)

    def _note(self, began: float, ended: float) -> None:
        self.gaps.append((began, ended))
        if ended < began:
            self._lately.clear()
        else:
            self._lately.append((began, ended))

    def since(self, start: float) -> bool:
        """True if the monitor ran without a gap from `start` (Unix seconds) until now."""
        return not self._lately or self._lately[-1][1] <= start

    def within(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """The stretches of [start, end) in which it was there."""
        for begin, over in self._lately:
            if begin >= end or over <= start:
                continue
            if begin > start:
                yield start, begin
            start = over
        if start < end:
            yield start, end
