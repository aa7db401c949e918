"""Reads the file: bytes to text to TOML; reports errors with a sentence and a line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from monitor.keys.files import Files
from monitor.model.errors import ConfigError, Problem

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

_PLAINER = {
    "Cannot overwrite a value": "this key or table is given already",
    "Cannot mutate immutable namespace": "this table is complete already and cannot be added to",
    "Expected newline or end of document after a statement": "there is something after the end of the value",
    "Expected '=' after a key in a key/value pair": "there is no `=` after the key",
    "Invalid value": "there is no valid value (texts need quotes)",
    "Invalid statement": "this is neither `key = value` nor `[table]`",
    "Unclosed array": "an array is not closed",
    "Unterminated string": "a string is not closed",
    "Illegal character '\\n'": "a string is not closed in its line",
    "Illegal character '\\r'": "a string is not closed in its line",
}


def read(path: Path, files: Files) -> str:
    """The text of the file; raises `ConfigError`."""
    try:
        content = files.whole(path)
    except (OSError, ValueError) as error:
        raise _refused(path, 0, f"cannot be read: {_why(error)}") from None
    try:
        text = content.decode("utf-8-sig")  # some editors put a byte order mark first
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(path, line, "the file is not UTF-8 text", "save it as UTF-8") from None
    if not text.strip():  # far more often a write that was cut short than intended
        raise _refused(path, 0, "the file is empty", "a file with only [monitor] in it starts without checks")
    return text


def parse(text: str, path: Path) -> dict[str, Any]:
    """The TOML document in the text; raises `ConfigError`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(path, *_located(str(error), text)) from None
    except RecursionError:
        raise _refused(path, 0, "the values are nested too deeply") from None
    except ValueError:  # Python's own limit on the digits of a number
        raise _refused(path, 0, "there is a number with too many digits") from None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    if isinstance(error, PermissionError):
        return "permission denied"
    return (isinstance(error, OSError) and error.strerror) or "the path is not valid"


def _located(message: str, text: str) -> tuple[int, str]:
    position = _POSITION.search(message)
    if position and not position[1]:
        return len(text.splitlines()), "not valid TOML: the file ends in the middle of something"
    line = int(position[1]) if position else 0
    message = message[: position.start()] if position else message
    plainer = _PLAINER.get(message) or message[:1].lower() + message[1:]
    if message.startswith("Cannot declare"):  # goes on with a tuple of Python's
        plainer = "this table is declared already"
    return line, f"not valid TOML: {plainer}"


def _refused(path: Path, line: int, message: str, suggestion: str | None = None) -> ConfigError:
    return ConfigError([Problem(str(path), line, "", message, suggestion)])
