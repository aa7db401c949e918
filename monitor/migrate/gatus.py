"""Gatus: a check for every endpoint with an http or https URL."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import ForeignFileError
from monitor.migrate.draft import Imported
from monitor.migrate.environment import Environment, without_variables
from monitor.migrate.gatus_endpoint import Endpoint
from monitor.migrate.names import Names
from monitor.migrate.source import Item, WrongShape, parse
from monitor.migrate.source import read as read_text

_DIFFERENCES = [
    "A check is down after the failure-threshold of its alerts, at once if it has none; Gatus's page is red at once.",
    "The one timeout of Gatus, 10 s unless given, bounds all three limits here.",
    "Conditions on [RESPONSE_TIME] and [CERTIFICATE_EXPIRATION] make a check degraded, not down.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning) unless a condition says when.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "A condition on [BODY] reads up to max_body, 1 MiB unless given.",
    "HTTP/1.1 is spoken; Gatus takes HTTP/2 where it can.",
]
_LOST = {
    "alerting": "the monitor sends no alerts by itself; alert from Prometheus",
    "maintenance": "write it as [[maintenance]]",
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
    texts = {file: read_text(file) for file in _files(path)}
    documents = [parse(text, file) for file, text in texts.items()]
    known = {*_ENDPOINTS, "suites", "external-endpoints"}
    try:
        if not any(known & set(document.entries()) for document in documents):
            where = documents[0].place if documents else str(path)
            raise ForeignFileError(f"{where}: has no `endpoints`, so this is no configuration of Gatus")
        imported = Imported("Gatus", [str(path)], _DIFFERENCES)
        reader = _Reader(imported, Environment(texts.values()))
        for document in documents:
            reader.document(document)
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None
    return imported


def _files(path: Path) -> list[Path]:
    """Each once: in a volume of Kubernetes every file is there by three names."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix in (".yml", ".yaml") and each.is_file())
    return list({each.resolve(): each for each in reversed(found)}.values())[::-1]


class _Reader:
    """Makes one draft of each endpoint."""

    def __init__(self, imported: Imported, environment: Environment) -> None:
        self._imported = imported
        self._names = Names()
        self._environment = environment

    def document(self, document: Item) -> None:
        """Every key of a file."""
        for key, item in document.entries().items():
            if item.empty:
                continue
            if key in _ENDPOINTS:
                for endpoint in item.items():
                    self._endpoint(endpoint)
            elif key in ("external-endpoints", "suites"):
                for each in item.items():
                    self._other(key, each)
            elif key in _ALONE:
                self._imported.left_alone(item.place, f"{key}: {_ALONE[key]}")
            elif key.startswith("x-"):
                self._imported.left_alone(item.place, f"{key}: is read where it is referred to")
            else:
                self._imported.lost(item.place, f"{key}: {_LOST.get(key, 'there is no such key known here')}")

    def _other(self, key: str, item: Item) -> None:
        try:
            name = item.get("name")
            shown = without_variables(name.text()) if name else item.path
            self._imported.lost(item.place, f"{key}: {shown}: {_LOST[key]}")
        except WrongShape as wrong:
            self._imported.lost(wrong.place, wrong.message)

    def _endpoint(self, item: Item) -> None:
        try:
            name, url = item.get("name"), item.get("url")
            shown = without_variables(name.text()) if name else item.path
            if url is None:
                self._imported.lost(item.place, f"{shown}: has no url")
                return
            scheme, mark, _ = url.text().partition("://")
            if item.get("dns") or (scheme.lower() not in ("http", "https") and not scheme.startswith("$")):
                what = "dns" if item.get("dns") else scheme if mark else "this"
                self._imported.lost(item.place, f"{shown}: {what} cannot be checked here, only http and https")
                return
            endpoint = Endpoint(item.anew(), self._environment)
            self._imported.drafts.append(endpoint.draft(self._names.unique(shown), shown, url))
        except WrongShape as wrong:
            self._imported.lost(wrong.place, wrong.message)
