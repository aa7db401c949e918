"""Every key of the configuration, every metric, and every word of outcomes and states is found in docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor import __version__
from monitor.config import schema
from monitor.live.ledger import Ledger
from monitor.metrics import CheckCollector, Registry, Vitals
from monitor.model.clock import system_clock
from monitor.model.outcome import Outcome, Reason, State
from monitor.model.result import PHASE_NAMES

DOCS = Path(__file__).parents[2] / "docs"


@cache
def pages() -> str:
    """All pages of the documentation."""
    found = sorted(DOCS.glob("*.md"))
    if not found:
        pytest.fail("there is no docs/*.md")
    return "\n".join(page.read_text() for page in found)


@cache
def words() -> frozenset[str]:
    """Every word of the documentation, underscores within."""
    return frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", pages()))


def keys(node: Any, root: dict[str, Any], seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key of the configuration that a schema names."""
    if isinstance(node, list):
        for item in node:
            yield from keys(item, root, seen)
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if reference and reference not in seen:
        yield from keys(root["$defs"][reference.rpartition("/")[2]], root, (*seen, reference))
    for name, value in node.items():
        if name == "properties":
            yield from value
            for inner in value.values():
                yield from keys(inner, root, seen)
        elif name not in ("$defs", "default", "enum", "required", "description"):
            yield from keys(value, root, seen)


def test_every_key_of_the_configuration_is_documented() -> None:
    assert not set(keys(schema(), schema())) - words()


def metrics() -> set[str]:
    """The names of every family that is exposed, as a query writes them."""
    registry = Registry(CheckCollector(Ledger(), system_clock))
    Vitals(registry, __version__)
    ours = ("probe_", "monitor_")
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in registry.collect()
        if family.name.startswith(ours)
    }


def test_every_metric_is_documented() -> None:
    assert not metrics() - words()


def test_every_outcome_reason_state_and_phase_is_documented() -> None:
    assert not {*map(str, (*Reason, *Outcome, *State, *PHASE_NAMES))} - words()


@pytest.mark.parametrize("variable", ["MONITOR_CONFIG", "CREDENTIALS_DIRECTORY"])
def test_what_the_environment_steers_is_documented(variable: str) -> None:
    assert variable in words()


@pytest.mark.parametrize("signal", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_every_signal_is_documented(signal: str) -> None:
    assert signal in words()
