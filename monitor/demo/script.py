"""Describes a target's behaviour as data: scripts for connections, and acts that change the script."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf


class End(Enum):
    """The end of a connection after the last step."""

    CLOSE = auto()
    RESET = auto()
    HOLD = auto()
    """None, until the client closes the connection."""


@dataclass(frozen=True)
class Script:
    """Steps of a connection: bytes to send, and approximate pauses in seconds; then an end.

    `asked` is True if the script waits for the request before the first step.
    """

    steps: tuple[bytes | float, ...] = ()
    end: End = End.CLOSE
    asked: bool = True


@dataclass(frozen=True)
class Certificate:
    """A target's certificate: first and last day relative to now, and its host (empty: the target's own)."""

    days: tuple[float, float] = (-29, 61)
    host: str = ""
    trusted: bool = True


Act = tuple[float, Script | None]
"""Seconds that the act lasts, and its script; None: the port is closed, and connections are refused."""


@dataclass(frozen=True)
class Target:
    """A port of its own. The acts follow one another and then begin anew; `full` is one whose accept queue is full."""

    acts: tuple[Act, ...]
    certificate: Certificate | None = None
    full: bool = False

    def script(self, passed: float) -> Script | None:
        """Returns the script of the current act, `passed` seconds after the start."""
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
    """Returns a target that changes its script once, `seconds` after the start."""
    return Target(((seconds, before), (inf, script)), certificate)


def answer(body: str = "", status: str = "200 OK", *, kind: str = "application/json", more: str = "") -> bytes:
    """A whole answer; `more` is further header lines, each with its line end."""
    content = body.encode()
    headers = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{more}"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + content


def answering(body: str = "", status: str = "200 OK", *, after: float = 0.01, kind: str = "text/plain") -> Script:
    """Returns a script that answers after about `after` seconds."""
    return Script((after, answer(body, status, kind=kind)))


def fine(after: float) -> Script:
    """Returns the script of a healthy service."""
    return answering('{"status": "ok", "queue": {"depth": 3}}\n', after=after, kind="application/json")
