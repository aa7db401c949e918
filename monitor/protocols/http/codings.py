"""Single content codings, each undone piece by piece; br and zstd by libraries that are loaded when first needed."""

from __future__ import annotations

import functools
import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

PIECE = 64 * 1024
"""Decoded bytes at a time."""
_SIP = 4096
"""Bytes given to zlib at a time: it copies what it leaves of them at the end of each member of a gzip body."""
_GZIP = 16 + zlib.MAX_WBITS
"""zlib's way to ask for a gzip header (zlib.h, inflateInit2)."""
_MOST_MEMBERS = 10_000
"""Members of gzip or frames of zstd allowed in one body: each takes microseconds, even if it holds no data."""
_WINDOW_LOG = 23
"""RFC 9659: zstd over HTTP needs a window of 8 MiB at most."""


class Undecodable(Exception):
    """The body is not in the encoding that it claims, or in none that can be undone; the message says which."""


class Coding(Protocol):
    """Undoes one coding of one body."""

    surplus: bool
    """True if bytes follow the end of the encoded data. They are ignored, as in browsers."""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Returns the decoded bytes of a chunk, at most PIECE at a time. Raises Undecodable."""

    def finish(self) -> None:
        """Takes the end of the body. Raises Undecodable if the coding is incomplete."""


def coding(name: str) -> Callable[[], Coding] | None:
    """Returns the decoder class for a coding of this name; None if it is unknown or its library is missing."""
    if name in ("gzip", "deflate"):
        return functools.partial(_Deflate, name)
    if name == "br" and _Brotli.library() is not None:
        return _Brotli
    return _Zstandard if name == "zstd" and _Zstandard.library() is not None else None


class _Deflate:
    """gzip of any number of members, and deflate with and without a zlib header."""

    def __init__(self, name: str) -> None:
        self.surplus = False
        self._name = name
        self._inflate = zlib.decompressobj(_GZIP) if name == "gzip" else None
        self._begun = False
        self._members = 1

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            for at in range(0, len(chunk), _SIP):
                yield from self._inflated(chunk[at : at + _SIP])
        except zlib.error as error:
            raise Undecodable(f"it is no {self._name}, or broken") from error

    def finish(self) -> None:
        if self._begun and self._inflate is not None and not self._inflate.eof:
            raise Undecodable(f"its {self._name} is cut short")

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        if self._inflate is None:  # some servers send bare deflate, RFC 9110 asks for a zlib header
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if chunk[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        self._begun = True
        more = True
        while (chunk or more) and not self.surplus:
            if self._inflate.eof and not self._next_member(chunk := chunk.lstrip(b"\0")):  # zeros may fill it up
                return
            piece = self._inflate.decompress(chunk, PIECE)
            more = len(piece) == PIECE
            yield piece
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _next_member(self, chunk: bytes) -> bool:
        """RFC 1952: a gzip body may have several members. Anything else behind the end is surplus."""
        if not chunk:
            return False
        self.surplus = self._name != "gzip" or chunk[0] != 0x1F
        if not self.surplus:
            self._inflate = zlib.decompressobj(_GZIP)
            self._members = _one_more(self._members)
        return not self.surplus


class _Brotli:
    """br, by Google's library."""

    def __init__(self) -> None:
        self.surplus = False
        self._module = self.library()
        self._inflate = self._module.Decompressor()
        self._begun = False

    @staticmethod
    @functools.cache
    def library() -> Any:
        """The library; None if it is not installed, or so old that it cannot bound what it decodes (before 1.2)."""
        module = _installed("brotli")
        return module if hasattr(getattr(module, "Decompressor", None), "can_accept_more_data") else None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            self._begun = more = True
            while more:
                if self._inflate.is_finished():
                    self.surplus = self.surplus or bool(chunk)
                    return
                piece = self._inflate.process(chunk, output_buffer_limit=PIECE)
                more = bool(piece) or not self._inflate.can_accept_more_data()
                yield piece
                chunk = b""
        except self._module.error as error:
            raise Undecodable("it is no br, or broken") from error

    def finish(self) -> None:
        if self._begun and not self._inflate.is_finished():
            raise Undecodable("its br is cut short")


class _Zstandard:
    """zstd of any number of frames, by Python's module, or by its twin for earlier versions."""

    def __init__(self) -> None:
        self.surplus = False
        self._module = self.library()
        self._inflate = self._new()
        self._begun = False
        self._members = 1

    @staticmethod
    @functools.cache
    def library() -> Any:
        """The library; None if it is not installed."""
        return _installed("compression.zstd") or _installed("backports.zstd")

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk or not self._inflate.needs_input:
                if self._inflate.eof:
                    if not chunk:
                        return
                    self._inflate = self._new()
                    self._members = _one_more(self._members)
                self._begun = True
                yield self._inflate.decompress(chunk, PIECE)
                chunk = self._inflate.unused_data if self._inflate.eof else b""
        except self._module.ZstdError as error:
            raise Undecodable("it is no zstd, or broken") from error

    def finish(self) -> None:
        if self._begun and not self._inflate.eof:
            raise Undecodable("its zstd is cut short")

    def _new(self) -> Any:
        return self._module.ZstdDecompressor(options={self._module.DecompressionParameter.window_log_max: _WINDOW_LOG})


def _one_more(members: int) -> int:
    if members >= _MOST_MEMBERS:
        raise Undecodable(f"it has more than {_MOST_MEMBERS} compressed parts")
    return members + 1


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
