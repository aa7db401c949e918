"""Gatus: a check for every endpoint with an http or https URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from monitor.errors import ForeignFileError
from monitor.migrate.conditions import Conditions
from monitor.migrate.draft import Draft, Imported, Variable
from monitor.migrate.names import Names, Variables, label_name
from monitor.migrate.source import Item, WrongShape, load
from monitor.migrate.source import read as read_text
from monitor.migrate.values import TELLING, Secrets, pace, seconds

_DIFFERENCES = [
    "A check is down after the failure-threshold of its alerts, at once if it has none; Gatus's page is red at once.",
    "The one timeout of Gatus bounds connecting, silence and the whole run, so the three limits here are the same.",
    "Conditions on [RESPONSE_TIME] and [CERTIFICATE_EXPIRATION] make a check degraded, not down.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning) unless a condition says when.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "A condition on [BODY] reads up to max_body, 1 MiB unless given.",
    "HTTP/1.1 is spoken; Gatus takes HTTP/2 where it can.",
]
_INTERVAL, _TIMEOUT = 60.0, 10.0
_FAILURES, _SUCCESSES = 3, 2
"""Gatus's own defaults."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
_DOLLAR = "\0"
_SAME = "the variable that Gatus reads there too"
_LOST = {
    "alerting": "the monitor sends no alerts by itself; alert from Prometheus",
    "maintenance": "there are no maintenance windows here yet",
    "external-endpoints": "results cannot be pushed here",
    "suites": "checks that build on one another are not to be had here",
    "remote": "other instances are not asked for their results",
    "connectivity": "not needed: a run without any network is inconclusive (monitor_offline)",
    "tunneling": "there are no SSH tunnels here",
    "announcements": "the page has no announcements",
    "security": "the page has no login; put a proxy with one in front",
}
_ALONE = {
    "web": "where it listens is monitor.listen here",
    "ui": "the page's title is monitor.title here",
    "storage": "there is no history to store yet",
    "metrics": "metrics are always served",
    "debug": "see monitor.log.level",
    "concurrency": "see monitor.max_concurrency; no run waits for another",
    "disable-monitoring-lock": "no run waits for another here",
    "skip-invalid-config-update": "an invalid configuration is never taken over here",
}
_ENDPOINTS = ("endpoints", "services")
"""`services` is what Gatus before version 4 called them."""


def read(path: Path) -> Imported:
    """All endpoints of a file, or of the files in a directory; raises `ForeignFileError`."""
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix in (".yml", ".yaml"))
    documents = [load(file) for file in files]
    known = {*_ENDPOINTS, "suites", "external-endpoints"}
    try:
        if not any(known & set(document.entries()) for document in documents):
            where = documents[0].place if documents else str(path)
            raise ForeignFileError(f"{where}: has no `endpoints`, so this is no configuration of Gatus")
        imported = Imported("Gatus", [str(path)], _DIFFERENCES)
        reader = _Reader(
            imported, Variables({m[1] or m[2] for file in files for m in _VARIABLE.finditer(read_text(file))})
        )
        for document in documents:
            reader.document(document)
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None
    return imported


