"""Durations, URLs and credentials of other monitors, in our words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from monitor.migrate.draft import Draft, FromFile, Tree, Variable
from monitor.migrate.names import Variables

TELLING = re.compile(
    r"auth|token|secret|passw|passwd|pwd|credential|cookie|session|signature|(?:api|access|private)[_-]?key|^key$|^sig$",
    re.IGNORECASE,
)
"""Names of headers, parameters and fields whose values are secrets, more likely than not."""

_TELLING_BODY = re.compile(r"(?:passw(?:or)?d|pwd|secret|token|api[_-]?key|credential)[\"']?\s*[:=>]", re.IGNORECASE)
_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
    "d": 86400.0, "w": 7 * 86400.0, "y": 365 * 86400.0,
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,9})?)(ns|us|µs|ms|[smhdwy])")
_WHOLE = (("d", 86400), ("h", 3600), ("m", 60))


def seconds(text: str) -> float | None:
    """Seconds of a duration as Go or Prometheus write it; None if it is none."""
    text = text.strip()
    if not text or re.fullmatch(f"(?:{_PART.pattern})+", text) is None:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration(amount: float) -> str:
    """Seconds as checks.toml writes them."""
    if amount < 1:
        return f"{max(amount * 1000, 0.001):.6g}ms"
    for unit, length in _WHOLE:
        if amount % length == 0:
            return f"{amount / length:.0f}{unit}"
    return f"{amount:.10g}s"


def pace(draft: Draft, place: str, interval: float, limit: float, rule: str = "") -> None:
    """One limit for the whole run, as the other monitors have it, which has to fit into the interval here."""
    total = min(limit, interval)
    draft.keys["interval"] = duration(interval)
    draft.keys["timeout"] = dict.fromkeys(("connect", "read", "total"), duration(total))
    if rule:
        draft.differs(place, f"timeout: {rule}")
    if limit > interval:
        text = f"the limit of {duration(limit)} is longer than the interval of {duration(interval)}, and was cut to it"
        draft.differs(place, text)


def ranges(statuses: Iterable[int]) -> list[str | int]:
    """Status codes as `expect.status` writes them: whole hundreds, ranges, single ones."""
    left, found = sorted(set(statuses)), []
    spans: list[list[int]] = []
    for status in left:
        if spans and status == spans[-1][1] + 1:
            spans[-1][1] = status
        else:
            spans.append([status, status])
    for low, high in spans:
        hundred = low % 100 == 0 and high == low + 99
        found.append(f"{low // 100}xx" if hundred else low if low == high else f"{low}-{high}")
    return found


@dataclass(slots=True)
class Secrets:
    """Puts variables in the place of credentials; `owner` is what they are named after."""

    variables: Variables

    def variable(self, draft: Draft, place: str, owner: str, what: str, secret: str, **more: str) -> Variable:
        """A variable for this secret, and the note that says what it is."""
        meaning = more.get("meaning") or "the value that stands there"
        made = Variable(self.variables.name(owner, what, secret), more.get("stand_in") or "stand-in")
        draft.secret(place, f"{made.name}: {meaning}")
        return made

    def file(self, place: Path, owner: str, what: str) -> FromFile:
        """The content of a file, if it can be read here."""
        return FromFile(str(place), Variable(self.variables.name(owner, what, str(place))))

    def header(self, draft: Draft, place: str, owner: str, name: str, value: str) -> None:
        """A header to send; credentials among them become `auth` or a variable."""
        scheme, _, rest = value.strip().partition(" ")
        pair = _basic(rest) if scheme.lower() == "basic" else None
        if name.lower() == "authorization" and pair:
            self.basic(draft, place, owner, *pair)
        elif name.lower() == "authorization" and scheme.lower() == "bearer" and rest.strip():
            token = self.variable(draft, place, owner, "token", rest, meaning="the token of the header Authorization")
            draft.keys["auth"] = {"bearer": token}
        elif TELLING.search(name):
            meaning = f"the value of the header {name}"
            draft.table("headers")[name] = self.variable(draft, place, owner, name, value, meaning=meaning)
        else:
            draft.table("headers")[name] = value

    def basic(self, draft: Draft, place: str, owner: str, username: str, password: str) -> None:
        """A user name and a password; a user name alone is a token in disguise."""
        name: str | Variable = username
        if not password and username:
            name = self.variable(draft, place, owner, "username", username, meaning="the user name")
        secret: str | Variable = ""
        if password:
            secret = self.variable(draft, place, owner, "password", password, meaning="the password")
        draft.keys["auth"] = {"basic": {"username": name, "password": secret}}

    def url(self, draft: Draft, place: str, owner: str, text: str) -> None:
        """What to request, without the credentials in it."""
        try:
            parts = urlsplit(text.strip())
            names = [name for name, value in parse_qsl(parts.query) if value and TELLING.search(name)]
        except ValueError:
            draft.keys["url"] = text.strip()
            return
        userinfo, at, host = parts.netloc.rpartition("@")
        if at:
            username, _, password = userinfo.partition(":")
            self.basic(draft, place, owner, unquote(username), unquote(password))
            parts = parts._replace(netloc=host)
        if names:
            meaning = (
                f"the URL as it stands there{' (without the user name in it)' if at else ''}: its query holds a secret"
            )
            stand_in = urlunsplit(parts._replace(query="stand=in"))
            made = self.variable(draft, place, owner, "url", text, meaning=meaning, stand_in=stand_in)
            draft.keys["url"] = made
        else:
            draft.keys["url"] = urlunsplit(parts) if at else text.strip()

    def proxy(self, draft: Draft, place: str, owner: str, text: str) -> None:
        """The way through an HTTP proxy; others pause the check."""
        scheme = text.partition("://")[0].lower()
        if scheme != "http":
            draft.pause(place, f"the proxy is spoken to in {scheme}; here proxies are spoken to in plain http only")
        elif "@" in text:
            meaning = "the URL of the proxy, with its user name and password: http://USER:PASSWORD@HOST:PORT"
            stand_in = "http://stand-in.invalid:3128"
            draft.keys["proxy"] = self.variable(draft, place, owner, "proxy", text, meaning=meaning, stand_in=stand_in)
        else:
            draft.keys["proxy"] = text

    def body(self, draft: Draft, place: str, owner: str, text: str) -> None:
        """A body to send; one with a password in it becomes a variable as a whole."""
        if _TELLING_BODY.search(text):
            meaning = "the whole body; a field of it is named like a secret"
            draft.keys["body"] = self.variable(draft, place, owner, "body", text, meaning=meaning)
        else:
            draft.keys["body"] = text


def has_header(tree: Tree, name: str) -> bool:
    """Whether the draft sends this header already."""
    return name.lower() in {header.lower() for header in tree.get("headers", {})}


def _basic(encoded: str) -> tuple[str, str] | None:
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
