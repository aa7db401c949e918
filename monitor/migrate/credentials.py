"""Finds the credentials in URLs, headers and bodies of other monitors, and puts variables in their place."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from monitor.migrate.draft import Draft, FileContent, Tree, Variable
from monitor.migrate.names import Variables

_TELLING = re.compile(
    r"auth|token|secret|passw|pwd|credential|cookie|session|signature|jwt|hmac|apikey|(?:^|[-_])(?:key|sig)$",
    re.IGNORECASE,
)
"""Names of headers and parameters whose values are secrets, more likely than not."""

TELLING_FIELD = re.compile(r"passw(?:or)?d|pwd|secret|token|(?:api|access|private)[_-]?key|credential", re.IGNORECASE)
"""Names of fields of a body that hold secrets; fewer, for bodies speak of authors and sessions too."""

_TELLING_BODY = re.compile(rf"(?:{TELLING_FIELD.pattern})[\"']?\s*[:=>]", re.IGNORECASE)
_PROXY = "http://stand-in.invalid:3128"

Credential = str | Variable | FileContent


@dataclass(slots=True)
class Credentials:
    """Puts variables in the place of credentials, named after the owner of the draft."""

    variables: Variables

    def variable(
        self, draft: Draft, place: str, what: str, secret: str, meaning: str, *, stand_in: str = "stand-in"
    ) -> Variable:
        """A variable for this secret, and the note that says what it is."""
        made = Variable(self.variables.name(draft.owner, what, secret), stand_in)
        draft.secret(place, f"{made.name}: {meaning}")
        return made

    def file(self, draft: Draft, place: Path, what: str) -> FileContent:
        """The content of a file, if it can be read here."""
        return FileContent(str(place), Variable(self.variables.name(draft.owner, what, str(place))))

    def header(self, draft: Draft, place: str, name: str, value: str) -> None:
        """A header to send; credentials among them become `auth` or a variable."""
        if name.lower() == "authorization":
            self._authorization(draft, place, name, value)
        elif _TELLING.search(name):
            meaning = f"the value of the header {name}"
            draft.table("headers")[name] = self.variable(draft, place, name, value, meaning)
        else:
            draft.table("headers")[name] = value

    def _authorization(self, draft: Draft, place: str, name: str, value: str) -> None:
        scheme, _, rest = value.strip().partition(" ")
        pair = _basic(rest) if scheme.lower() == "basic" else None
        if pair:
            self.basic(draft, place, *pair)
        elif scheme.lower() == "bearer" and rest.strip():
            self.bearer(draft, place, rest)
        elif not already(draft, place):
            meaning = f"the value of the header {name}"
            draft.table("headers")[name] = self.variable(draft, place, name, value, meaning)

    def basic(self, draft: Draft, place: str, username: str, password: str) -> None:
        """A user name and a password; a user name alone is a token in disguise."""
        if already(draft, place):
            return
        name: Credential = username
        if not password and username:
            name = self.variable(draft, place, "username", username, "the user name")
        secret: Credential = ""
        if password:
            secret = self.variable(draft, place, "password", password, "the password")
        draft.keys["auth"] = {"basic": {"username": name, "password": secret}}

    def bearer(self, draft: Draft, place: str, token: str) -> None:
        """A token."""
        if not already(draft, place):
            draft.keys["auth"] = {"bearer": self.variable(draft, place, "token", token, "the bearer token")}

    def url(self, draft: Draft, place: str, text: str) -> None:
        """Sets the URL, without the credentials in it."""
        try:
            parts = urlsplit(text.strip())
            telling = any(value and _TELLING.search(name) for name, value in parse_qsl(parts.query))
        except ValueError:
            draft.keys["url"] = text.strip()
            return
        userinfo, at, host = parts.netloc.rpartition("@")
        if at:
            username, _, password = userinfo.partition(":")
            self.basic(draft, place, unquote(username), unquote(password))
            parts = parts._replace(netloc=host)
        if telling:
            without = " (without the user name in it)" if at else ""
            meaning = f"the URL as it stands there{without}: its query holds a secret"
            stand_in = urlunsplit(parts._replace(query="stand=in"))
            draft.keys["url"] = self.variable(draft, place, "url", text, meaning, stand_in=stand_in)
        else:
            draft.keys["url"] = urlunsplit(parts) if at else text.strip()

    def proxy(self, draft: Draft, place: str, text: str) -> None:
        """The way through an HTTP proxy; others pause the check."""
        scheme, mark, _ = text.partition("://")
        if scheme.lower() != "http" or not mark:
            how = f"in {scheme}" if mark and scheme.isalnum() else "in what its URL does not say"
            draft.pause(place, f"the proxy is spoken to {how}; here proxies are spoken to in plain http only")
        elif "@" in text:
            meaning = "the URL of the proxy, with its user name and password: http://USER:PASSWORD@HOST:PORT"
            draft.keys["proxy"] = self.variable(draft, place, "proxy", text, meaning, stand_in=_PROXY)
        else:
            draft.keys["proxy"] = text

    def body(self, draft: Draft, place: str, text: str) -> None:
        """A body to send; one with a password in it becomes a variable as a whole."""
        if tells(text):
            meaning = "the whole body; a field of it is named like a secret"
            draft.keys["body"] = self.variable(draft, place, "body", text, meaning)
        else:
            draft.keys["body"] = text


def tells(body: str) -> bool:
    """True if a field of a body has the name of a secret."""
    return _TELLING_BODY.search(body) is not None


def already(draft: Draft, place: str) -> bool:
    """True if the draft has an authentication already; readers call this in their product's order of preference."""
    taken = "auth" in draft.keys or has_header(draft.keys, "Authorization")
    if taken:
        draft.lost(place, "a second way to authenticate: the one that is written wins there too")
    return taken


def has_header(tree: Tree, name: str) -> bool:
    """True if the draft already sends this header."""
    return name.lower() in {header.lower() for header in tree.get("headers", {})}


def _basic(encoded: str) -> tuple[str, str] | None:
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
