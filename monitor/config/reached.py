"""Reads how browsers reach the monitor, or raises `BadValueError`: the address that people use, and more names."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import PlainValidator, WithJsonSchema

from monitor.keys import addresses, values
from monitor.keys.bad_value import BadValueError

_DEFAULT = {"http": 80, "https": 443}
"""Ports that browsers leave out of an origin."""
_PATH = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"


def _external_url(value: object) -> str:
    """The address, with the host in lower case and ASCII, and without a slash at its end."""
    text = values.plain(value)
    if not text:
        return text
    parts = urlsplit(values.plain(addresses.url(value)))
    if parts.username is not None or parts.query or parts.fragment:
        raise BadValueError("must be an address without a login, a query and a fragment")
    if not re.fullmatch(_PATH, parts.path):
        raise BadValueError("the path must be of ASCII letters, digits, `.`, `_`, `~` and `-`", 'write "/monitor/"')
    place = addresses.compared(parts.hostname or "")
    host = f"[{place}]" if ":" in place else place
    port = f":{parts.port}" if parts.port not in (None, _DEFAULT[parts.scheme]) else ""
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _host_name(value: object) -> str:
    """A name as browsers send it: in lower case and ASCII."""
    text = values.plain(value)
    if "/" in text:
        raise BadValueError("must be a name, not a URL or a network", 'write "monitor.example.com"')
    if addresses.literal(text.strip("[]")) is None and ":" in text:
        raise BadValueError("must be a name without a port", "every port is meant")
    if "*" in text:
        raise BadValueError("a * stands for nothing here", "name every host")
    return addresses.compared(text.strip("[]"))


ExternalUrl = Annotated[
    str, PlainValidator(_external_url), WithJsonSchema({"type": "string", "pattern": "^$|^[Hh][Tt][Tt][Pp][Ss]?://."})
]
HostName = Annotated[str, PlainValidator(_host_name), WithJsonSchema({"type": "string", "minLength": 1})]
