"""Makes the request of an HTTP check of its keys."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from monitor.keys.json_values import revealed
from monitor.keys.operators import body_rules, value_rules
from monitor.model.request import BasicAuth, BearerAuth, Body, Expect, HttpRequest, is_secret
from monitor.protocols.http.table import AuthTable, HttpExpectTable, HttpTable
from monitor.secrets.secret import reveal


def request(table: HttpTable, userinfo: BasicAuth | None) -> HttpRequest:
    """Returns what the table says; a userinfo in the URL authenticates instead of `auth`."""
    body = _body(table)
    return HttpRequest(
        method=table.method or ("POST" if body else "GET"),
        headers=tuple(table.headers.items()),
        body=body,
        auth=userinfo or _auth(table.auth),
        follow_redirects=table.follow_redirects,
        max_redirects=table.max_redirects,
        allow_downgrade=table.allow_downgrade,
        max_body=table.max_body,
        expect=_expect(table.expect),
    )


def _auth(table: AuthTable) -> BasicAuth | BearerAuth | None:
    if table.basic:
        return BasicAuth(table.basic.username, table.basic.password)
    return BearerAuth(table.bearer) if table.bearer else None


def _body(table: HttpTable) -> Body | None:
    if table.json_ is not None:
        text = json.dumps(revealed(table.json_), ensure_ascii=False, separators=(",", ":"))
        return Body(text.encode(), "application/json", is_secret(table.json_))
    if table.form:
        form = urlencode({name: list(map(reveal, fields)) for name, fields in table.form.items()}, doseq=True)
        return Body(form.encode(), "application/x-www-form-urlencoded", is_secret(table.form))
    return Body(reveal(table.body).encode(), None, is_secret(table.body)) if table.body else None


def _expect(table: HttpExpectTable) -> Expect:
    return Expect(
        status=tuple(table.status),
        headers=tuple((name, value_rules(rules)) for name, rules in table.headers.items()),
        body=body_rules(table.body),
        json=tuple((path, value_rules(rules)) for path, rules in table.json_.items()),
        http_version=tuple(table.http_version),
    )
