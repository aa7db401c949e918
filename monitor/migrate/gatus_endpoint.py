"""One endpoint of Gatus: what becomes of each of its keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from monitor.migrate import handlers
from monitor.migrate.conditions import Conditions
from monitor.migrate.credentials import TELLING_FIELD, tells
from monitor.migrate.draft import Draft, ImportResult
from monitor.migrate.environment import Environment, literal, names, without_variables
from monitor.migrate.gatus_alerts import Alerting
from monitor.migrate.gatus_maintenance import maintenance
from monitor.migrate.handlers import Handler
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.values import pace, seconds

_INTERVAL, _TIMEOUT = 60.0, 10.0
"""Gatus's own defaults, in seconds."""
_IN_BODIES = {"[ENDPOINT_NAME]": "name", "[ENDPOINT_GROUP]": "group"}
"""Placeholders in the body, and the keys whose values Gatus puts there; its URL may hold a secret."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Makes the draft of one endpoint."""

    item: Item
    environment: Environment
    alerts: Alerting
    imported: ImportResult

    def draft(self, name: str, wanted: str, url: Item) -> Draft:
        """The check named `name`, which Gatus calls `wanted`; raises `WrongShape` if it is none at all."""
        draft = Draft(self.item.place, {"name": name, "down_after": 1})
        draft.titled(wanted)
        # before the URL: a header Authorization wins over a user name in it
        handlers.apply(draft, self.item, {"headers": self._headers}, handlers.skip)
        self._url(draft, url)
        self._pace(draft)
        handlers.apply(draft, self.item, self._keys())
        handlers.apply(draft, self.item, {"graphql": _graphql}, handlers.skip)  # wraps the body
        if self.item.get("conditions") is None:
            draft.differs(self.item.place, "has no conditions, so 200 to 399 is a success")
        if "body" in draft.keys:
            draft.keys.setdefault("method", "GET")
        return draft

    def _url(self, draft: Draft, url: Item) -> None:
        value = self.environment.value(draft, url, "url", "http://stand-in.invalid/")
        if isinstance(value, str):
            self.environment.credentials.url(draft, url.place, value)
        else:
            draft.keys["url"] = value

    def _pace(self, draft: Draft) -> None:
        interval = self._duration(draft, _INTERVAL, "interval")
        pace(draft, self.item.place, interval, self._duration(draft, _TIMEOUT, "client", "timeout"))

    def _duration(self, draft: Draft, default: float, *path: str) -> float:
        try:
            item = self.item.get(*path)
            found = seconds(item.text()) if item else default
        except WrongShape as wrong:
            draft.lost(wrong.place, wrong.message)
            return default
        if item and not found:
            draft.lost(item.place, f"{item.path}: is not a duration; Gatus's default of {default:g} s is taken")
        return found or default

    def _keys(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(("url", "interval", "headers", "graphql"), handlers.skip),
            "name": _note_variables,
            "group": _group,
            "enabled": _enabled,
            "method": self._method,
            "body": self._body,
            "extra-labels": self._labels,
            "conditions": _conditions,
            "alerts": self.alerts.thresholds,
            "client": lambda draft, item: handlers.apply(draft, item, self._client()),
            "ui": handlers.lost(
                "every page shows every check in one way; [monitor.public] shows no URLs and addresses"
            ),
            "maintenance-windows": self._maintenance,
            "ssh": handlers.lost("is for ssh endpoints"),
            "store": handlers.lost("is for suites; a check is one request here"),
            "always-run": handlers.lost("is for suites; a check is one request here"),
        }

    def _client(self) -> dict[str, Handler]:
        tls = {
            "certificate-file": handlers.file(Path(), "tls", "cert_file"),
            "private-key-file": handlers.file(Path(), "tls", "key_file"),
            "renegotiation": handlers.lost("is never allowed here"),
        }
        return {
            "timeout": handlers.skip,
            "insecure": handlers.opposite("tls", "verify"),
            "ignore-redirect": handlers.opposite("follow_redirects"),
            "dns-resolver": _resolver,
            "proxy-url": self._proxy,
            "tls": lambda draft, item: handlers.apply(draft, item, tls),
            "network": handlers.differs("is for icmp endpoints only"),
            "oauth2": handlers.paused("tokens are not fetched here"),
            "identity-aware-proxy": handlers.paused("tokens of Google are not fetched here"),
            "kerberos": handlers.paused("Kerberos is not spoken here"),
            "tunnel": handlers.paused("there are no SSH tunnels here"),
            "store-cookies": handlers.lost("no run knows the cookies of the run before"),
        }

    def _headers(self, draft: Draft, item: Item) -> None:
        for name, given in item.entries().items():
            self.environment.header(draft, given, name)

    def _labels(self, draft: Draft, item: Item) -> None:
        for name, given in item.entries().items():
            draft.label(given.place, name, self.environment.value(draft, given, name))

    def _method(self, draft: Draft, item: Item) -> None:
        value = self.environment.value(draft, item, "method", "GET")
        draft.keys["method"] = value.upper() if isinstance(value, str) else value

    def _proxy(self, draft: Draft, item: Item) -> None:
        value = self.environment.value(draft, item, "proxy", "http://stand-in.invalid:3128")
        if isinstance(value, str):
            self.environment.credentials.proxy(draft, item.place, value)
        else:
            draft.keys["proxy"] = value

    def _maintenance(self, draft: Draft, item: Item) -> None:
        for window in item.items():
            maintenance(self.imported, window, draft)

    def _body(self, draft: Draft, item: Item) -> None:
        value = self.environment.value(draft, item, "body")
        if isinstance(value, str):
            self.environment.credentials.body(draft, item.place, self._filled(draft, item, value))
        else:
            draft.keys["body"] = value

    def _filled(self, draft: Draft, item: Item, body: str) -> str:
        for placeholder, key in _IN_BODIES.items():
            given = self.item.get(key)
            body = body.replace(placeholder, without_variables(given.text()) if given else "")
        for placeholder in ("[ENDPOINT_URL]", "[RANDOM_STRING_"):
            if placeholder in body:
                draft.lost(item.place, f"body: {placeholder.rstrip('_]')}…] is sent as it is written, not filled in")
        return body


