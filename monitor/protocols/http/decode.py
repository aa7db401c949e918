"""Undoes the codings of a body (Content-Encoding) piece by piece: a small answer that means gigabytes stays small."""

from __future__ import annotations

import re
from collections.abc import Iterator

from multidict import MultiMapping

from monitor.model.request import HttpRequest
from monitor.protocols.http.charsets import codec_of
from monitor.protocols.http.codings import Coding, Undecodable, coding
from monitor.secrets.secret import reveal

_MOST_CODINGS = 5
_MOST_BETWEEN = 16 * 1024 * 1024
"""Bytes between one coding and the next; without a bound, 1 MB could stand for terabytes of nothing."""
_NO_CODINGS = frozenset(
    {"", "identity", "none", "null", "binary", "7bit", "8bit", "plain", "text", "raw", "chunked", "aws-chunked"}
)
"""Values that servers send for a body without a coding; charset names are ignored in the same way."""
_ALIASES = {"x-gzip": "gzip"}
_LONGEST = 1024
"""Characters of a Content-Encoding that are parsed; the rest is ignored."""


class Decoder:
    """The codings of one body, undone in turn. What is odd about them stands in `notes`.

    aiohttp's own decoder takes a gzip body that was cut short for a whole one.
    """

    def __init__(self, encoding: str, accepted: str = "gzip, deflate") -> None:
        names = [name.strip().lower() for name in encoding[:_LONGEST].split(",")]
        self.notes = [f"Content-Encoding {name}, which is no coding" for name in names if _is_odd(name)]
        codings = [_ALIASES.get(name, name) for name in names if not _is_none(name)]
        self.unknown = _unknown(codings)
        """True if a coding cannot be undone; the body is then left undecoded."""
        self._stages: list[Coding] = []
        if codings and not self.unknown:
            asked = set(re.split(r"[\s,;]+", accepted.lower()))
            odd = [name for name in codings if not asked & {name, "*"}]
            self.notes += [f"Content-Encoding {name}, which was not asked for" for name in dict.fromkeys(odd)]
            self._stages = [made() for name in reversed(codings) if (made := coding(name)) is not None]
        self._between = 0

    @property
    def plain(self) -> bool:
        """True if nothing is undone: the body is what comes."""
        return not self._stages

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The decoded bytes of a chunk, in pieces of a bounded size, some of them empty. Raises Undecodable."""
        return self._through(0, chunk) if self._stages else iter((chunk,))

    def finish(self) -> None:
        """The body is over. Raises Undecodable if its compression is not."""
        for stage in self._stages:
            stage.finish()
        if any(stage.surplus for stage in self._stages):
            self.notes.append("bytes behind the end of the compressed body")

    def _through(self, depth: int, chunk: bytes) -> Iterator[bytes]:
        last = depth == len(self._stages) - 1
        for piece in self._stages[depth].pieces(chunk):
            if last or not piece:
                yield piece
                continue
            self._between += len(piece)
            if self._between > _MOST_BETWEEN:
                raise Undecodable(f"it means more than {_MOST_BETWEEN >> 20} MiB of something that is compressed again")
            yield from self._through(depth + 1, piece)


def decoder_for(asked: HttpRequest, headers: MultiMapping[str]) -> Decoder:
    """Returns the decoder for the codings of an answer, whether the check asks for them or not."""
    if "Content-Encoding" not in headers:
        return _PLAIN
    encoding = ", ".join(headers.getall("Content-Encoding", ()))
    accepted = [reveal(value) for name, value in asked.headers if name.lower() == "accept-encoding"]
    return Decoder(encoding, accepted[-1]) if accepted else Decoder(encoding)


def _is_none(name: str) -> bool:
    return name in _NO_CODINGS or codec_of(name) is not None


def _is_odd(name: str) -> bool:
    return _is_none(name) and name not in ("", "identity")


def _unknown(codings: list[str]) -> bool:
    return len(codings) > _MOST_CODINGS or any(coding(name) is None for name in codings)


_PLAIN = Decoder("")
"""One for all bodies without codings: it keeps nothing of them."""
