"""Stored values that cannot be read: each is skipped, counted and said once, and takes nothing else with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_type_hints

import structlog
from msgspec import Raw, Struct, msgpack, structs

from monitor.model.result import Result
from monitor.stats.first_form import first_result
from monitor.stats.meters import HistoryMeter
from monitor.stats.result_log import UNREADABLE

_log = structlog.get_logger("monitor.history")

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

_MOST = 1000
"""Places that are said; more are only counted."""


class SkipLog:
    """Counts what was skipped, and says each place once."""

    def __init__(self, meter: HistoryMeter) -> None:
        self._meter = meter
        self._places: set[str] = set()

    def __call__(self, place: str, why: object) -> None:
        """Skip what is stored at this place."""
        if place in self._places:
            return
        self._meter.unreadable += 1
        if len(self._places) < _MOST:
            self._places.add(place)
            _log.warning("a stored value cannot be read and is skipped", place=place, why=str(why))

    @contextmanager
    def unless_readable(self, place: str) -> Iterator[None]:
        """Skip what this block does with what is stored at a place, if it cannot be read."""
        try:
            yield
        except UNREADABLE as error:
            self(place, error)

    def read(self, decode: Callable[[Any], T], data: object, place: str) -> T | None:
        """Decodes the value of a place; None if it cannot be read."""
        with self.unless_readable(place):
            return decode(data)
        return None

    def parts(self, kind: type[S], data: Any, place: str) -> S | None:
        """A value of this kind, an array of its fields. A field that cannot be read has its default, if it has one."""
        try:
            return msgpack.decode(data, type=kind)
        except UNREADABLE as error:
            try:
                return self._by_fields(kind, data, place)
            except UNREADABLE:
                self(place, error)
                return None

    def _by_fields(self, kind: type[S], data: Any, place: str) -> S:
        if kind is Result and (first := _of_first_form(data)) is not None:
            return cast("S", first)
        found, types = {}, get_type_hints(kind, include_extras=True)
        for field, raw in zip(structs.fields(kind), msgpack.decode(data, type=list[Raw]), strict=False):
            try:
                found[field.name] = self._field(types[field.name], raw, f"{place}, {field.name}")
            except UNREADABLE as error:
                if field.required:
                    raise
                self(f"{place}, {field.name}", error)
        return kind(**found)

    def _field(self, kind: Any, raw: Raw, place: str) -> Any:
        try:
            return msgpack.decode(raw, type=kind)
        except UNREADABLE:
            inner = _struct(kind)
            if inner is None:
                raise
            return self._by_fields(inner, raw, place)


def _of_first_form(data: Any) -> Result | None:
    try:
        return first_result(data)
    except UNREADABLE:
        return None


def _struct(kind: Any) -> type[Struct] | None:
    """The structure that a field of this type holds, if it holds one, and of one kind only."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    found = [one for one in kinds if isinstance(one, type) and issubclass(one, Struct)]
    return found[0] if len(found) == 1 else None
