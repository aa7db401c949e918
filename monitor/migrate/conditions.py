"""Gatus's conditions as `expect`: each becomes a rule here, or a sentence that says why it cannot."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from monitor.migrate import condition_rules as rules
from monitor.migrate.condition_text import NoCounterpart, json_path, milliseconds, number, parsed, statuses
from monitor.migrate.draft import Draft
from monitor.migrate.values import STATUSES, duration, ranges

_ELSEWHERE = {
    "[IP]": "the address cannot be expected here; it is in every result",
    "[DNS_RCODE]": "answers of name servers cannot be expected here",
    "[DOMAIN_EXPIRATION]": "the end of a domain's registration is not looked up here",
}
_FUNCTION = re.compile(r"(?i)(len|has)\((\[(?:BODY|HEADER)\].*)\)", re.DOTALL)
_SHORTEST = 1000.0
"""Milliseconds; what «longer than 0» becomes: the certificate has not ended."""


@dataclass(slots=True)
class Conditions:
    """The conditions of one endpoint, gathered."""

    draft: Draft
    statuses: set[int] = field(default_factory=lambda: set(STATUSES))
    slowest: float = math.inf
    ending: float = 0.0
    """The strictest bounds so far, in milliseconds."""
    is_json: bool = False
    """True if a condition reads the body as JSON."""
    lengths: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Conditions on the length of the whole body: place, left side, comparison, right side."""

    def add(self, place: str, text: str) -> None:
        """One condition; noted if it cannot be carried over."""
        try:
            self._add(place, text)
        except NoCounterpart as why:
            self._lost(place, text, why)

    def finish(self, place: str) -> None:
        """Write what depends on all conditions: the statuses (any, if no condition says so), the length of the body."""
        for where, left, sign, right in self.lengths:
            try:
                self._whole_length(where, sign, right)
            except NoCounterpart as why:
                self._lost(where, f"{left} {sign} {right}", why)
        if self.statuses:
            self.draft.table("expect")["status"] = ranges(self.statuses)
        else:
            self.draft.pause(place, "the conditions on [STATUS] contradict one another")

    def _lost(self, place: str, text: str, why: NoCounterpart) -> None:
        rules.prune(self.draft)
        self.draft.lost(place, f"condition {text}: {why}")

    def _add(self, place: str, text: str) -> None:
        left, sign, right = parsed(text)
        subject = left.upper()
        function = _FUNCTION.fullmatch(left)
        if function:
            self._function(place, function[1].lower(), function[2], (sign, right))
        elif subject == "[STATUS]":
            self.statuses &= statuses(sign, right)
        elif subject == "[RESPONSE_TIME]":
            self._latency(place, sign, right)
        elif subject == "[CERTIFICATE_EXPIRATION]":
            self._certificate(sign, right)
        elif subject == "[CONNECTED]":
            if (sign, right) not in (("==", "true"), ("!=", "false")):
                self.draft.pause(place, f"condition {text}: no check here fails because it can connect")
        elif subject == "[BODY]":
            rules.body(self.draft, sign, right)
        elif subject.startswith(("[BODY].", "[BODY][")):
            rules.json(self.draft, place, left[len("[BODY]") :], sign, right)
            self.is_json = True
        elif subject.startswith("[HEADER]."):
            rules.header(self.draft, left[len("[HEADER].") :], sign, right)
        else:
            raise NoCounterpart(_ELSEWHERE.get(subject, "there is nothing like it here"))

    def _latency(self, place: str, sign: str, right: str) -> None:
        if sign not in ("<", "<="):
            raise NoCounterpart("only an upper bound can be expected of the time")
        self.slowest = min(self.slowest, milliseconds(right))
        self.draft.table("expect")["latency"] = {"limit": duration(self.slowest / 1000), "down": True}
        self.draft.differs(
            place,
            "[RESPONSE_TIME]: the limit is for the whole run, with its body and redirects; Gatus stops at the head",
        )

    def _certificate(self, sign: str, right: str) -> None:
        if sign not in (">", ">="):
            raise NoCounterpart("only a lower bound can be expected of it")
        self.ending = max(self.ending, _SHORTEST if number(right) == 0 else milliseconds(right))
        self.draft.table("tls")["expiry_warning"] = {"within": duration(self.ending / 1000), "down": True}

    def _function(self, place: str, function: str, inner: str, comparison: tuple[str, str]) -> None:
        subject, (sign, right) = inner.upper(), comparison
        if subject == "[BODY]":
            if function == "has":  # a body of at least one character
                sign, right = (">" if _truth(sign, right) else "=="), "0"
            self.lengths.append((place, f"{function}({inner})", sign, right))
        elif subject.startswith("[HEADER]."):
            if function == "len":
                raise NoCounterpart("the length of a header cannot be expected here")
            rules.header_exists(self.draft, inner[len("[HEADER].") :], _truth(sign, right))
        elif subject.startswith(("[BODY].", "[BODY][")):
            path = json_path(inner[len("[BODY]") :])
            if function == "len":
                rules.json_length(self.draft, place, path, sign, right)
            elif "[*]" in path:
                raise NoCounterpart("that every element has a field cannot be expected here")
            else:
                rules.json_rule(self.draft, path, "exists", _truth(sign, right))
            self.is_json = True
        else:
            raise NoCounterpart("its path is not understood")

    def _whole_length(self, place: str, sign: str, right: str) -> None:
        """Gatus counts the elements of JSON, and the bytes of anything else."""
        if self.is_json:
            rules.json_length(self.draft, place, "$", sign, right)
            return
        rules.add_length(self.draft.table("expect", "body"), sign, right)
        self.draft.differs(
            place,
            "len([BODY]): the characters of the body; if it is JSON, Gatus counts its elements: "
            'write expect.json."$".length',
        )


def _truth(sign: str, right: str) -> bool:
    if sign not in ("==", "!=") or right not in ("true", "false"):
        raise NoCounterpart("has() is true or false")
    return (right == "true") is (sign == "==")
