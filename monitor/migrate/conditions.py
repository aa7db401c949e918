"""Gatus's conditions as `expect`: each becomes a rule here, or a sentence that says why it cannot."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import re2

from monitor.migrate.draft import Draft
from monitor.migrate.values import duration, ranges, seconds

_OPERATORS = (" == ", " != ", " <= ", " >= ", " > ", " < ")
"""In the order in which Gatus looks for them."""
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NUMERIC: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_RULES = {"==": "equals", "!=": "not_equals", "<": "less_than", "<=": "at_most", ">": "greater_than", ">=": "at_least"}
_ALL = range(100, 600)
_ELSEWHERE = {
    "[IP]": "the address cannot be expected here; it is in every result",
    "[DNS_RCODE]": "answers of name servers cannot be expected here",
    "[DOMAIN_EXPIRATION]": "the end of a domain's registration is not looked up here",
}
_SEGMENT = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9})\]")


class Cannot(Exception):
    """A condition without a counterpart; the text is the reason."""


@dataclass(slots=True)
class Conditions:
    """The conditions of one endpoint, gathered."""

    draft: Draft
    statuses: set[int] = field(default_factory=lambda: set(_ALL))

    def add(self, place: str, text: str) -> None:
        """One condition; noted if it cannot be carried over."""
        try:
            self._add(place, text)
        except Cannot as why:
            self.draft.lost(place, f"condition {text}: {why}")

    def finish(self, place: str) -> None:
        """Write what the statuses have to be: any, if no condition says so."""
        if self.statuses:
            self.draft.table("expect")["status"] = ranges(self.statuses)
        else:
            self.draft.pause(place, "the conditions on [STATUS] contradict one another")

    def _add(self, place: str, text: str) -> None:
        left, sign, right = _parsed(text)
        subject = left.upper()
        if subject == "[STATUS]":
            self.statuses &= {status for status in _ALL if _status_holds(str(status), sign, right)}
        elif subject == "[RESPONSE_TIME]":
            self._latency(place, sign, right)
        elif subject == "[CERTIFICATE_EXPIRATION]":
            self._certificate(place, sign, right)
        elif subject == "[CONNECTED]":
            if (sign, right) not in (("==", "true"), ("!=", "false")):
                raise Cannot("a check that fails if it can connect is not to be had here")
        elif subject == "[BODY]":
            self._body(sign, right)
        elif re.match(r"(?i)(?:len|has)\(\[BODY\]", left) and left.endswith(")"):
            self._function(place, left, sign, right)
        elif subject.startswith(("[BODY].", "[BODY][")):
            self._json(place, left[len("[BODY]") :], sign, right)
        else:
            raise Cannot(_ELSEWHERE.get(subject, "there is nothing like it here"))

    def _latency(self, place: str, sign: str, right: str) -> None:
        if sign not in ("<", "<="):
            raise Cannot("only an upper bound can be expected of the time")
        self.draft.table("expect")["latency"] = duration(_milliseconds(right) / 1000)
        self.draft.differs(
            place,
            "[RESPONSE_TIME]: slower is degraded here, not down; it covers the whole run with its body and redirects, "
            "Gatus stops at the head; to have it down, write it as timeout.total",
        )

    def _certificate(self, place: str, sign: str, right: str) -> None:
        if sign not in (">", ">="):
            raise Cannot("only a lower bound can be expected of it")
        self.draft.table("tls")["expiry_warning"] = duration(_milliseconds(right) / 1000)
        self.draft.differs(
            place, "[CERTIFICATE_EXPIRATION]: a certificate that ends earlier is degraded here, not down"
        )

    def _body(self, sign: str, right: str) -> None:
        if sign not in ("==", "!="):
            raise Cannot("a text is neither higher nor lower")
        rules = self.draft.table("expect", "body")
        inner = _called("pat", right)
        plain = re.fullmatch(r"\*+([^*?\[\]\\/]+)\*+", inner) if inner is not None else None
        key, value = ("contains", plain[1]) if plain else ("matches", rf"^\s*(?:{_pattern(right)})\s*$")
        rules.setdefault(key if sign == "==" else f"not_{key}", []).append(value)

    def _function(self, place: str, left: str, sign: str, right: str) -> None:
        path = _json_path(left[len("len([BODY]") : -1])
        if left.lower().startswith("has("):
            if sign not in ("==", "!=") or right not in ("true", "false"):
                raise Cannot("has() is true or false")
            if path == "$":
                raise Cannot("that there is a body at all cannot be said here")
            self._rule(path, "exists", (right == "true") is (sign == "=="))
            return
        if not re.fullmatch(r"[0-9]{1,9}", right):
            raise Cannot("the length is not compared with a number")
        self._length(path, sign, int(right))
        self.draft.differs(
            place, f"len(): taken for the length of an array at {path}; that of a text cannot be expected"
        )

    def _length(self, path: str, sign: str, wanted: int) -> None:
        """An array has at least n elements if there is one at n-1."""
        least = {"==": wanted, ">=": wanted, ">": wanted + 1}.get(sign, 0)
        most = {"==": wanted, "<=": wanted, "<": wanted - 1}.get(sign)
        if sign == "!=" or (most is not None and most < 0):
            raise Cannot("such a length cannot be expected here")
        if least:
            self._rule(f"{path}[{least - 1}]", "exists", True)
        else:
            self._rule(path, "exists", True)
        if most is not None:
            self._rule(f"{path}[{most}]", "exists", False)

    def _json(self, place: str, inner: str, sign: str, right: str) -> None:
        path = _json_path(inner)
        if sign in _NUMERIC:
            self._rule(path, _RULES[sign], _plain_number(_number(right)))
        elif _is_function(right):
            inner_any = _called("any", right)
            if inner_any is not None and any(not isinstance(_typed(o.strip()), str) for o in inner_any.split(",")):
                raise Cannot("a list of numbers cannot be expected here; texts can")
            self._rule(path, "matches" if sign == "==" else "not_matches", f"(?s)^(?:{_pattern(right)})$")
        else:
            value = _typed(right)
            self._rule(path, _RULES[sign], value)
            if not isinstance(value, str):
                kind = "true or false" if isinstance(value, bool) else "a number"
                self.draft.differs(place, f"{path}: has to be {kind} in the JSON; Gatus takes the text {right} too")

    def _rule(self, path: str, key: str, value: object) -> None:
        table = self.draft.table("expect", "json").setdefault(path, {})
        if table.setdefault(key, value) != value:
            raise Cannot(f"{path} has another {key} already, and each can be said once")


def _parsed(text: str) -> tuple[str, str, str]:
    for comparison in _OPERATORS:
        left, found, right = text.partition(comparison)
        if found:
            left, sign, right = left.strip(), comparison.strip(), right.strip()
            if not _placeholder(left) and _placeholder(right):
                return right, _MIRRORED.get(sign, sign), left
            if _placeholder(right):
                raise Cannot("both sides depend on the answer")
            return left, sign, right
    raise Cannot("it has no comparison")


def _placeholder(side: str) -> bool:
    return re.match(r"(?i)(?:(?:len|has)\()?\[(?:[A-Z_]+)\]", side) is not None


def _called(function: str, text: str) -> str | None:
    return text[len(function) + 1 : -1] if text.startswith(f"{function}(") and text.endswith(")") else None


def _is_function(text: str) -> bool:
    return _called("pat", text) is not None or _called("any", text) is not None


def _pattern(right: str) -> str:
    """RE2 for a text, for any(…) of texts, or for pat(…), a glob."""
    glob, options = _called("pat", right), _called("any", right)
    if glob is not None:
        return _of_glob(glob)
    if options is not None:
        return "|".join(re2.escape(option.strip()) for option in options.split(","))
    return str(re2.escape(right))


def _of_glob(glob: str) -> str:
    """Go's filepath.Match; slashes do not count in Gatus, and do here."""
    found, position = "", 0
    while position < len(glob):
        character = glob[position]
        group = re.match(r"\[\^?(?:[^\]\\]|\\.)+\]", glob[position:]) if character == "[" else None
        if group:
            found += group[0]
            position += len(group[0])
            continue
        if character == "\\" and position + 1 < len(glob):
            position += 1
            found += re2.escape(glob[position])
        else:
            found += {"*": "(?s:.*)", "?": "(?s:.)"}.get(character) or re2.escape(character)
        position += 1
    return found


