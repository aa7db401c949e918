"""Words an HTTP check and its answer: for tables and documents, for the page, and as options of commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from monitor.model.answer import Answer, HttpAnswer
from monitor.model.request import BasicAuth, BearerAuth, Body, Expect, HttpRequest, Rule
from monitor.model.spec import CheckSpec
from monitor.protocols.protocol import Facts, Option
from monitor.secrets.secret import MASK, shown

_LONGEST_BODY = 2000
_BLANK = HttpRequest()
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


def facts(answer: Answer | None) -> Facts:
    """Returns the facts of an answer over HTTP."""
    if not isinstance(answer, HttpAnswer):
        return Facts(document=_document(HttpAnswer()), details=_details(HttpAnswer()))
    came = [] if answer.status is None else [str(answer.status)]
    came += [] if answer.version is None else [f"HTTP/{answer.version}"]
    return Facts(
        status="–" if answer.status is None else str(answer.status),
        headline="" if answer.status is None else f"status {answer.status}",
        words=(*came, *_size(answer)),
        requests=answer.hops,
        document=_document(answer),
        details=_details(answer),
    )


def asks(spec: CheckSpec) -> str:
    """The method and the URL."""
    assert isinstance(spec.request, HttpRequest)
    return f"{spec.request.method} {spec.target}"


def _document(answer: HttpAnswer) -> dict[str, object]:
    return {
        "status_code": answer.status,
        "http_version": answer.version,
        "redirects": answer.redirects,
        "body_bytes": answer.figures.body_bytes,
    }


def _details(answer: HttpAnswer) -> dict[str, object]:
    hops = [{"method": hop.method, "url": hop.url, "status_code": hop.status} for hop in answer.hops]
    return {"content_length": answer.figures.content_length, "hops": hops}


def _size(answer: HttpAnswer) -> Iterator[str]:
    read, announced = answer.figures.body_bytes, answer.figures.content_length
    if read is None:
        return
    # Decoded and announced sizes differ under compression and when the body was cut off; both are then worth seeing.
    both = "" if announced is None or announced == read else f" (Content-Length {announced:,})"
    yield f"{read:,} bytes of body{both}"


def settings(asked: HttpRequest) -> Iterator[tuple[str, str]]:
    """Keys and values that are not the defaults, the method and the expectations always."""
    for field in fields(HttpRequest):
        value = getattr(asked, field.name)
        if field.name == "headers":
            for name, content in value:
                yield f"headers.{name}", shown(content)
        elif field.name == "expect":
            yield "expect", " · ".join(expectation(value))
        elif field.name == "method" or value != getattr(_BLANK, field.name):
            yield field.name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, (BasicAuth, BearerAuth)):
        return "basic, hidden" if isinstance(value, BasicAuth) else "bearer, hidden"
    if isinstance(value, Body):
        kind = f" of {value.content_type}" if value.content_type else ""
        return "hidden" if value.secret else f"{len(value.data):,} bytes{kind}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def expectation(expect: Expect) -> list[str]:
    """Lists the conditions of a good answer, one phrase for each."""
    phrases = [", ".join(_status(low, high) for low, high in expect.status)]
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


def unsaid(spec: CheckSpec) -> list[str]:
    """Keys of the check that `monitor probe` has no option for."""
    asked = spec.request
    assert isinstance(asked, HttpRequest)
    expect = asked.expect
    found = {
        "expect.headers": expect.headers,
        "expect.body": len(expect.body) - len(_contained(asked)),
        "expect.json": expect.json,
        "expect.http_version": expect.http_version,
        "expect.latency": spec.latency,
        "allow_downgrade": asked.allow_downgrade,
        "max_body": asked.max_body != _BLANK.max_body,
    }
    return [key for key, said in found.items() if said]


def options(asked: HttpRequest) -> Iterator[Option]:
    """Yields the options for request and expectations."""
    yield from _request(asked)
    yield from _answer(asked)


def _request(asked: HttpRequest) -> Iterator[Option]:
    if asked.method != ("POST" if asked.body else "GET"):
        yield Option(("-X", asked.method), ("--head",) if asked.method == "HEAD" else None)
    for name, value in asked.headers:
        yield Option(("-H", f"{name}: {shown(value)}"))
    if isinstance(asked.auth, BasicAuth):
        yield Option(("-u", f"{shown(asked.auth.username)}:{MASK}"))
    elif isinstance(asked.auth, BearerAuth):
        yield Option(("--bearer", MASK), ("-H", f"Authorization: Bearer {MASK}"))
    body = asked.body
    if body is not None:
        hidden = body.secret or len(body.data) > _LONGEST_BODY
        text = MASK if hidden else body.data.decode("utf-8", "replace")
        if body.content_type is not None:
            yield Option(("-H", f"Content-Type: {body.content_type}"))
        yield Option(("-d", text), ("--data-raw", text))


def _contained(asked: HttpRequest) -> list[str]:
    """Returns the text that the body has to contain, if one option can express it."""
    found = [shown(rule.operand) for rule in asked.expect.body if rule.operator == "contains"]
    return found if len(found) == 1 else []


def _answer(asked: HttpRequest) -> Iterator[Option]:
    if asked.expect.status != ((200, 399),):
        for low, high in asked.expect.status:
            yield Option(("--expect-status", str(low) if low == high else f"{low}-{high}"), ())
    for text in _contained(asked):
        yield Option(("--expect-body", text), ())
    if not asked.follow_redirects:
        yield Option(("--no-follow",), ())
        return
    changed = asked.max_redirects != _BLANK.max_redirects
    most = str(asked.max_redirects)
    yield Option(("--max-redirects", most) if changed else (), ("--location", "--max-redirs", most))
