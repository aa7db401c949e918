"""The keys of checks.toml that only TCP has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from monitor.keys import types as keys
from monitor.keys.conflict import Conflict, place_conflicts
from monitor.keys.types import Table
from monitor.model.request import BasicAuth, Step, TcpDialogue

KEYS = (("tcp",),)


class StepTable(Table):
    """One step of a dialogue: waits for a line, then sends a text, then starts TLS; each if it is given."""

    expect: keys.Pattern | None = Field(default=None, description="A pattern (RE2) that a line of the server matches.")
    send: keys.Filled | None = Field(
        default=None, description='What to send, with its line end: "QUIT\\r\\n"; ${1} is a group of the pattern.'
    )
    starttls: bool = Field(default=False, description="Whether TLS starts now.")
    labels: keys.Labels = Field(default={}, description="Labels of probe_expect_info; ${1} is a group of the pattern.")


class TcpTable(Table):
    """The dialogue over the connection."""

    dialogue: list[StepTable] = Field(default=[], description="The steps, in order; without any, connecting is enough.")


class TcpKeys(Table):
    """The table of TCP in a check."""

    tcp: TcpTable = Field(default=TcpTable(), description="What is said over TCP.")


def request(table: TcpKeys, _: BasicAuth | None) -> TcpDialogue:
    """Returns what the table says."""
    return TcpDialogue(
        tuple(Step(step.expect, step.send, step.starttls, tuple(step.labels.items())) for step in table.tcp.dialogue)
    )


def conflicts(table: Any, _: dict[str, Any]) -> Iterator[Conflict]:
    """All contradictions of the URL and of the steps."""
    yield from place_conflicts(table.url)
    if sum(step.starttls for step in table.tcp.dialogue) > 1:
        yield Conflict((("tcp", "dialogue"),), "TLS is started more than once", "keep one step with `starttls`")
    for number, step in enumerate(table.tcp.dialogue, start=1):
        if step.expect is None and step.send is None and not step.starttls:
            message = f"step {number} says nothing"
            yield Conflict((("tcp", "dialogue"),), message, "give it `expect`, `send` or `starttls`")
        elif step.labels and step.expect is None:
            message = f"step {number} has labels, but no pattern that they could be taken from"
            yield Conflict((("tcp", "dialogue"),), message, "give it `expect` with groups")
