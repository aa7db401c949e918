"""The messages between the daemon and its probe workers, over a socket pair that no other process holds.

Frames are a length of four bytes and as many bytes. Orders are pickled, for they come from our own parent and hold what
no format has words for; results are msgpack, of a fixed shape.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.model.clock import Moment
from monitor.model.result import Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.scheduling.runner import DrainCount
from monitor.stats.meters import Meter

_LENGTH = struct.Struct(">I")
_LONGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Orders:
    """The worker's duties from now on.

    `epoch` is the moment by which due times are mapped to the steady clock. `changed` are checks that are new or
    different, `gone` the names of those that are not this worker's any more, `again` the names of those to be run once
    more, soon. More orders of the same generation follow if `more`.
    """

    generation: int
    epoch: Moment
    monitor: MonitorSpec
    changed: tuple[CheckSpec, ...] = ()
    gone: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Drain:
    """Start nothing more, let what runs end within `limit` seconds, and exit."""

    limit: float


class EndedRun(msgspec.Struct, array_like=True):
    """A result, for how many runs it stands, and up to which due time nothing is outstanding with it."""

    result: Result
    runs: int
    until: float | None


class Batch(msgspec.Struct, array_like=True):
    """The results since the worker's last batch, under the orders of `generation`.

    `meter` is there once a second, with CPU seconds and resident bytes; `began` (steady seconds) when checks were
    scheduled by the first orders; `drained` in the last batch.
    """

    generation: int
    ended: list[EndedRun] = msgspec.field(default_factory=list)
    meter: Meter | None = None
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    began: float | None = None
    drained: DrainCount | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def batch_frame(batch: Batch) -> bytes:
    """A batch, ready to be written."""
    return _framed(_encoder.encode(batch))


def order_frame(order: Orders | Drain) -> bytes:
    """Orders, ready to be written."""
    return _framed(pickle.dumps(order, pickle.HIGHEST_PROTOCOL))


async def read_batch(reader: asyncio.StreamReader) -> Batch:
    """The next batch. Raises EOFError if the worker has gone, ValueError for what no worker says."""
    try:
        return _decoder.decode(await _payload(reader))
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


async def read_order(reader: asyncio.StreamReader) -> Orders | Drain:
    """The next orders. Raises EOFError if the daemon has gone."""
    order: Any = pickle.loads(await _payload(reader))  # noqa: S301 - from our own parent, over a socket of its own
    assert isinstance(order, (Orders, Drain))
    return order


async def _payload(reader: asyncio.StreamReader) -> bytes:
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > _LONGEST:
            raise ValueError(f"a frame of {length} bytes")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as gone:
        raise EOFError from gone


def _framed(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload
