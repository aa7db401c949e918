"""Logging: every line, ours or a library's, takes one way out, and no configured secret leaves by it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from monitor.model.settings import LogSpec
from monitor.secrets.redaction import Redactor
from monitor.secrets.visible import visible

ACCESS_LOGGER = "monitor.access"
"""Requests answered by our own web server are logged here, at info, if the configuration wants them."""

QUIET = ("apscheduler", "aiohttp.access")
"""Libraries that log every run or request; only their warnings matter."""

_LONGEST = 32 * 1024
"""Characters of a traceback, or of a library's message, that are logged."""
_OWN = ("level", "timestamp", "logger")
_FIRST = ("event", *_OWN)
_PLAIN = (bool, int, float, type(None))

Provider = Callable[[], Iterable[Redactor]]


def hide(provider: Provider) -> None:
    """Strike what the provider's redactors know out of every event from now on.

    It is called once per line, so a reload needs no second call; one redactor over all secrets is the fastest answer.
    """
    _hidden.provider = provider


def configure(spec: LogSpec, stream: TextIO | None = None) -> None:
    """Send structlog and stdlib logging to a stream (stderr unless given), as configured; may be repeated."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(_format(spec, stream), stream))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(spec.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    access = logging.INFO if spec.access else logging.WARNING
    logging.getLogger(ACCESS_LOGGER).setLevel(access)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Hidden:
    """The one provider in force."""

    def __init__(self) -> None:
        self.provider: Provider = tuple


_hidden = _Hidden()
_NOTHING = (Redactor(()),)
"""Knows no secret, and still cleans the URLs in foreign text."""

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


def _format(spec: LogSpec, stream: TextIO) -> Literal["console", "json"]:
    if spec.format != "auto":
        return spec.format
    return "console" if stream.isatty() else "json"


def _formatter(form: str, stream: TextIO) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redact,
            _harmless,
            *(_console(stream) if form == "console" else _json(stream)),
        ],
    )


def _console(stream: TextIO) -> list[Processor]:
    colours = stream.isatty() and not os.environ.get("NO_COLOR")
    return [structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0)]


def _json(stream: TextIO) -> list[Processor]:
    # «»– as themselves where the stream can write them, or `journalctl` shows escapes instead of sentences.
    ascii_only = (getattr(stream, "encoding", None) or "utf-8").lower() != "utf-8"
    render = structlog.processors.JSONRenderer(json.dumps, ensure_ascii=ascii_only)
    return [_ordered, render]


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    head = {name: event.pop(name) for name in _FIRST if name in event}
    return head | dict(event)


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Our own words lose the secrets; a traceback and a library's words lose the values in URLs as well."""
    redactors = tuple(_hidden.provider()) or _NOTHING
    library = not event.pop("_from_structlog")
    del event["_record"]
    for name in event.keys() - _OWN:
        event[name] = _clean(event[name], redactors, library or name == "exception")
    return event


def _clean(value: Any, redactors: tuple[Redactor, ...], foreign: bool) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {_text(str(k), redactors, foreign): _clean(v, redactors, foreign) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(v, redactors, foreign) for v in value]
    # An exception's or an object's text is not written by us, and may carry a URL.
    return _text(str(value), redactors, foreign or not isinstance(value, str))


def _text(text: str, redactors: tuple[Redactor, ...], foreign: bool) -> str:
    for redactor in redactors:
        text = redactor.foreign(text, _LONGEST) if foreign else redactor.ours(text, limit=None)
    # A lone surrogate, from a file name for instance, can be written to no stream.
    return text.encode("utf-8", "backslashreplace").decode()


def _harmless(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Foreign text must neither drive the terminal it is shown on nor hide what it says."""
    for name, value in event.items():
        if isinstance(value, str):
            keep = "\n\t" if name == "exception" else ""
            event[name] = visible(value, keep)
    return event
