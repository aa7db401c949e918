"""The types of the keys: for each, the reader that validates it and the JSON Schema that editors complete it with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema
from pydantic_core.core_schema import ValidationInfo

from monitor.keys import addresses, times, values
from monitor.keys.files import Files
from monitor.keys.json_values import json_value, number
from monitor.model.maintenance import Recurrence
from monitor.model.route import FileRef, HostPort
from monitor.model.settings import Network
from monitor.secrets.secret import Text as SecretOrStr


class Table(BaseModel):
    """A table of the configuration: its keys and no others, and no value converted behind the user's back."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself: pydantic copies a default for every table that leaves it out, and nobody changes one."""
        return self


def _text(**keywords: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **keywords})


def _either(*schemas: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(schemas)})


def alone(value: object) -> object:
    """One value as a list of it."""
    return value if isinstance(value, list) else [value]


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
_PATTERN = {"type": "string"}  # "format": "regex" would hold RE2 to the syntax of JavaScript
_STATUS = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 999}, {"type": "string", "pattern": values.STATUS}]}

Text = Annotated[SecretOrStr, PlainValidator(values.string), _text()]
Filled = Annotated[SecretOrStr, PlainValidator(values.filled), _text(minLength=1)]
Shown = Annotated[str, PlainValidator(values.displayed), _text()]
Title = Annotated[str, PlainValidator(values.title), _text(minLength=1)]
CheckTitle = Annotated[
    str, PlainValidator(values.check_title), _text(minLength=1, maxLength=values.LONGEST_TITLE, pattern=r"\S")
]
Link = Annotated[str, PlainValidator(addresses.link), _text(pattern="^$|^[Hh][Tt][Tt][Pp][Ss]?://")]
Name = Annotated[str, PlainValidator(values.name), _text(pattern=values.NAME)]
Names = Annotated[list[Name], WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": values.NAME}})]
Duration = Annotated[
    float, PlainValidator(values.duration), _either({"type": "string", "pattern": values.DURATION}, _NUMBER)
]
ExpiryWarning = Annotated[
    float,
    PlainValidator(values.expiry_warning),
    _either(
        {"type": "string", "pattern": values.DURATION},
        {"type": "string", "pattern": values.SHARE},
        {"type": "number", "minimum": 0},
    ),
]
Ciphers = Annotated[str, PlainValidator(values.blank_or(values.ciphers)), _text()]
Interval = Annotated[
    float,
    PlainValidator(values.interval),
    _either({"type": "string", "pattern": values.DURATION}, {"type": "number", "minimum": values.SHORTEST_INTERVAL}),
]
Buckets = Annotated[list[Duration], AfterValidator(values.ascending)]
Size = Annotated[
    int,
    PlainValidator(values.size),
    _either({"type": "string", "pattern": values.SIZE}, {"type": "integer", "minimum": 1}),
]
Method = Annotated[str, PlainValidator(values.method), _text(pattern=values.METHOD)]
Statuses = Annotated[
    list[Annotated[tuple[int, int], PlainValidator(values.status)]],
    BeforeValidator(alone),
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": _STATUS}, _STATUS]}),
]
HttpVersion = Annotated[str, PlainValidator(values.http_version), WithJsonSchema({"enum": ["1.0", "1.1"]})]
Labels = dict[
    Annotated[str, AfterValidator(values.label), _text(pattern=values.LABEL)],
    Shown,
]
HeaderName = Annotated[str, AfterValidator(values.header_name), _text(pattern=values.FIELD_NAME)]
HeaderValue = Annotated[SecretOrStr, PlainValidator(values.header_value), _text(minLength=1)]
Pattern = Annotated[SecretOrStr, PlainValidator(values.pattern), WithJsonSchema(_PATTERN)]
Strings = Annotated[
    list[Filled],
    BeforeValidator(alone),
    _either({"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}),
]
FormValue = Annotated[
    list[Text], BeforeValidator(alone), _either({"type": "string"}, {"type": "array", "items": {"type": "string"}})
]
Patterns = Annotated[list[Pattern], BeforeValidator(alone), _either(_PATTERN, {"type": "array", "items": _PATTERN})]
Number = Annotated[float, PlainValidator(number), WithJsonSchema({"type": "number"})]
Count = Annotated[int, PlainValidator(values.count), WithJsonSchema({"type": "integer", "minimum": 0})]
Json = Annotated[Any, PlainValidator(json_value), WithJsonSchema({})]
PlainJson = Annotated[Any, _either({"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "array"})]
JsonPath = Annotated[str, AfterValidator(values.json_path), _text(pattern=r"^\$")]

_WORD = {"type": "string", "minLength": 1}
_WORDS = {"type": "array", "minItems": 1, "items": _WORD}
Selection = Annotated[list[Filled], WithJsonSchema(_WORDS)]
Moment = Annotated[datetime, PlainValidator(times.moment), WithJsonSchema({})]  # JSON has no such type
TimeOfDay = Annotated[tuple[int, int], PlainValidator(times.time_of_day), WithJsonSchema({})]  # a text, or TOML's own
Cron = Annotated[Recurrence, PlainValidator(times.cron), WithJsonSchema(_WORD)]
Zone = Annotated[str, PlainValidator(times.zone), WithJsonSchema(_WORD)]
Weekdays = Annotated[
    list[Annotated[int, PlainValidator(times.weekday)]], BeforeValidator(alone), _either(_WORDS, _WORD)
]


def url(schemes: tuple[str, ...]) -> Any:
    """The metadata of a key that takes a URL of one of these schemes."""
    anycase = "|".join("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in scheme) for scheme in schemes)
    read = functools.partial(addresses.url, schemes=schemes)
    return PlainValidator(read), _text(pattern=f"^({anycase})://.")


Proxy = Annotated[
    SecretOrStr | None, PlainValidator(values.blank_or(addresses.proxy)), _text(pattern="^$|^[Hh][Tt][Tt][Pp]://.")
]
ConnectTo = Annotated[
    HostPort | None, PlainValidator(values.blank_or(addresses.connect_to)), _text(pattern=addresses.HOST_PORT)
]
Listen = Annotated[HostPort, PlainValidator(addresses.listen), _text(pattern=":[0-9]+$")]
Address = Annotated[str | None, PlainValidator(values.blank_or(addresses.ip)), _text()]
Resolver = Annotated[str, PlainValidator(addresses.resolver), _text()]
Allowed = Annotated[Network | str, PlainValidator(addresses.allowed), _text(minLength=1)]
Subnet = Annotated[Network, PlainValidator(addresses.network), _text()]


def _server_name(value: object) -> SecretOrStr:
    text = values.string(value)
    addresses.host(values.plain(text))
    return text


ServerName = Annotated[SecretOrStr | None, PlainValidator(values.blank_or(_server_name)), _text()]


def _file(read: Callable[[Files, SecretOrStr], FileRef]) -> Any:
    def validate(value: object, info: ValidationInfo[Files]) -> FileRef | None:
        return None if value == "" else read(info.context, values.string(value))

    return PlainValidator(validate)


CaFile = Annotated[FileRef | None, _file(Files.ca), _text()]
CertFile = Annotated[FileRef | None, _file(Files.cert), _text()]
KeyFile = Annotated[FileRef | None, _file(Files.key), _text()]


def one_of(*choices: str | int) -> tuple[Any, Any]:
    """The metadata of a key that takes one of a few values."""
    return PlainValidator(values.choice(*choices)), WithJsonSchema({"enum": list(choices)})
