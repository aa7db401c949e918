"""Reads dates and names out of a certificate's DER without judging the rest: broken ones are what a monitor meets.

`cryptography` refuses a whole certificate, or all its extensions, for one field that it does not take.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import NamedTuple

_SEQUENCE, _UTC_TIME, _OCTETS = 0x30, 0x17, 0x04
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_ALT_NAME = b"\x55\x1d\x11"
"""2.5.29.17, subjectAltName."""
_TLS_FEATURE = b"\x2b\x06\x01\x05\x05\x07\x01\x18"
"""1.3.6.1.5.5.7.1.24, TLS feature (RFC 7633), known as must-staple."""
_STATUS_REQUEST = b"\x02\x01\x05"
"""The integer 5: the TLS extension status_request."""
_KINDS = {1: "e", 2: "d", 6: "u", 7: "i"}
_OTHERS = {0: "otherName", 3: "x400Address", 4: "directoryName", 5: "ediPartyName", 8: "registeredID"}
_NAMES_KEPT, _NAME_LENGTH = 1000, 255
"""Limits for one certificate: a chain may have 100 KB, full of names."""


class Validity(NamedTuple):
    """First and last second, in Unix seconds."""

    not_before: float
    not_after: float


class Field(NamedTuple):
    """One value of DER: its tag and its content."""

    tag: int
    content: bytes


def fields(data: bytes) -> Iterator[Field]:
    """The values in a row. Raises ValueError at one that is cut off or not DER."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], *_length(data, at + 1)
        if tag & 0x1F == 0x1F or at + length > len(data):
            raise ValueError("not DER")
        yield Field(tag, data[at : at + length])
        at += length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The length that stands here, and where the content begins."""
    if at >= len(data):
        raise ValueError("cut off")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    if first == 0x80 or first > 0x84 or end > len(data):
        raise ValueError("not DER")
    return int.from_bytes(data[at + 1 : end]), end


def _signed_part(der: bytes) -> list[Field]:
    """The fields of TBSCertificate (RFC 5280, 4.1) from the serial number on."""
    whole = next(fields(der), Field(0, b""))
    signed = next(fields(whole.content), Field(0, b""))
    if (whole.tag, signed.tag) != (_SEQUENCE, _SEQUENCE):
        raise ValueError("not a certificate")
    parts = list(fields(signed.content))
    return parts[1:] if parts and parts[0].tag == _VERSION else parts


def validity(der: bytes) -> Validity | None:
    """Returns the times at which a certificate begins and ends; None if they cannot be read."""
    try:
        first, last = fields(_signed_part(der)[3].content)
        return Validity(_time(first), _time(last))
    except (ValueError, IndexError):
        return None


def _time(field: Field) -> float:
    """Unix seconds of a UTCTime, whose years are those from 1950 to 2049, or of a GeneralizedTime."""
    text = field.content.decode("ascii")
    if field.tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    form = "%Y%m%d%H%M%SZ" if len(text) == 15 else "%Y%m%d%H%MZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def alt_names(der: bytes) -> tuple[tuple[str, ...], str]:
    """The names in subjectAltName, and a letter for the kind of each: see `Certificate.kinds`."""
    names: list[str] = []
    kinds: list[str] = []
    try:
        for sequence in fields(_extension(der, _ALT_NAME)):
            for name in fields(sequence.content):
                if len(names) < _NAMES_KEPT:
                    kinds.append(_KINDS.get(name.tag & 0x1F, "o"))
                    names.append(_name(name))
    except ValueError:  # what came before it is true
        pass
    return tuple(names), "".join(kinds[: len(names)])


def _name(field: Field) -> str:
    number = field.tag & 0x1F
    if number not in _KINDS:
        return _OTHERS.get(number, "unknown")
    if number == 7 and len(field.content) in (4, 16):
        return str(ip_address(field.content))
    return field.content[:_NAME_LENGTH].decode("ascii", "backslashreplace")


@functools.lru_cache(maxsize=8192)
def demands_staple(der: bytes) -> bool:
    """True if a certificate requires a stapled OCSP answer (RFC 7633)."""
    try:
        return _STATUS_REQUEST in _extension(der, _TLS_FEATURE)
    except ValueError:
        return False


def _extension(der: bytes, oid: bytes) -> bytes:
    """The content of an extension, empty if it is not there. Raises ValueError."""
    for part in _signed_part(der)[6:]:
        if part.tag != _EXTENSIONS:
            continue
        for extension in fields(next(fields(part.content), Field(0, b"")).content):
            name, *rest = fields(extension.content)
            if name.content == oid and rest and rest[-1].tag == _OCTETS:
                return rest[-1].content
    return b""
