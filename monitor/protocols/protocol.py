"""Defines what the rest of the monitor knows of a protocol: its keys, its run, its facts and its metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.keys.conflict import Conflict
from monitor.keys.shape import Path
from monitor.keys.types import Table
from monitor.model.answer import Answer, Hop
from monitor.model.outcome import Outcome
from monitor.model.request import BasicAuth, Request
from monitor.model.result import Result
from monitor.model.spec import CheckSpec

if TYPE_CHECKING:
    from monitor.net.run import Run
    from monitor.protocols.resources import Resources

Labels = tuple[tuple[str, str], ...]
Tree = dict[str, Any]
Client = Callable[["Run", "Resources"], Awaitable[Result]]
"""Runs a check once. Raises only if the program has a bug, or CancelledError."""


class Facts(NamedTuple):
    """The facts of an answer: words for people, keys of a JSON document for programs.

    `status` stands in a narrow column, `headline` above the answer. `requests` are those that were made, if there can
    be several.
    """

    status: str = "–"
    headline: str = ""
    words: tuple[str, ...] = ()
    requests: tuple[Hop, ...] = ()
    document: Mapping[str, object] = {}
    details: Mapping[str, object] = {}
    """Keys of the detailed document only."""


class Option(NamedTuple):
    """The options of `monitor probe` and of curl for one setting; curl gets the same words unless it has its own."""

    probe: tuple[str, ...]
    curl: tuple[str, ...] | None = None


class Gauge(NamedTuple):
    """A metric family that is read off the last conclusive result; absent where that is None."""

    name: str
    help: str
    read: Callable[[Result], float | None]


class GaugePerLabel(NamedTuple):
    """A metric family with one sample for each value of a label."""

    name: str
    help: str
    label: str
    values: tuple[str, ...]
    read: Callable[[Result], Sequence[float]]


class Info(NamedTuple):
    """A metric family whose value is always 1; absent where the labels are None."""

    name: str
    help: str
    read: Callable[[Result], Labels | None]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol. Everything else that says how to get there, when and how long is the same for all.

    `asked` and `answered` are its members of the unions `Request` and `Answer`; `answered` is None if a result has
    nothing of its own to say.
    `failures` are the classes of failure of its runs. `table` holds its keys, `keys` their paths below a check.
    `request` makes the request of that table, with the URL's userinfo if there is one, and `asks` says it shortly.
    `client` loads what runs a check; commands that only read a configuration need none. `alpn` is what its TLS offers,
    `encrypted` whether a check speaks TLS.
    `settings` are keys and values for the page; `options` and `unsaid` are what `monitor probe` has options for, and
    what it has none for; `curl` is True if curl speaks the protocol.
    """

    name: str
    schemes: tuple[str, ...]
    asked: type[Request]
    answered: type[Answer] | None
    failures: tuple[Outcome, ...]
    table: type[Table]
    keys: tuple[Path, ...]
    request: Callable[[Any, BasicAuth | None], Request]
    conflicts: Callable[[Any, Tree], Iterator[Conflict]]
    client: Callable[[], Client]
    encrypted: Callable[[CheckSpec], bool]
    unsaid: Callable[[CheckSpec], Iterable[str]]
    facts: Callable[[Answer | None], Facts] = lambda _: Facts()
    asks: Callable[[CheckSpec], str] = lambda spec: spec.target
    secrets: Callable[[Any], Iterator[str]] = lambda _: iter(())
    settings: Callable[[Any], Iterator[tuple[str, str]]] = lambda _: iter(())
    options: Callable[[Any], Iterator[Option]] = lambda _: iter(())
    families: tuple[Gauge | GaugePerLabel | Info, ...] = ()
    alpn: tuple[str, ...] = ()
    curl: bool = False
