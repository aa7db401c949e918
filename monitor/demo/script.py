"""What a target does, as data: the scripts that connections meet, and the acts that they change in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf


class End(Enum):
    """How a connection ends once every step was taken."""

    CLOSE = auto()
    RESET = auto()
    HOLD = auto()
    """Not at all, until the client goes."""


@dataclass(frozen=True)
class Script:
    """What a connection meets: bytes to send and pauses of about so many seconds, then an end.

    `asked` is whether the request is awaited before the first step.
    """

    steps: tuple[bytes | float, ...] = ()
    end: End = End.CLOSE
    asked: bool = True


@dataclass(frozen=True)
class Certificate:
    """What a target shows of itself: valid from and to so many days from now, for its own host unless one is given."""

    days: tuple[float, float] = (-29, 61)
    host: str = ""
    trusted: bool = True


Act = tuple[float, Script | None]
"""For so many seconds this script; None: nobody listens, and connections are refused."""


@dataclass(frozen=True)
class Target:
    """A port of its own. The acts follow one another and then begin anew; `full` is one whose accept queue is full."""

    acts: tuple[Act, ...]
    certificate: Certificate | None = None
    full: bool = False

    def script(self, passed: float) -> Script | None:
        """The script of the act that is on, so many seconds after the start."""
        moment = passed % sum(lasts for lasts, _ in self.acts)
        for lasts, script in self.acts:
            if moment < lasts:
                return script
            moment -= lasts
        return self.acts[-1][1]


def always(script: Script | None, certificate: Certificate | None = None) -> Target:
    """A target that does the same for ever."""
    return Target(((inf, script),), certificate)


def at_first(seconds: float, before: Script, script: Script | None, certificate: Certificate | None = None) -> Target:
    """A target that changes its ways once, so many seconds after the start."""
    return Target(((seconds, before), (inf, script)), certificate)


def answer(body: str = "", status: str = "200 OK", *, kind: str = "application/json", more: str = "") -> bytes:
    """A whole answer; `more` is further header lines, each with its line end."""
    content = body.encode()
    headers = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{more}"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + content


def answering(body: str = "", status: str = "200 OK", *, after: float = 0.01, kind: str = "text/plain") -> Script:
    """A script that answers after about so many seconds."""
    return Script((after, answer(body, status, kind=kind)))


def fine(after: float) -> Script:
    """What a healthy service answers."""
    return answering('{"status": "ok", "queue": {"depth": 3}}\n', after=after, kind="application/json")
