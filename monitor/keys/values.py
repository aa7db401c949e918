"""Reads single values as they are written, durations, sizes, names and so on, or raises `BadValueError`."""

from __future__ import annotations

import functools
import itertools
import math
import re
import ssl
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

import re2

from monitor.keys.bad_value import BadValueError, did_you_mean, kind, listed, quoted
from monitor.secrets.secret import Secret, Text, reveal, shown, shown_url

T = TypeVar("T")

NAME = r"^[A-Za-z0-9_.-]{1,100}$"
LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
FIELD_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"  # RFC 9110, 5.6.2
METHOD = FIELD_NAME.replace("A-Za-z", "A-Z")
DURATION = r"^(?=.)(?:{n}d)?(?:{n}h)?(?:{n}m(?!s))?(?:{n}s)?(?:{n}ms)?$".replace("{n}", r"([0-9]+(?:\.[0-9]+)?)")
SHARE = r"^([0-9]{1,2}(?:\.[0-9]+)?) ?%$"
SIZE = r"^([0-9]+(?:\.[0-9]+)?) ?(B|kB|MB|GB|KiB|MiB|GiB)$"
STATUS = r"^(?:([1-9])xx|([0-9]{3})(?:-([0-9]{3}))?)$"

LONGEST_DURATION = 10_000 * 86400.0
LARGEST_SIZE = 1 << 30
LONGEST_TITLE = 200
SHORTEST_INTERVAL = 0.1
RESERVED_LABELS = ("check", "group", "target", "protocol")

_SECONDS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_COMMON_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
_QUIET = re2.Options()
_QUIET.log_errors = False


def string(value: object) -> Text:
    """A string or a secret; the value is not quoted, for it may be a password with its quotes forgotten."""
    if isinstance(value, (str, Secret)):
        return value
    advice = 'a secret is { env = "NAME" } or { file = "path" }' if isinstance(value, dict) else None
    raise BadValueError(f"must be a string, not {kind(value)}", advice)


def plain(value: object) -> str:
    """A string for our own use, whether it was secret or not."""
    return reveal(string(value))


def displayed(value: object) -> str:
    """A string that is shown to users, so `***` where it is secret."""
    return shown(string(value))


def title(value: object) -> str:
    """A string that is shown to users and not empty."""
    return shown(filled(value))


def check_title(value: object) -> str:
    """Returns the title, which replaces the check's name for readers: one line in any script. Raises BadValueError."""
    text = title(value)
    if len(text) > LONGEST_TITLE:
        raise BadValueError(f"has {len(text)} characters; a title has at most {LONGEST_TITLE}")
    if any(unicodedata.category(character) in _INVISIBLE for character in text):
        raise BadValueError("has a line break or another invisible character in it", "a title is one line of text")
    if not text.strip():
        raise BadValueError("must not be blank", "leave it out to show the name")
    return text


_INVISIBLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, surrogates, and separators of lines and paragraphs."""


def count(value: object) -> int:
    """A whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValueError(f"must be a whole number, not {quoted(value)}")
    if value < 0:
        raise BadValueError(f"must be at least 0, not {value}")
    return value


def filled(value: object) -> Text:
    """A string that is not empty."""
    text = string(value)
    if not reveal(text):
        raise BadValueError("must not be empty")
    return text


