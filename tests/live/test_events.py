"""The event bus: every subscriber is called, whatever the others do, and a slow reader loses the oldest events only."""

from __future__ import annotations

import pytest

from monitor.live.events import EventBus, RecordedResult
from monitor.model.outcome import State
from monitor.model.transition import Cause, Standing, Transition
from monitor.system import supervision
from tests.made import EPOCH, at, result

UP = Standing(State.UP, EPOCH)
RECORDED = RecordedResult("c", result(), 1, at(0), UP)
MOVED = Transition("c", Standing(State.UNKNOWN, EPOCH), UP, EPOCH, Cause.RESULT)


def failing(_: object) -> None:
    raise RuntimeError("a bug")


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    counted = dict.fromkeys(supervision.LOOPS, 0)
    monkeypatch.setattr(supervision, "failures", counted)
    return counted


async def test_a_subscriber_that_fails_is_counted_and_keeps_nothing_from_the_others(failures: dict[str, int]) -> None:
    bus, seen = EventBus(), list[object]()
    bus.on_result("history", failing)
    bus.on_result("retry", seen.append)
    bus.on_transition("log", failing)
    bus.on_transition("history", seen.append)
    with bus.queue() as queue:
        bus.result(RECORDED)
        bus.transition(MOVED)
        assert [event.value for event in await queue.next(1)] == [RECORDED, MOVED]
    assert seen == [RECORDED, MOVED]
    assert {loop: count for loop, count in failures.items() if count} == {"history": 1, "log": 1}


async def test_a_subscriber_is_called_with_what_it_subscribed_to() -> None:
    bus, results, transitions = EventBus(), list[object](), list[object]()
    bus.on_result("history", results.append)
    bus.on_transition("history", transitions.append)
    bus.transition(MOVED)
    bus.result(RECORDED)
    assert (results, transitions) == ([RECORDED], [MOVED])


async def test_a_slow_reader_loses_the_oldest_events_and_knows_how_many() -> None:
    bus = EventBus()
    with bus.queue() as slow, bus.queue() as quick:
        for _ in range(1000):
            bus.result(RECORDED)
        await quick.next(1)
        for _ in range(7):
            bus.transition(MOVED)
        assert (slow.lost, quick.lost) == (7, 0)
        assert [event.number for event in await slow.next(1)] == list(range(8, 1008))
        assert [event.number for event in await quick.next(1)] == list(range(1001, 1008))
    assert bus.queues == 0


async def test_the_end_of_the_bus_wakes_every_reader() -> None:
    bus = EventBus()
    with bus.queue() as queue:
        bus.close()
        assert bus.closed
        assert await queue.next(60) == []
