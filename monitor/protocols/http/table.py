"""The keys of checks.toml that only HTTP has."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from monitor.keys import types as keys
from monitor.keys.operators import BodyRules, HeaderRules, JsonRules, body_table
from monitor.keys.tables import ExpectTable
from monitor.keys.types import Table
from monitor.model.request import Expect, HttpRequest

_REQUEST, _EXPECT = HttpRequest(), Expect()
BODIES = ("body", "json", "form")
"""Keys of which a request has one at most."""


class HttpExpectTable(ExpectTable):
    """Conditions of a good answer over HTTP."""

    status: keys.Statuses = Field(
        default=list(_EXPECT.status), min_length=1, description='Accepted statuses: 301, "2xx", "400-404".'
    )
    headers: dict[keys.HeaderName, HeaderRules] = Field(
        default={}, description="Header names, each with a value or a table of operators."
    )
    body: Annotated[BodyRules, BeforeValidator(body_table)] = Field(
        default=BodyRules(), description="Operators on the text of the body."
    )
    json_: dict[keys.JsonPath, JsonRules] = Field(
        default={}, alias="json", description="JSONPaths (RFC 9535), each with a value or a table of operators."
    )
    http_version: list[keys.HttpVersion] = Field(default=[], description="Accepted versions of HTTP; all if empty.")


class BasicTable(Table):
    """A user name and a password."""

    username: keys.Text = Field(description="The user name.")
    password: keys.Text = Field(description="The password, best from { env } or { file }.")


class AuthTable(Table):
    """Authentication of the check; an empty table removes that of [defaults]."""

    basic: BasicTable | None = Field(default=None, description="A user name and a password.")
    bearer: keys.Filled | None = Field(default=None, description="A bearer token, best from { env } or { file }.")


class HttpTable(Table):
    """The request and what is expected of its answer."""

    method: keys.Method | None = Field(default=None, description="The HTTP method; GET, or POST if there is a body.")
    headers: dict[keys.HeaderName, keys.HeaderValue] = Field(default={}, description="Headers to send.")
    body: keys.Text | None = Field(default=None, description="The body to send, as text.")
    json_: keys.Json = Field(default=None, alias="json", description="The body to send, as JSON.")
    form: dict[str, keys.FormValue] | None = Field(default=None, description="The body to send, as a form.")
    auth: AuthTable = Field(default=AuthTable(), description="Basic or bearer authentication.")
    follow_redirects: bool = Field(default=_REQUEST.follow_redirects, description="Whether redirects are followed.")
    max_redirects: int = Field(default=_REQUEST.max_redirects, ge=0, description="How many redirects are followed.")
    allow_downgrade: bool = Field(
        default=_REQUEST.allow_downgrade, description="Whether a redirect may lead from https to http."
    )
    max_body: keys.Size = Field(default=_REQUEST.max_body, description="How much of the decoded body is read.")
    expect: HttpExpectTable = Field(default=HttpExpectTable(), description="What a good answer looks like.")


_OF_EXPECT = tuple(
    f.alias or name for name, f in HttpExpectTable.model_fields.items() if name not in ExpectTable.model_fields
)
KEYS = (
    *((f.alias or name,) for name, f in HttpTable.model_fields.items() if name != "expect"),
    *(("expect", name) for name in _OF_EXPECT),
)
"""The paths of all these keys below a check."""


def authorization(check: dict[str, Any]) -> str | None:
    """The Authorization header of this table, as it is spelled there."""
    headers = check.get("headers")
    names = headers if isinstance(headers, dict) else {}
    return next((name for name in names if name.lower() == "authorization"), None)
