"""The seam of loops: what a turn raises is counted and logged, and neither ends the loop nor floods the log."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from monitor.system import supervision as supervised
from monitor.system.supervision import LOOPS, Turn, supervise
from monitor.system.systemd import Notifier
from tests.starvation import Starvation

EVENT = "internal error, the loop goes on"


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just begun."""
    monkeypatch.setattr(supervised, "failures", dict.fromkeys(LOOPS, 0))
    monkeypatch.setattr(supervised, "_process", supervised._Process())


class Turns:
    """A loop's turns, of which some raise; notes when each began."""

    def __init__(self, *raising: BaseException | None) -> None:
        self.left = list(raising)
        self.began: list[float] = []

    async def __call__(self) -> None:
        self.began.append(time.monotonic())
        if (error := self.left.pop(0)) is not None:
            raise error

    def pauses(self) -> list[float]:
        return [after - before for before, after in zip(self.began, self.began[1:], strict=False)]


async def test_a_loop_goes_on_after_whatever_a_turn_raises() -> None:
    turns = Turns(ImportError("gone"), None, RecursionError(), None, None)
    with capture_logs() as log:
        await supervise("worker", turns, lambda: bool(turns.left))
    assert len(turns.began) == 5
    assert supervised.failures["worker"] == 2
    assert [(line["event"], line["loop"], line["failures"]) for line in log] == [
        (EVENT, "worker", 1),
        (EVENT, "worker", 2),
    ]
    assert isinstance(log[0]["exc_info"], ImportError)


async def test_failures_in_a_row_come_at_longer_and_longer_pauses(starvation: Starvation) -> None:
    turns = Turns(*[ValueError()] * 3, None, ValueError(), None)
    await supervise("worker", turns, lambda: bool(turns.left))
    first, second, third, none, again = turns.pauses()
    assert first > 0.09
    assert second > 0.19
    assert third > 0.39
    assert none < 0.09 + starvation.seconds
    assert 0.09 < again < 0.19 + starvation.seconds


async def test_a_pause_is_no_longer_than_it_may_be() -> None:
    turns = Turns(*[ValueError()] * 40, None)
    async with asyncio.timeout(60):
        await supervise("accept", turns, lambda: bool(turns.left), longest=0.001)


async def test_a_cancellation_ends_a_loop() -> None:
    with pytest.raises(asyncio.CancelledError):
        await supervise("worker", Turns(asyncio.CancelledError()))
    with pytest.raises(KeyboardInterrupt), Turn("worker"):
        raise KeyboardInterrupt
    assert supervised.failures["worker"] == 0


def test_a_loop_with_many_turns_does_not_fill_the_disk() -> None:
    with capture_logs() as log:
        for _ in range(1000):
            with Turn("watchdog"):
                raise ValueError
        with Turn("beat"):
            raise ValueError
    assert supervised.failures["watchdog"] == 1000
    assert [line["loop"] for line in log] == ["watchdog"] * 10 + ["beat"]


def test_a_log_that_fails_ends_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def error(self, *_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(supervised, "_log", Full())
    with Turn("beat"):
        raise ValueError
    assert supervised.failures["beat"] == 1


def test_a_process_that_is_started_again_ends_without_memory() -> None:
    program = (
        "from monitor.system import supervision as supervised\n"
        "supervised.end_at(MemoryError)\n"
        "with supervised.Turn('worker'): raise ValueError\n"
        "with supervised.Turn('worker'): raise MemoryError\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, "still here" in done.stdout) == (1, False)


def test_a_manager_that_cannot_be_addressed_is_counted() -> None:
    Notifier({"NOTIFY_SOCKET": "/\ud800"}).status("fine")
    assert supervised.failures["notify"] == 1