class _Reader:
    """Makes one draft of each endpoint."""

    def __init__(self, imported: Imported, variables: Variables) -> None:
        self._imported = imported
        self._names = Names()
        self._secrets = Secrets(variables)

    def document(self, document: Item) -> None:
        """Every key of a file."""
        for key, item in document.entries().items():
            if item.empty:
                continue
            if key in _ENDPOINTS:
                for endpoint in item.items():
                    self._endpoint(endpoint)
            elif key in ("external-endpoints", "suites"):
                self._each(key, item)
            elif key in _ALONE:
                self._imported.left_alone(item.place, f"{key}: {_ALONE[key]}")
            elif key.startswith("x-"):
                self._imported.left_alone(item.place, f"{key}: is read where it is referred to")
            else:
                self._imported.lost(item.place, f"{key}: {_LOST.get(key, 'there is no such key known here')}")

    def _each(self, key: str, item: Item) -> None:
        for each in item.items():
            name = each.get("name")
            shown = _without_variables(name.text()) if name else each.path
            self._imported.lost(each.place, f"{key}: {shown}: {_LOST[key]}")

    def _endpoint(self, item: Item) -> None:
        try:
            name, url = item.get("name"), item.get("url")
            shown = _without_variables(name.text()) if name else item.path
            if url is None:
                self._imported.lost(item.place, f"{shown}: has no url")
                return
            scheme = url.text().partition("://")[0].lower()
            dns = item.get("dns")
            if dns or (scheme not in ("http", "https") and not url.text().startswith("$")):
                what = "dns" if dns else scheme if "://" in url.text() else "this"
                self._imported.lost(item.place, f"{shown}: {what} cannot be checked here, only http and https")
                return
            self._imported.drafts.append(self._draft(item, shown, url))
        except WrongShape as wrong:
            self._imported.lost(wrong.place, wrong.message)

    def _draft(self, item: Item, shown: str, url: Item) -> Draft:
        group = item.get("group")
        name = self._names.unique(shown)
        draft = Draft(item.place, {"name": name, "down_after": 1})
        if group:
            draft.keys["group"] = _without_variables(group.text())
        if name != shown:
            draft.keys["description"] = shown
        self._url(draft, url)
        self._pace(draft, item)
        self._apply(draft, item, self._keys())
        self._conditions(draft, item)
        if "body" in draft.keys:
            draft.keys.setdefault("method", "GET")
        return draft

    def _url(self, draft: Draft, url: Item) -> None:
        value = self._value(draft, url, "url", "http://stand-in.invalid/")
        if isinstance(value, str):
            self._secrets.url(draft, url.place, draft.name, value)
        else:
            draft.keys["url"] = value

    def _pace(self, draft: Draft, item: Item) -> None:
        interval, limit = (
            self._duration(draft, item.get(*path), default)
            for path, default in ((("interval",), _INTERVAL), (("client", "timeout"), _TIMEOUT))
        )
        pace(draft, item.place, interval, limit)

    def _duration(self, draft: Draft, item: Item | None, default: float) -> float:
        found = seconds(item.text()) if item else default
        if item and not found:
            draft.lost(item.place, f"{item.path}: is not a duration; Gatus's default is taken")
        return found or default

    def _apply(self, draft: Draft, item: Item, keys: dict[str, Callable[[Draft, Item], None]]) -> None:
        """Every key, so that none is dropped in silence."""
        for key, inner in item.entries().items():
            if inner.empty:
                continue
            try:
                keys.get(key, _unknown)(draft, inner)
            except WrongShape as wrong:
                draft.lost(wrong.place, wrong.message)

    def _keys(self) -> dict[str, Callable[[Draft, Item], None]]:
        return {
            **dict.fromkeys(("name", "group", "url", "interval", "conditions", "graphql"), _skip),
            "enabled": lambda draft, item: draft.keys.update(enabled=item.boolean()),
            "method": lambda draft, item: draft.keys.update(method=item.text().upper()),
            "body": self._body,
            "headers": self._headers,
            "extra-labels": self._labels,
            "alerts": _alerts,
            "client": lambda draft, item: self._apply(draft, item, self._client()),
            "ui": lambda draft, item: draft.lost(
                item.place, f"ui ({', '.join(item.entries())}): the page shows every check in one way"
            ),
            "maintenance-windows": lambda draft, item: draft.lost(
                item.place, "maintenance-windows: there are no maintenance windows here yet"
            ),
            "ssh": lambda draft, item: draft.lost(item.place, "ssh: is for ssh endpoints"),
            "store": lambda draft, item: draft.lost(item.place, "store: is for suites, which are not to be had here"),
            "always-run": lambda draft, item: draft.lost(item.place, "always-run: is for suites"),
        }

    def _client(self) -> dict[str, Callable[[Draft, Item], None]]:
        return {
            "timeout": _skip,
            "insecure": lambda draft, item: draft.table("tls").update(verify=not item.boolean()),
            "ignore-redirect": lambda draft, item: draft.keys.update(follow_redirects=not item.boolean()),
            "dns-resolver": _resolver,
            "proxy-url": self._proxy,
            "oauth2": lambda draft, item: draft.pause(item.place, "client.oauth2: tokens are not fetched here"),
            "identity-aware-proxy": lambda draft, item: draft.pause(
                item.place, "client.identity-aware-proxy: tokens of Google are not fetched here"
            ),
            "network": lambda draft, item: draft.differs(item.place, "client.network: is for icmp endpoints only"),
            "tls": lambda draft, item: self._apply(draft, item, _tls()),
            "tunnel": lambda draft, item: draft.pause(item.place, "client.tunnel: there are no SSH tunnels here"),
            "store-cookies": lambda draft, item: draft.lost(
                item.place, "client.store-cookies: no run knows the cookies of the run before"
            ),
        }

    def _proxy(self, draft: Draft, item: Item) -> None:
        value = self._value(draft, item, "proxy", "http://stand-in.invalid:3128")
        if isinstance(value, str):
            self._secrets.proxy(draft, item.place, draft.name, value)
        else:
            draft.keys["proxy"] = value

    def _body(self, draft: Draft, item: Item) -> None:
        value = self._value(draft, item, "body", "stand-in")
        if isinstance(value, str):
            self._secrets.body(draft, item.place, draft.name, value)
        else:
            draft.keys["body"] = value

    def _headers(self, draft: Draft, item: Item) -> None:
        for name, given in item.entries().items():
            bearer = re.fullmatch(r"Bearer \$(?:\{(\w+)\}|(\w+))", given.text())
            if name.lower() == "authorization" and bearer:
                draft.keys["auth"] = {"bearer": Variable(bearer[1] or bearer[2])}
                draft.secret(given.place, f"{bearer[1] or bearer[2]}: {_SAME}")
                continue
            value = self._value(draft, given, name, "stand-in")
            if isinstance(value, str):
                self._secrets.header(draft, given.place, draft.name, name, value)
            else:
                draft.table("headers")[name] = value

    def _labels(self, draft: Draft, item: Item) -> None:
        for name, given in item.entries().items():
            draft.table("labels")[label_name(name)] = self._value(draft, given, name, "stand-in")

    def _value(self, draft: Draft, item: Item, what: str, stand_in: str) -> str | Variable:
        """The text, or a variable if Gatus would put variables of the environment into it."""
        text = item.text().replace("$$", _DOLLAR)
        whole = _VARIABLE.fullmatch(text)
        if whole:
            draft.secret(item.place, f"{whole[1] or whole[2]}: {_SAME}")
            return Variable(whole[1] or whole[2], stand_in)
        if _VARIABLE.search(text):
            names = ", ".join(dict.fromkeys(m[1] or m[2] for m in _VARIABLE.finditer(text)))
            meaning = f"the text that stands there, with {names} filled in"
            return self._secrets.variable(draft, item.place, draft.name, what, text, meaning=meaning, stand_in=stand_in)
        return text.replace(_DOLLAR, "$")

    def _conditions(self, draft: Draft, item: Item) -> None:
        listed = item.get("conditions")
        conditions = Conditions(draft)
        try:
            for each in listed.items() if listed else []:
                text = each.text().replace("$$", _DOLLAR)
                if _VARIABLE.search(text) or TELLING.search(text.partition(" == ")[2]):
                    draft.lost(each.place, f"{each.path}: holds a variable, or something like a secret")
                else:
                    conditions.add(each.place, text.replace(_DOLLAR, "$"))
        except WrongShape as wrong:
            draft.lost(wrong.place, wrong.message)
        conditions.finish(item.place)
        graphql = item.get("graphql")
        if graphql and graphql.boolean():
            _graphql(draft, graphql)


