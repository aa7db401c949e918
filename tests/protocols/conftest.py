"""Checks of any protocol, on both event loops, with the fixtures of the HTTP checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.checks.conftest import ca_file, run, trusting

__all__ = ["ca_file", "run", "trusting"]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which event loops a test runs on: the two report a peer's faults by different ways."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
