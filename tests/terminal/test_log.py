"""What leaves by the log: one line per event, in one shape, from whichever library, and without secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from monitor.model.settings import LogSpec
from monitor.secrets.redaction import Redactor
from monitor.system import log

SECRET = "swordfish-7"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in (*log.QUIET, log.ACCESS_LOGGER)}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    log.hide(tuple)


def configured(stream: io.StringIO | None = None, **settings: Any) -> io.StringIO:
    stream = io.StringIO() if stream is None else stream
    log.configure(LogSpec(**{"format": "json", **settings}), stream)
    return stream


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_the_event_first() -> None:
    stream = configured()
    structlog.get_logger("monitor.service").info("started", listen="127.0.0.1:8420", note="two\nlines «»")
    (event,) = events(stream)
    assert list(event) == ["event", "level", "timestamp", "logger", "listen", "note"]
    assert event["event"] == "started"
    assert event["logger"] == "monitor.service"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event["timestamp"])
    assert "«»" in stream.getvalue()


def test_libraries_take_the_same_way() -> None:
    stream = configured()
    logging.getLogger("aiohttp.server").error("cannot handle %s", "it", extra={"peer": "192.0.2.7"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    error, warning = events(stream)
    assert (error["event"], error["logger"], error["peer"]) == ("cannot handle it", "aiohttp.server", "192.0.2.7")
    assert warning["logger"] == "py.warnings"


@pytest.mark.parametrize("name", log.QUIET)
def test_chatty_libraries_are_heard_only_when_they_warn(name: str) -> None:
    stream = configured(level="debug")
    logging.getLogger(f"{name}.part").info("as usual")
    logging.getLogger(f"{name}.part").warning("not as usual")
    assert [event["event"] for event in events(stream)] == ["not as usual"]


@pytest.mark.parametrize(("access", "lines"), [(True, 1), (False, 0)])
def test_access_is_logged_if_wanted_whatever_the_level(access: bool, lines: int) -> None:
    stream = configured(access=access, level="error")
    logging.getLogger(log.ACCESS_LOGGER).info("GET /metrics")
    assert len(events(stream)) == lines


def test_level_holds_for_ours_and_for_libraries() -> None:
    stream = configured(level="warning")
    structlog.get_logger("monitor.service").info("no")
    logging.getLogger("asyncio").info("no")
    structlog.get_logger("monitor.service").warning("yes")
    assert [event["event"] for event in events(stream)] == ["yes"]


def test_a_traceback_is_one_string_without_secrets() -> None:
    stream = configured()
    log.hide(lambda: [Redactor([SECRET])])
    try:
        int(f"https://user:pw@example.com/?key=abcdefg {SECRET}")
    except ValueError:
        structlog.get_logger("monitor.service").exception("failed")
    (event,) = events(stream)
    assert event["exception"].startswith("Traceback")
    assert (
        "ValueError: invalid literal for int() with base 10: 'https://***@example.com/?key=*** ***'"
        in event["exception"]
    )
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_struck_from_every_value(form: str) -> None:
    stream = configured(format=form)
    log.hide(lambda: [Redactor([SECRET])])
    structlog.get_logger("monitor.service").info(
        f"said {SECRET}", plain=SECRET, nested={SECRET: [SECRET, (SECRET, 3)]}, error=ValueError(SECRET)
    )
    logging.getLogger("asyncio").error("task %s", SECRET, extra={"found": SECRET})
    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count("***") == 8


def test_secrets_are_asked_for_anew_with_every_line() -> None:
    stream = configured()
    known: list[Redactor] = []
    log.hide(lambda: known)
    logger = structlog.get_logger("monitor.service")
    logger.info(SECRET)
    known.append(Redactor([SECRET]))
    logger.info(SECRET)
    assert [event["event"] for event in events(stream)] == [SECRET, "***"]


def test_numbers_stay_numbers_even_if_they_spell_a_secret() -> None:
    stream = configured()
    log.hide(lambda: [Redactor(["1234567"])])
    structlog.get_logger("monitor.service").info("done", port=1234567, ok=True, nothing=None)
    (event,) = events(stream)
    assert (event["port"], event["ok"], event["nothing"]) == (1234567, True, None)


def test_auto_is_console_on_a_terminal_and_json_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = configured(Screen(), format="auto")
    structlog.get_logger("monitor.service").info("started")
    assert "\x1b[" in screen.getvalue()
    plain = configured(format="auto")
    structlog.get_logger("monitor.service").info("started")
    assert events(plain)[0]["event"] == "started"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = configured(Screen(), format="console")
    structlog.get_logger("monitor.service").info("started")
    assert "\x1b[" not in screen.getvalue()


def test_foreign_text_cannot_drive_the_terminal() -> None:
    stream = configured(format="console")
    structlog.get_logger("monitor.service").info("answer", body="\x1b[2J\u202eevil")
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_text_that_no_stream_can_carry_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    log.configure(LogSpec(format="json"), stream)
    structlog.get_logger("monitor.service").info("read", file="caf\udce9")
    stream.flush()
    assert json.loads(raw.getvalue())["file"] == r"caf\udce9"
