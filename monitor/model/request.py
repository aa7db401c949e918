"""Defines the request of a check and the expectations of its answer: one type for each protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from monitor.secrets.secret import Secret, Text

Operator = Literal[
    "equals", "not_equals", "less_than", "at_most", "greater_than", "at_least",
    "contains", "not_contains", "matches", "not_matches", "exists", "one_of", "length", "optional",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison of what came with `operand` (a str, Secret, number, bool, None, list or dict).

    For `matches` and `not_matches` the operand is a valid RE2 pattern, for `length` a rule for the length. `optional`
    says that the other rules of a header hold only if the header is there.
    """

    operator: Operator
    operand: Any


OPTIONAL = Rule("optional", True)
"""Stands first among the rules of a header that may be missing."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Conditions of a good answer.

    `status` holds inclusive ranges; `headers` and `json` pair a name or an RFC 9535 path with the rules that all
    have to hold.
    """

    status: tuple[tuple[int, int], ...] = ((200, 399),)
    headers: tuple[tuple[str, tuple[Rule, ...]], ...] = ()
    body: tuple[Rule, ...] = ()
    json: tuple[tuple[str, tuple[Rule, ...]], ...] = ()
    http_version: tuple[str, ...] = ()

    @property
    def needs_body(self) -> bool:
        """True if a condition depends on the body."""
        return bool(self.body or self.json)


@dataclass(frozen=True, slots=True)
class Body:
    """The request body: bytes, the content type it implies (None for a plain `body`), and whether it holds a secret."""

    data: bytes = field(repr=False)
    content_type: str | None
    secret: bool


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user name and a password."""

    username: Text
    password: Text


@dataclass(frozen=True, slots=True)
class BearerAuth:
    """A token."""

    token: Text


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request over HTTP; `max_body` is bytes. A userinfo in the URL has become `auth`."""

    method: str = "GET"
    headers: tuple[tuple[str, Text], ...] = ()
    body: Body | None = None
    auth: BasicAuth | BearerAuth | None = None
    follow_redirects: bool = True
    max_redirects: int = 10
    allow_downgrade: bool = False
    max_body: int = 1 << 20
    expect: Expect = Expect()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a dialogue over TCP: waits for a line, then sends a text, then starts TLS; each if it is given.

    `expect` is a valid RE2 pattern. `send` and the values of `labels` may refer to its groups, as `${1}` or `${name}`.
    """

    expect: Text | None = None
    send: Text | None = None
    starttls: bool = False
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpDialogue:
    """A connection over TCP and what is said over it; without steps the connection alone is the check."""

    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsHandshake:
    """A TLS handshake right after the connection; nothing is said after it."""


Request = HttpRequest | TcpDialogue | TlsHandshake


def is_secret(value: object) -> bool:
    """True if a value is, or holds, a secret."""
    if isinstance(value, dict):
        return any(map(is_secret, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(is_secret, value))
    return isinstance(value, Secret)
