"""Limits connections, in all and for each client; the one that has waited longest makes room for a new one.

A place waits while no whole request is there: between two requests, or while bytes of one drip in. A client that keeps
many connections open loses its own, oldest first, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_RESERVE = 16
"""Places beyond the others, for questions about the monitor itself: whether it lives, and its metrics."""


class Place:
    """One connection's place; `hang_up` ends the connection."""

    __slots__ = ("hang_up", "pool", "reserved")

    def __init__(self, pool: _Pool, reserved: bool) -> None:
        self.pool = pool
        self.reserved = reserved
        self.hang_up: Callable[[], object] = lambda: None


class _Pool:
    """The places of one client, or the reserve."""

    def __init__(self, client: str = "") -> None:
        self.client = client
        self.held: set[Place] = set()
        self.waiting: dict[Place, None] = {}
        """Places without a request, the longest wait first."""


class Places:
    """Hands out the places of one listener; an address is a client, and so is an IPv6 network of /64."""

    def __init__(self, most: int) -> None:
        self._reserve_size = max(1, min(_RESERVE, most // 4))
        self._most = most - self._reserve_size
        self._of_one = max(1, self._most * 3 // 4)  # a proxy in front is one client
        self._clients: dict[str, _Pool] = {}
        self._reserve = _Pool()
        self._held = 0

    def take(self, client: str) -> Place | None:
        """A place for a new connection of this client; None if every place is busy with a request."""
        pool = self._clients.get(client) or _Pool(client)
        if len(pool.held) >= self._of_one:
            free = self._made_room((pool,))
        else:
            free = self._held < self._most or self._made_room(self._clients.values())
        if free:
            self._clients[client] = pool
            self._held += 1
            return _seat(pool, reserved=False)
        if len(self._reserve.held) < self._reserve_size or self._made_room((self._reserve,)):
            return _seat(self._reserve, reserved=True)
        return None

    def wait(self, place: Place) -> None:
        """Marks a place as waiting for a request."""
        if place in place.pool.held:
            place.pool.waiting.pop(place, None)
            place.pool.waiting[place] = None

    def work(self, place: Place) -> None:
        """Marks a place as busy with a request."""
        place.pool.waiting.pop(place, None)

    def leave(self, place: Place) -> None:
        """Give the place back; a second time changes nothing."""
        pool = place.pool
        if place not in pool.held:
            return
        pool.held.discard(place)
        pool.waiting.pop(place, None)
        if place.reserved:
            return
        self._held -= 1
        if not pool.held:
            del self._clients[pool.client]

    def _made_room(self, pools: Iterable[_Pool]) -> bool:
        """Hang up on the longest waiting connection of the client that has most of them; whether there was one."""
        largest = max((pool for pool in pools if pool.waiting), key=lambda pool: len(pool.held), default=None)
        if largest is None:
            return False
        oldest = next(iter(largest.waiting))
        self.leave(oldest)
        oldest.hang_up()
        return True


def _seat(pool: _Pool, *, reserved: bool) -> Place:
    place = Place(pool, reserved)
    pool.held.add(place)
    pool.waiting[place] = None
    return place