def blank_or(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """The reader, except that an empty string is None: how a check takes back what [defaults] says."""
    return lambda value: None if value == "" else read(value)


def duration(value: object) -> float:
    """Seconds, above 0, of «250ms», «1m30s», or a number of seconds."""
    seconds = _seconds(value)
    if not 0 < seconds <= LONGEST_DURATION:
        raise BadValueError(f"{quoted(value)} must be longer than 0 and at most 10000d")
    return seconds


class Share(float):
    """A share of a certificate's lifetime, between 0 and 1, where seconds would stand."""


def expiry_warning(value: object) -> float:
    """Seconds before the end of a certificate, 0 for never, of «14d»; or a `Share` of its lifetime, of «33%»."""
    match = re.fullmatch(SHARE, reveal(value)) if isinstance(value, (str, Secret)) else None
    if match is not None and float(match[1]) > 0:
        return Share(float(match[1]) / 100)
    seconds = _seconds(value)
    if not 0 <= seconds <= LONGEST_DURATION:
        raise BadValueError(f"{quoted(value)} must be between 0 and 10000d", 'a share of the lifetime is "33%"')
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = re.fullmatch(DURATION, reveal(value)) if isinstance(value, (str, Secret)) else None
    if match is None:
        unit_forgotten = isinstance(value, str) and value.isascii() and value.isdigit()
        advice = (
            f'write "{value}s", or the number without quotes' if unit_forgotten else 'write "250ms", "10s" or "1m30s"'
        )
        raise BadValueError(f"{quoted(value)} is not a duration", advice)
    return math.fsum(float(n) * unit for n, unit in zip(match.groups(), _SECONDS, strict=True) if n)


def interval(value: object) -> float:
    """Seconds between two runs."""
    seconds = duration(value)
    if seconds < SHORTEST_INTERVAL:
        raise BadValueError(f"{quoted(value)} is too short", "the shortest interval is 100ms")
    return seconds


def ascending(bounds: list[float]) -> list[float]:
    """Bounds of a histogram, each higher than the one before."""
    if any(low >= high for low, high in itertools.pairwise(bounds)):
        raise BadValueError("each bound must be higher than the one before")
    return bounds


def size(value: object) -> int:
    """Bytes, above 0, of «1MiB», «10kB», or a number of bytes."""
    count = _bytes(value)
    if not 0 < count <= LARGEST_SIZE:
        raise BadValueError(f"{quoted(value)} must be larger than 0 and at most 1GiB")
    return count


def _bytes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(SIZE, reveal(value)) if isinstance(value, (str, Secret)) else None
    count = float(match[1]) * _BYTES[match[2]] if match else math.nan
    if not count.is_integer():
        raise BadValueError(f"{quoted(value)} is not a size", 'write "1MiB", "64KiB", "10kB" or a number of bytes')
    return int(count)


def status(value: object) -> tuple[int, int]:
    """An inclusive range of status codes, of 301, «2xx» or «400-404»."""
    text = str(value) if isinstance(value, int) else reveal(value) if isinstance(value, (str, Secret)) else ""
    match = re.fullmatch(STATUS, text)
    if match is None:
        raise BadValueError(f"{quoted(value)} is not a status or a range of them", 'write 301, "2xx" or "400-404"')
    if match[1]:
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    low, high = int(match[2]), int(match[3] or match[2])
    if low > high:
        raise BadValueError(f"the range {quoted(value)} is the wrong way round", "write the lower status first")
    if not 100 <= low <= high <= 999:
        raise BadValueError(f"{quoted(value)} reaches outside 100 to 999")
    return low, high


def name(value: object) -> str:
    """A check's name."""
    if isinstance(value, (dict, Secret)):
        raise BadValueError("a name is written out and cannot be a secret: it is shown everywhere")
    text = plain(value)
    if not is_name(text):
        raise BadValueError(f"{quoted(text)} is not a name", "1 to 100 letters, digits, underscores, dots and dashes")
    return text


def is_name(value: object) -> bool:
    """True if the value is a valid name."""
    return isinstance(value, str) and re.fullmatch(NAME, value) is not None


def label(text: str) -> str:
    """The name of a label that Prometheus takes and that we do not use ourselves."""
    if not re.fullmatch(LABEL, text):
        raise BadValueError(
            "is not the name of a label", "a letter or an underscore, then letters, digits and underscores"
        )
    if text in RESERVED_LABELS or text.startswith("__"):
        raise BadValueError("is a label that the monitor or Prometheus sets itself", "choose another name")
    return text


def method(value: object) -> str:
    """An HTTP method: any upper-case token, unless it is a common one with its letters swapped."""
    text = plain(value)
    slip = text not in _COMMON_METHODS and sorted(text) in map(sorted, _COMMON_METHODS)
    if slip or not re.fullmatch(METHOD, text):
        meant = None if isinstance(value, Secret) else did_you_mean(text, _COMMON_METHODS)
        advice = meant or 'methods are upper-case words such as "GET"'
        raise BadValueError(f"{quoted(value)} is not an HTTP method", advice)
    if text == "CONNECT":
        raise BadValueError("CONNECT is for proxies; no check can use it")
    return text


def choice(*choices: str | int) -> Callable[[object], Any]:
    """A reader of one of a few values; a secret is compared as text."""

    def read(value: object) -> str | int:
        for known in choices:
            if isinstance(value, Secret) and str(known) == value.reveal():
                return known
            if type(known) is type(value) and known == value:  # true is 1 to Python
                return known
        raise BadValueError(f"must be {listed(map(quoted, choices))}, not {quoted(value)}", _meant(value, choices))

    return read


def _meant(value: object, choices: tuple[str | int, ...]) -> str | None:
    if not isinstance(value, (str, int, float)):
        return None
    for known in choices:
        if str(known) == str(value):
            return f"write {quoted(known)}, {'with' if isinstance(known, str) else 'without'} quotes"
    return did_you_mean(str(value), map(str, choices))


def http_version(value: object) -> str:
    """A version of HTTP that the monitor speaks."""
    if isinstance(value, str) and value.lower().lstrip("htp/").startswith(("2", "3")):
        raise BadValueError("HTTP/2 and HTTP/3 are not spoken yet", 'write "1.1" or "1.0"')
    return str(choice("1.0", "1.1")(value))


def header_name(text: str) -> str:
    """A header's name; those that frame the message are not the user's to set."""
    if not re.fullmatch(FIELD_NAME, text):
        raise BadValueError("is not the name of a header")
    if text.lower() in ("content-length", "transfer-encoding"):
        raise BadValueError("is set by the monitor itself", "leave it out")
    return text


def header_value(value: object) -> Text:
    """A header's value; never quoted in a message, for it may be a credential."""
    text = filled(value)
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", reveal(text)):
        raise BadValueError("the value has a line break or another control character in it, which no header can carry")
    return text


@functools.lru_cache(maxsize=4096)
def _compiles(pattern: str) -> str | None:
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        return error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
    return None


def pattern(value: object) -> Text:
    """A regular expression in RE2's syntax."""
    text = string(value)
    trouble = _compiles(reveal(text))
    if trouble is None:
        return text
    why = "" if isinstance(text, Secret) else f": {shown_url(trouble)}"  # RE2 quotes the pattern
    raise BadValueError(f"is not a regular expression{why}", "RE2 has neither look-around nor back-references")


def ciphers(value: object) -> str:
    """A list of cipher suites as OpenSSL reads it, of which it knows at least one."""
    text = plain(value)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(text)
    except (ssl.SSLError, ValueError):  # ValueError: a NUL in it
        advice = "`openssl ciphers` lists them; TLS 1.3 has a list of its own that nothing changes"
        raise BadValueError(f"{quoted(value)} names no cipher suite that OpenSSL knows", advice) from None
    return text


@functools.lru_cache(maxsize=4096)
def json_path(text: str) -> str:
    """A JSONPath of RFC 9535."""
    import jsonpath_rfc9535  # two mebibytes, which most monitors do without

    try:
        jsonpath_rfc9535.compile(text)
    except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
        why = str(error).partition(", line ")[0] if not isinstance(error, RecursionError) else "it is nested too deeply"
        raise BadValueError(f"is not a JSONPath: {why}", 'write "$.status" or "$.items[0].state"') from None
    return text