def _graphql(draft: Draft, item: Item) -> None:
    """Gatus wraps the body in an object."""
    body = draft.keys.pop("body", "")
    draft.keys["json"] = {"query": body}
    draft.keys.setdefault("method", "GET")
    draft.differs(item.place, "graphql: the body is sent as the field `query` of a JSON object, as Gatus does it")


def _without_variables(text: str) -> str:
    """For what is shown everywhere, and so is never secret: the names of variables in place of their values."""
    return _VARIABLE.sub(lambda match: match[1] or match[2], text.replace("$$", _DOLLAR)).replace(_DOLLAR, "$")


def _alerts(draft: Draft, item: Item) -> None:
    """Alerts themselves are lost; the thresholds of the most impatient one say when a check is down."""
    failures, successes = [], []
    for alert in item.items():
        kind, on = alert.get("type"), alert.get("enabled")
        shown = kind.text() if kind else "?"
        draft.lost(alert.place, f"alert {shown}: the monitor sends no alerts by itself; alert from Prometheus")
        if on is None or on.boolean():
            after, until = alert.get("failure-threshold"), alert.get("success-threshold")
            failures.append(after.integer() if after else _FAILURES)
            successes.append(until.integer() if until else _SUCCESSES)
    if failures:
        draft.keys |= {"down_after": max(min(failures), 1), "up_after": max(min(successes), 1)}
        draft.differs(
            item.place,
            "alerts: the lowest failure-threshold (3 unless given) is down_after, the lowest success-threshold "
            "(2 unless given) is up_after; defaults in `alerting` are not looked at",
        )


def _resolver(draft: Draft, item: Item) -> None:
    scheme, _, place = item.text().rpartition("://")
    draft.keys["resolver"] = [place]
    if scheme and scheme != "udp":
        draft.differs(item.place, f"client.dns-resolver: is asked over UDP first here, not {scheme}")


def _tls() -> dict[str, Callable[[Draft, Item], None]]:
    def path(key: str) -> Callable[[Draft, Item], None]:
        return lambda draft, item: draft.table("tls").update({key: str(Path(item.text()).absolute())})

    return {
        "certificate-file": path("cert_file"),
        "private-key-file": path("key_file"),
        "renegotiation": lambda draft, item: draft.lost(item.place, "client.tls.renegotiation: is never allowed here"),
    }


def _skip(draft: Draft, item: Item) -> None:
    """Read elsewhere."""


def _unknown(draft: Draft, item: Item) -> None:
    draft.lost(item.place, f"{item.path}: there is no such key known here")
