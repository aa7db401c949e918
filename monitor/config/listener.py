"""The tables of [monitor] about its own listener, who may do what there and how it speaks TLS, and their specs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from monitor.keys import addresses, values
from monitor.keys import types as keys
from monitor.keys.bad_value import BadValueError
from monitor.keys.types import Table, one_of
from monitor.model.settings import RIGHTS, AccessSpec, ForwardedSpec, ListenTlsSpec, Network, Right, TokenSpec, UserSpec
from monitor.secrets.passwords import PATTERN, parse
from monitor.secrets.secret import Secret, reveal

_PERSON = r"^[^\s:\x00-\x1f\x7f](?:[^:\x00-\x1f\x7f]{0,98}[^\s:\x00-\x1f\x7f])?$"
_SHORTEST_TOKEN = 16


def _person(value: object) -> str:
    text = values.plain(value)
    if not re.fullmatch(_PERSON, text) or not text.isprintable():
        raise BadValueError("is not a name for a login", "1 to 100 printable characters, without a colon")
    return text


def _hash(value: object) -> Secret:
    text = reveal(values.string(value))
    if parse(text) is None:
        problem = "is not the hash of a password, or its cost is out of bounds"
        raise BadValueError(problem, "make one with `monitor hash-password`")
    return Secret(text)


def _token(value: object) -> Secret:
    text = values.string(value)
    if not isinstance(text, Secret):
        raise BadValueError("a token is never written here", 'write { file = "path" } or { env = "NAME" }')
    if len(text.reveal()) < _SHORTEST_TOKEN or not re.fullmatch("[!-~]+", text.reveal()):
        advice = "`openssl rand -hex 32` makes one"
        raise BadValueError(f"a token is at least {_SHORTEST_TOKEN} characters of ASCII without a space", advice)
    return text


def _header(value: object) -> str:
    return values.header_name(values.plain(value))


def _trusted(value: object) -> Network:
    network = addresses.network(value)
    if network.prefixlen == 0:
        raise BadValueError("whoever reaches the port could be anybody then", "name the addresses of the proxy")
    return network


_May = Annotated[
    list[Annotated[Right, *one_of(*RIGHTS)]],
    Field(min_length=1, description='What is allowed: "view", "metrics", "write".'),
]
_Person = Annotated[str, PlainValidator(_person), WithJsonSchema({"type": "string", "pattern": _PERSON})]


class UserTable(Table):
    """A user who logs in with a name and a password."""

    name: _Person = Field(description="The name to log in with.")
    password: Annotated[Secret, PlainValidator(_hash), WithJsonSchema({"type": "string", "pattern": PATTERN})] = Field(
        description="The hash of the password, as `monitor hash-password` prints it, or by bcrypt."
    )
    may: _May


class TokenTable(Table):
    """A program that logs in with a bearer token."""

    name: _Person = Field(description="What the program is called where it says who did something.")
    token: Annotated[Secret, PlainValidator(_token), WithJsonSchema({"type": "string"})] = Field(
        description="The token, from { env } or { file }."
    )
    may: _May


class ForwardedTable(Table):
    """A reverse proxy that logs people in, and says in a header who they are."""

    header: Annotated[str, PlainValidator(_header), WithJsonSchema({"type": "string"})] = Field(
        description="The header with the name of the user."
    )
    from_: list[Annotated[Network, PlainValidator(_trusted), WithJsonSchema({"type": "string"})],] = Field(
        alias="from", min_length=1, description="The networks of the proxies whose header is believed."
    )
    may: _May


class AccessTable(Table):
    """Rights of callers over HTTP."""

    anonymous: list[Annotated[Right, *one_of(*RIGHTS)]] | None = Field(
        default=None, description='What needs no login: "view", "metrics", "write".'
    )
    users: list[UserTable] = Field(default=[], description="Who logs in with a name and a password.")
    tokens: list[TokenTable] = Field(default=[], description="Who logs in with a bearer token.")
    forwarded: ForwardedTable | None = Field(default=None, description="A reverse proxy that logs people in.")


class ListenTlsTable(Table):
    """TLS of the listener itself."""

    cert_file: keys.CertFile = Field(default=None, description="PEM file of the listener's certificate and its chain.")
    key_file: keys.KeyFile = Field(default=None, description="PEM file of its private key, not encrypted.")
    min_version: Annotated[Literal["1.2", "1.3"], *one_of("1.2", "1.3")] = Field(
        default="1.2", description="The oldest TLS version that clients may speak."
    )


def _forwarded(table: ForwardedTable) -> ForwardedSpec:
    return ForwardedSpec(table.header, tuple(table.from_), frozenset(table.may))


def access_spec(table: AccessTable) -> AccessSpec:
    """Returns the rights of callers: without any key in the table, everyone has all rights."""
    if not table.model_fields_set:
        return AccessSpec()
    return AccessSpec(
        stated=True,
        anonymous=frozenset(table.anonymous or ()),
        users=tuple(UserSpec(user.name, user.password, frozenset(user.may)) for user in table.users),
        tokens=tuple(TokenSpec(token.name, token.token, frozenset(token.may)) for token in table.tokens),
        forwarded=_forwarded(table.forwarded) if table.forwarded else None,
    )


def listen_tls_spec(table: ListenTlsTable) -> ListenTlsSpec | None:
    """The listener's certificate; None if it speaks plain HTTP."""
    if table.cert_file is None or table.key_file is None:
        return None
    return ListenTlsSpec(table.cert_file, table.key_file, table.min_version)
