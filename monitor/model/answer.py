"""Defines what a target answered: one type for each protocol, told apart by a tag where it is stored.

Each has `figures`, the part that differs from run to run; the rest is alike in most runs, and is kept once.
"""

from __future__ import annotations

from msgspec import Struct, structs


class Hop(Struct, frozen=True, array_like=True, gc=False):
    """One request of a run, with its URL redacted; `status` is None if no answer came."""

    method: str
    url: str
    status: int | None


class HttpFigures(Struct, frozen=True, array_like=True, gc=False, tag="http"):
    """Bytes; `content_length` is the header's, `body_bytes` what was received after decoding."""

    content_length: int | None = None
    body_bytes: int | None = None


class HttpAnswer(Struct, frozen=True, array_like=True, gc=False, tag="http"):
    """An answer over HTTP; `status` is the last one that was received, None without any."""

    status: int | None = None
    version: str | None = None
    redirects: int = 0
    hops: tuple[Hop, ...] = ()
    figures: HttpFigures = HttpFigures()

    def alike(self) -> HttpAnswer:
        """The same without its figures."""
        return HttpAnswer(self.status, self.version, self.redirects, self.hops)

    def with_figures(self, figures: Figures | None) -> HttpAnswer:
        """The same with these figures, if they are of this protocol."""
        return structs.replace(self, figures=figures) if isinstance(figures, HttpFigures) else self


class TcpFigures(Struct, frozen=True, array_like=True, gc=False, tag="tcp"):
    """Bytes received in the whole dialogue, and the labels that its captures make."""

    received: int = 0
    labels: tuple[tuple[str, str], ...] = ()


class TcpAnswer(Struct, frozen=True, array_like=True, gc=False, tag="tcp"):
    """The end of a dialogue over TCP: `done` of `steps` steps."""

    done: int = 0
    steps: int = 0
    figures: TcpFigures = TcpFigures()

    def alike(self) -> TcpAnswer:
        """The same without its figures."""
        return TcpAnswer(self.done, self.steps)

    def with_figures(self, figures: Figures | None) -> TcpAnswer:
        """The same with these figures, if they are of this protocol."""
        return structs.replace(self, figures=figures) if isinstance(figures, TcpFigures) else self


Answer = HttpAnswer | TcpAnswer
Figures = HttpFigures | TcpFigures