def _status_holds(status: str, sign: str, right: str) -> bool:
    if sign in _NUMERIC:
        return _NUMERIC[sign](int(status), _number(right))
    try:
        same = re2.compile(f"^(?:{_pattern(right)})$").match(status) is not None
    except re2.error:
        raise Cannot("its pattern is not valid") from None
    return same is (sign == "==")


def _number(text: str) -> float:
    """Gatus reads durations as milliseconds."""
    try:
        return float(text[:40])
    except ValueError:
        found = seconds(text)
    if found is None:
        raise Cannot("it is not compared with a number")
    return found * 1000


def _milliseconds(text: str) -> float:
    found = _number(text)
    if not 0 < found < 1e15:
        raise Cannot("the bound has to be above 0")
    return found


def _plain_number(value: float) -> int | float:
    if not abs(value) < 1e15:
        raise Cannot("the number is too large")
    return int(value) if value == int(value) else value


def _typed(text: str) -> object:
    """The JSON value that a text most likely means."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?", text):
        return float(text) if "." in text else int(text)
    return text


def _json_path(path: str) -> str:
    """RFC 9535 for Gatus's own paths: `.data.items[0].id`, `[0].id`."""
    found, position = "$", 0
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None:
            raise Cannot("its path is not understood")
        position = match.end()
        key = match[1]
        if key is None:
            found += f"[{match[2]}]"
        elif re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key):
            found += f".{key}"
        else:
            escaped = key.replace("\\", "\\\\").replace("'", "\\'")
            found += f"['{escaped}']"
    return found
