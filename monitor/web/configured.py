"""Shows a check's configuration in the words of checks.toml, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from monitor.model.route import FileRef, Route, TlsSpec
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.registry import protocol_of
from monitor.secrets.secret import Secret, shown_url
from monitor.web.wording import every

_TIMES = ("down_after", "up_after", "retry_interval", "degraded_after")
_DURATIONS = ("interval", "retry_interval", "expiry_warning")
_BLANK, _ROUTE, _TLS = CheckSpec("", "", ""), Route(), TlsSpec()


def configured(spec: CheckSpec) -> list[tuple[str, str]]:
    """Keys and values that are not the defaults, and those that everybody looks for."""
    hide = spec.redactor.foreign
    named = [("name", spec.name)] if spec.title else []
    return [*named, ("url", spec.target), *((key, hide(value)) for key, value in _keys(spec))]


def _keys(spec: CheckSpec) -> Iterator[tuple[str, str]]:
    if not spec.enabled:
        yield "enabled", "false"
    yield "interval", every(spec.interval)
    yield "timeout", _limits(spec.limits)
    for key in _TIMES:
        if getattr(spec, key) != getattr(_BLANK, key):
            yield key, _plain(key, getattr(spec, key))
    yield from protocol_of(spec).settings(spec.request)
    if spec.latency is not None:
        yield "expect.latency", every(spec.latency) + (", or down" if spec.latency_down else "")
    for field in fields(Route):
        value = getattr(spec.route, field.name)
        if field.name != "tls" and value != getattr(_ROUTE, field.name):
            yield field.name, _plain(field.name, value)
    yield from _tls(spec.route.tls)


def _limits(limits: Limits) -> str:
    three = (("connect", limits.connect), ("read", limits.read), ("total", limits.total))
    return ", ".join(f"{name} {every(limit)}" for name, limit in three)


def _tls(value: TlsSpec) -> Iterator[tuple[str, str]]:
    for field in fields(TlsSpec):
        if field.name == "expiry_down" or (field.name == "expiry_warning" and value.expiry_share is not None):
            continue  # parts of one key
        if getattr(value, field.name) != getattr(_TLS, field.name):
            yield f"tls.{field.name}", _plain(field.name, getattr(value, field.name))
    if value.expiry_down:
        yield "tls.expiry_warning.down", "true"


def _plain(key: str, value: Any) -> str:
    if key == "expiry_share":
        return f"{value:.4g} of the lifetime"
    if key in _DURATIONS:
        return every(value) if value else "never"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, FileRef):
        return value.path
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value if one is not None) if key != "connect_to" else _place(value)
    return shown_url(value) if isinstance(value, (str, Secret)) else str(value)


def _place(value: tuple[str, int | None]) -> str:
    host, port = value
    return host if port is None else f"{host}:{port}"