def _graphql(draft: Draft, item: Item) -> None:
    if item.boolean():
        draft.keys["json"] = {"query": draft.keys.pop("body", "")}
        draft.keys.setdefault("method", "GET")
        handlers.differs("the body is the field `query` of a JSON object, as Gatus sends it")(draft, item)


def _group(draft: Draft, item: Item) -> None:
    draft.keys["group"] = without_variables(item.text())
    _note_variables(draft, item)


def _note_variables(draft: Draft, item: Item) -> None:
    if names(item.text()):
        draft.lost(item.place, f"{item.path}: stands on every page, so variables in it are not filled in")


def _enabled(draft: Draft, item: Item) -> None:
    if not item.boolean():
        draft.keys["enabled"] = False


def _resolver(draft: Draft, item: Item) -> None:
    scheme, _, place = item.text().rpartition("://")
    draft.keys["resolver"] = [place]
    if scheme not in ("", "udp"):
        draft.differs(item.place, f"{item.path}: queries are sent over UDP first here, not over {scheme}")


def _conditions(draft: Draft, item: Item) -> None:
    conditions = Conditions(draft)
    for each in item.items():
        try:
            text = each.text()
            if names(text):
                draft.lost(each.place, f"{each.path}: {', '.join(names(text))} cannot be filled into a condition here")
            elif _holds_secret(text):
                draft.lost(each.place, f"{each.path}: what it compares with may be a secret; write it as {{ env = … }}")
            else:
                conditions.add(each.place, literal(text))
        except WrongShape as wrong:
            draft.lost(wrong.place, wrong.message)
    conditions.finish(item.place)


def _holds_secret(text: str) -> bool:
    """True if the text compares a field named like a secret, or contains such a field."""
    sides = re.split(r" [=!]= ", text, maxsplit=1)
    fields = [side for side in sides if side.strip().upper().startswith("[BODY]")]
    others = [side for side in sides if side not in fields]
    return any(map(tells, others)) or (
        any(map(TELLING_FIELD.search, fields)) and not {"", "true", "false", "null"}.issuperset(map(str.strip, others))
    )
