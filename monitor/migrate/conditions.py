"""Gatus's conditions as `expect`: each becomes a rule here, or a sentence that says why it cannot."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from monitor.migrate.condition_text import (
    NUMERIC,
    STATUSES,
    Cannot,
    called,
    is_function,
    json_path,
    milliseconds,
    number,
    parsed,
    pattern,
    plain_number,
    statuses,
)
from monitor.migrate.draft import Draft
from monitor.migrate.values import duration, json_value, ranges

_RULES = {"==": "equals", "!=": "not_equals", "<": "less_than", "<=": "at_most", ">": "greater_than", ">=": "at_least"}
_ELSEWHERE = {
    "[IP]": "the address cannot be expected here; it is in every result",
    "[DNS_RCODE]": "answers of name servers cannot be expected here",
    "[DOMAIN_EXPIRATION]": "the end of a domain's registration is not looked up here",
}


@dataclass(slots=True)
class Conditions:
    """The conditions of one endpoint, gathered."""

    draft: Draft
    statuses: set[int] = field(default_factory=lambda: set(STATUSES))
    slowest: float = math.inf
    ending: float = 0.0
    """The strictest bounds so far, in milliseconds."""

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
        left, sign, right = parsed(text)
        subject = left.upper()
        if subject == "[STATUS]":
            self.statuses &= statuses(sign, right)
        elif subject == "[RESPONSE_TIME]":
            self._latency(place, sign, right)
        elif subject == "[CERTIFICATE_EXPIRATION]":
            self._certificate(place, sign, right)
        elif subject == "[CONNECTED]":
            if (sign, right) not in (("==", "true"), ("!=", "false")):
                self.draft.pause(place, f"condition {text}: a check that fails if it can connect is not to be had here")
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
        self.slowest = min(self.slowest, milliseconds(right))
        self.draft.table("expect")["latency"] = duration(self.slowest / 1000)
        self.draft.differs(
            place,
            "[RESPONSE_TIME]: slower is degraded here, not down; it covers the whole run with its body and redirects, "
            "Gatus stops at the head; to have it down, write it as timeout.total",
        )

    def _certificate(self, place: str, sign: str, right: str) -> None:
        if sign not in (">", ">="):
            raise Cannot("only a lower bound can be expected of it")
        self.ending = max(self.ending, milliseconds(right))
        self.draft.table("tls")["expiry_warning"] = duration(self.ending / 1000)
        self.draft.differs(
            place, "[CERTIFICATE_EXPIRATION]: a certificate that ends earlier is degraded here, not down"
        )

    def _body(self, sign: str, right: str) -> None:
        if sign not in ("==", "!="):
            raise Cannot("a text is neither higher nor lower")
        inner = called("pat", right)
        plain = re.fullmatch(r"\*+([^*?\[\]\\/]+)\*+", inner) if inner is not None else None
        key, value = ("contains", plain[1]) if plain else ("matches", rf"^\s*(?:{pattern(right)})\s*$")
        rules = self.draft.table("expect", "body")
        rules.setdefault(key if sign == "==" else f"not_{key}", []).append(value)

    def _function(self, place: str, left: str, sign: str, right: str) -> None:
        path = json_path(left[len("len([BODY]") : -1])
        if "[*]" in path:
            raise Cannot("what every element has cannot be expected here")
        if left.lower().startswith("has("):
            if sign not in ("==", "!=") or right not in ("true", "false"):
                raise Cannot("has() is true or false")
            if path == "$":
                raise Cannot("that there is a body at all cannot be said here")
            self._rule(path, "exists", (right == "true") is (sign == "=="))
            return
        if path == "$":
            raise Cannot("the length of a body cannot be expected here")
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
        path = json_path(inner)
        if "[*]" in path:
            if sign == "!=":
                raise Cannot("an empty list would be a success here, and is a failure there")
            self.draft.differs(place, f"{path}: elements without this field are passed over here, and fail there")
        if sign in NUMERIC:
            self._rule(path, _RULES[sign], plain_number(number(right)))
        elif is_function(right):
            inner_any = called("any", right)
            if inner_any is not None and any(not isinstance(json_value(o.strip()), str) for o in inner_any.split(",")):
                raise Cannot("a list of numbers cannot be expected here; texts can")
            self._rule(path, "matches" if sign == "==" else "not_matches", f"(?s)^(?:{pattern(right)})$")
        else:
            value = json_value(right)
            self._rule(path, _RULES[sign], value)
            if not isinstance(value, str):
                kind = "true or false" if isinstance(value, bool) else "a number"
                self.draft.differs(place, f"{path}: has to be {kind} in the JSON; Gatus takes the text {right} too")

    def _rule(self, path: str, key: str, value: object) -> None:
        table = self.draft.table("expect", "json").setdefault(path, {})
        if table.setdefault(key, value) != value:
            raise Cannot(f"{path} has another {key} already, and each can be said once")
