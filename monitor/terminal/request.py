"""Turns what was typed after `monitor probe` into a check, through the same parser as the configuration's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click

from monitor.config import parse_check
from monitor.keys.bad_value import BadValueError
from monitor.keys.values import duration
from monitor.model.errors import ConfigError
from monitor.model.spec import CheckSpec, Limits
from monitor.secrets.secret import Secret, Text, shown_url
from monitor.terminal.options import flags_of, with_suggestion

NAME = "probe"

_KEY = re.compile(r"`([a-z_.]+)`")
"""Matches a key as the parser of checks.toml names it."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LOCAL = re.compile(r"(localhost|127\.|\[::1\])", re.IGNORECASE)
"""Hosts on this machine: for a URL without a scheme, the message suggests http for them, and https for others."""

_CREDENTIAL = re.compile(r"auth|cookie|token|secret|key|passw|credential|session|signature", re.IGNORECASE)
"""Names of headers whose values are not shown again, wherever a server may echo them."""


def check_of(url: str, options: dict[str, Any], command: click.Command) -> CheckSpec:
    """The check that the options describe; a usage error names every option that is wrong."""
    wrong: list[tuple[str, BadValueError]] = []
    given = _read(options, wrong)
    if not _SCHEME.match(url):
        wrong.insert(0, ("url", _without_scheme(url)))
    if wrong:
        raise _usage_error([(path, w.message, w.suggestion) for path, w in wrong], command)
    try:
        return parse_check(_raw(url, given), NAME)
    except ConfigError as error:
        raise _usage_error([(p.path, p.message, p.suggestion) for p in error.problems], command) from None


def _usage_error(problems: list[tuple[str, str, str | None]], command: click.Command) -> click.UsageError:
    lines = [
        f"{flags_of(path, command)}: {_KEY.sub(lambda key: flags_of(key[1], command), with_suggestion(said, advice))}"
        for path, said, advice in problems
    ]
    return click.UsageError(lines[0] if len(lines) == 1 else "\n  ".join(["", *lines]))


def _read(options: dict[str, Any], wrong: list[tuple[str, BadValueError]]) -> dict[str, Any]:
    """The options that were given, with their values read; what cannot be read goes to `wrong`."""
    given = {}
    for name, value in options.items():
        if value in (None, ()):
            continue
        try:
            given[name] = _READERS[name](value) if name in _READERS else value
        except BadValueError as error:
            wrong.append((name.replace("__", "."), error))
    return given


def _raw(url: str, given: dict[str, Any]) -> dict[str, Any]:
    """The check as checks.toml would say it."""
    raw: dict[str, Any] = {"name": NAME, "url": url}
    for name, value in given.items():
        *tables, key = name.split("__")
        table = raw
        for part in tables:
            table = table.setdefault(part, {})
        table[key] = value
    raw["timeout"] = _fitted(raw.get("timeout", {}))
    return raw


def _fitted(given: dict[str, float]) -> dict[str, float]:
    """All three limits: those not given make room for those that are."""
    usual = Limits()
    total = given.get("total", max(usual.total, *given.values(), 0.0))
    return {"connect": min(usual.connect, total), "read": min(usual.read, total)} | given | {"total": total}


def _without_scheme(url: str) -> BadValueError:
    meant = f"{'http' if _LOCAL.match(url) else 'https'}://{url.lstrip('/')}"
    return BadValueError("there is no scheme", f"did you mean {shown_url(meant)} ?")


def _headers(lines: tuple[str, ...]) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            raise BadValueError("a header has no colon after its name", "write 'NAME: VALUE'")
        if name.lower() in map(str.lower, found):
            raise BadValueError(f"{name} is given twice")
        found[name] = Secret(value) if _CREDENTIAL.search(name) else value
    return found


def _basic(text: str) -> dict[str, Text]:
    user, colon, password = text.partition(":")
    if not colon:
        raise BadValueError("there is no password", "write USER:PASSWORD")
    return {"username": user, "password": Secret(password)}


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValueError(f"this is not JSON: {error}") from None


def _statuses(words: tuple[str, ...]) -> list[str | int]:
    return [int(word) if re.fullmatch(r"[0-9]{3}", word) else word for word in words]


def _seconds(text: str) -> float:
    return duration(float(text) if re.fullmatch(r"[0-9]*\.?[0-9]+", text) else text)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise BadValueError("must be a number, 0 or more")
    return int(text)


_READERS: dict[str, Callable[[Any], Any]] = {
    "headers": _headers,
    "json": _document,
    "auth__basic": _basic,
    "auth__bearer": Secret,
    "timeout__total": _seconds,
    "timeout__connect": _seconds,
    "timeout__read": _seconds,
    "expect__status": _statuses,
    "max_redirects": _count,
    "resolver": list,
}
