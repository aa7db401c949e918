"""Words figures, times and expectations for the page."""

from __future__ import annotations

import math

from monitor.model.clock import utc
from monitor.model.spec import CheckSpec, Expect, Rule
from monitor.rules.state import seconds
from monitor.secrets.secret import shown

_OPERATORS = {
    "equals": "=",
    "not_equals": "≠",
    "less_than": "<",
    "at_most": "≤",
    "greater_than": ">",
    "at_least": "≥",
    "contains": "contains",
    "not_contains": "without",
    "matches": "matches",
    "not_matches": "does not match",
    "one_of": "is one of",
}


def latency(value: float | None) -> str:
    """«84 ms», «5.0 s»; an en dash for what is not known."""
    return "–" if value is None else seconds(value)


def span(value: float) -> str:
    """A stretch of time, to two units at most: «42 s», «22 min», «5 h 12 min», «3 d 4 h»."""
    whole = max(int(value), 0) if math.isfinite(value) else 0
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86400, "d", whole % 86400 // 3600, "h")


def _two(big: int, unit: str, small: int, smaller: str) -> str:
    return f"{big} {unit} {small} {smaller}" if small else f"{big} {unit}"


def every(value: float) -> str:
    """An interval or limit as it is configured: «30 s», «1.5 s», «250 ms», «1 min 30 s»."""
    if value < 1:
        return f"{value * 1000:g} ms"
    if value < 60 or value % 1:
        return f"{value:g} s"
    minutes, rest = divmod(int(value), 60)
    if rest or minutes < 60:
        return _two(minutes, "min", rest, "s")
    return span(value)


def clock(at: float, now: float) -> str:
    """A time of day in UTC, with seconds; the date before it unless it is today's."""
    then, today = utc(at), utc(now)
    time = f"{then:%H:%M:%S}"
    if then.date() == today.date():
        return time
    day = f"{then.day} {then:%b}"
    return f"{day} {time}" if then.year == today.year else f"{day} {then.year} {time}"


def since(at: float, now: float) -> str:
    """The same to the minute, for times that people say to each other."""
    return clock(at, now)[:-3]


def plural(count: int, noun: str) -> str:
    """«1 check», «12 checks»."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def expectation(expect: Expect) -> list[str]:
    """Lists the conditions of a good answer, one phrase for each."""
    phrases = [", ".join(_status(low, high) for low, high in expect.status)]
    if expect.latency is not None:
        phrases.append(f"within {every(expect.latency)}{' or down' if expect.latency_down else ''}")
    if expect.http_version:
        phrases.append("HTTP " + " or ".join(expect.http_version))
    for name, rules in expect.headers:
        phrases += [_rule(f"header {name}", rule) for rule in rules]
    phrases += [_rule("body", rule) for rule in expect.body]
    for path, rules in expect.json:
        phrases += [_rule(path, rule) for rule in rules]
    return phrases


def _status(low: int, high: int) -> str:
    if low == high:
        return str(low)
    if low % 100 == 0 and high == low + 99:
        return f"{low // 100}xx"
    return f"{low}–{high}"


def _rule(subject: str, rule: Rule) -> str:
    if rule.operator == "exists":
        return f"{subject} is there" if rule.operand else f"{subject} is not there"
    if rule.operator == "optional":
        return f"{subject} may be missing"
    if rule.operator == "length":
        return _rule(f"length of {subject}", rule.operand)
    return f"{subject} {_OPERATORS[rule.operator]} {_operand(rule.operand)}"


def _operand(operand: object) -> str:
    if isinstance(operand, bool) or operand is None:
        return {True: "true", False: "false", None: "null"}[operand]
    if isinstance(operand, list):
        return ", ".join(map(_operand, operand))
    return shown(operand) if isinstance(operand, str) else str(operand)


def request_notes(spec: CheckSpec) -> list[str]:
    """Lists unusual properties of the request; defaults are left out."""
    notes = []
    if spec.proxy is not None:
        notes.append("through a proxy")
    if spec.connect_to is not None:
        host, port = spec.connect_to
        notes.append(f"connecting to {host}" + (f":{port}" if port else ""))
    if spec.ip_version != "any":
        notes.append(f"over IPv{spec.ip_version}")
    if spec.resolver:
        notes.append(f"resolved by {', '.join(spec.resolver)}")
    if spec.source_address:
        notes.append(f"from {spec.source_address}")
    if not spec.follow_redirects:
        notes.append("not following redirects")
    if not spec.tls.verify:
        notes.append("certificate not verified")
    return notes
