"""Checks and results from keys side by side, as tests like to write them, and the HTTP answer of a result."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from monitor.model.answer import HttpAnswer, HttpFigures
from monitor.model.request import HttpRequest
from monitor.model.result import Result
from monitor.model.route import Route
from monitor.model.spec import CheckSpec

_ROUTE = {field.name for field in fields(Route)}
_REQUEST = {field.name for field in fields(HttpRequest)}
_ANSWER = {"status_code": "status", "http_version": "version", "redirects": "redirects", "hops": "hops"}
_FIGURES = ("content_length", "body_bytes")


def flat_spec(*place: Any, **over: Any) -> CheckSpec:
    """A check; keys of the route and of the HTTP request stand beside the others."""
    return changed(CheckSpec(*place, **{key: value for key, value in over.items() if key in _OWN}), **over)


def changed(spec: CheckSpec, **over: Any) -> CheckSpec:
    """The check with other keys."""
    own = {key: value for key, value in over.items() if key in _OWN}
    route = {key: value for key, value in over.items() if key in _ROUTE}
    request = {key: value for key, value in over.items() if key in _REQUEST}
    assert own.keys() | route.keys() | request.keys() == over.keys(), over
    if request:
        own["request"] = replace(own.get("request", spec.request), **request)
    if route:
        own["route"] = replace(own.get("route", spec.route), **route)
    return replace(spec, **own)


_OWN = {field.name for field in fields(CheckSpec)}


def flat_result(*place: Any, **over: Any) -> Result:
    """A result; what came over HTTP stands beside the other facts."""
    answer = {_ANSWER[key]: over.pop(key) for key in tuple(over) if key in _ANSWER}
    figures = {key: over.pop(key) for key in tuple(over) if key in _FIGURES}
    if answer or figures:
        over["answer"] = HttpAnswer(**answer, figures=HttpFigures(**figures))
    return Result(*place, **over)


def http(result: Result) -> HttpAnswer:
    """What came over HTTP; an answer without anything if nothing did."""
    return result.answer if isinstance(result.answer, HttpAnswer) else HttpAnswer()
