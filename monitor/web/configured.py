"""Shows a check's configuration in the words of checks.toml, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from monitor.model.spec import BasicAuth, BearerAuth, Body, CheckSpec, Expect, FileRef, Limits, TlsSpec
from monitor.secrets.secret import Secret, shown, shown_url
from monitor.web.wording import every, expectation

_LEFT_OUT = {"name", "url", "target", "title", "secrets", "group", "labels", "description", "runbook", "was"}
"""Fields that the page shows elsewhere, or that checks.toml does not contain."""
_ALWAYS = {"interval", "limits", "method", "expect"}
_BLANK = CheckSpec("", "", "")


def configured(spec: CheckSpec) -> list[tuple[str, str]]:
    """Keys and values that are not the defaults, and those that everybody looks for."""
    hide = spec.redactor.foreign
    named = [("name", spec.name)] if spec.title else []
    return [*named, ("url", spec.target), *((key, hide(value)) for key, value in _keys(spec))]


def _keys(spec: CheckSpec) -> Iterator[tuple[str, str]]:
    for field in fields(CheckSpec):
        value = getattr(spec, field.name)
        if field.name in _LEFT_OUT or (value == getattr(_BLANK, field.name) and field.name not in _ALWAYS):
            continue
        yield from _said(field.name, value)


def _said(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Limits):
        limits = (("connect", value.connect), ("read", value.read), ("total", value.total))
        yield "timeout", ", ".join(f"{name} {every(limit)}" for name, limit in limits)
    elif isinstance(value, Expect):
        yield "expect", " · ".join(expectation(value))
    elif isinstance(value, TlsSpec):
        yield from _tls(value)
    elif key == "headers":
        for name, content in value:
            yield f"headers.{name}", shown(content)
    else:
        yield key, _plain(key, value)


def _tls(value: TlsSpec) -> Iterator[tuple[str, str]]:
    for field in fields(TlsSpec):
        if field.name == "expiry_down" or (field.name == "expiry_warning" and value.expiry_share is not None):
            continue  # parts of one key
        if getattr(value, field.name) != getattr(_BLANK.tls, field.name):
            yield f"tls.{field.name}", _plain(field.name, getattr(value, field.name))
    if value.expiry_down:
        yield "tls.expiry_warning.down", "true"


def _plain(key: str, value: Any) -> str:
    if key == "expiry_share":
        return f"{value:.4g} of the lifetime"
    if key in ("interval", "retry_interval", "expiry_warning"):
        return every(value) if value else "never"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, FileRef):
        return value.path
    if isinstance(value, (BasicAuth, BearerAuth)):
        return "basic, hidden" if isinstance(value, BasicAuth) else "bearer, hidden"
    if isinstance(value, Body):
        return (
            "hidden"
            if value.secret
            else f"{len(value.data):,} bytes" + (f" of {value.content_type}" if value.content_type else "")
        )
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value if one is not None) if key != "connect_to" else _place(value)
    return shown_url(value) if isinstance(value, (str, Secret)) else str(value)


def _place(value: tuple[str, int | None]) -> str:
    host, port = value
    return host if port is None else f"{host}:{port}"
