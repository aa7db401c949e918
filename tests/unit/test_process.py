"""What is kept from the garbage collector for a while is not kept from it for good."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from monitor.process import settle_memory


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was before."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_what_was_under_way_during_a_reload_is_freed_in_the_end() -> None:
    running = Cycle()
    seen = weakref.ref(running)
    settle_memory()
    del running
    for _ in range(10):
        settle_memory()
    assert seen() is None
