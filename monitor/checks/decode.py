"""Undoes the compression of a body piece by piece, so that a small answer that means gigabytes stays small."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_PIECE = 64 * 1024
"""Decoded bytes at a time."""
_GZIP = 16 + zlib.MAX_WBITS
"""zlib's way to ask for a gzip header (zlib.h, inflateInit2)."""


class Undecodable(Exception):
    """The body is not in the encoding that it claims, or in none that was asked for."""


class Decoder:
    """One body's Content-Encoding: gzip and deflate, which is what we ask for, or none.

    aiohttp's own decoder takes a gzip body that was cut short for a whole one.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._inflate = zlib.decompressobj(_GZIP) if self._encoding in ("gzip", "x-gzip") else None
        self._begun = False

    @property
    def known(self) -> bool:
        """Whether this encoding can be undone."""
        return self._encoding in ("", "identity", "gzip", "x-gzip", "deflate")

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The decoded bytes of a chunk, in pieces of a bounded size. Raises Undecodable."""
        if self._encoding in ("", "identity") or not self.known:
            yield chunk
            return
        try:
            yield from self._inflated(chunk)
        except zlib.error as error:
            raise Undecodable(str(error)) from error

    def finish(self) -> None:
        """The body is over. Raises Undecodable if its compression is not."""
        if self._begun and self._inflate is not None and not self._inflate.eof:
            raise Undecodable("cut short")

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        if chunk and self._inflate is None:  # some servers send bare deflate, RFC 9110 asks for a zlib header
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if chunk[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        while chunk and self._inflate is not None:
            self._begun = True
            if self._inflate.eof:  # RFC 1952: a gzip body may have several members; zeros may fill it up
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._inflate = zlib.decompressobj(_GZIP)
            yield self._inflate.decompress(chunk, _PIECE)
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data
