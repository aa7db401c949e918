"""Gatus: a check for every endpoint with an http or https URL."""

from __future__ import annotations

from pathlib import Path

from monitor.migrate.draft import ImportResult
from monitor.migrate.environment import Environment, without_variables
from monitor.migrate.gatus_alerts import Alerting, alerting
from monitor.migrate.gatus_endpoint import Endpoint
from monitor.migrate.gatus_maintenance import maintenance
from monitor.migrate.names import Names, host
from monitor.migrate.objects import has_any, sorted_out
from monitor.migrate.source import Item, WrongShape, parse
from monitor.migrate.source import read as read_text
from monitor.model.errors import ForeignFileError

_DIFFERENCES = [
    "A check is down after the failure-threshold of its alerts, at once if it has none; Gatus's page is red at once.",
    "The one timeout of Gatus, 10 s unless given, bounds all three limits here.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning) unless a condition says when.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "A condition on [BODY] reads up to max_body, 1 MiB unless given.",
    "HTTP/1.1 is spoken; Gatus takes HTTP/2 where it can.",
]
_LOST = {
    "alerting": "this monitor sends no messages itself; alert from Prometheus (deploy/prometheus). "
    "The thresholds of default-alert are merged into the checks",
    "external-endpoints": "results cannot be pushed here",
    "suites": "a check is one request here; none builds on the answer to another",
    "remote": "this monitor shows no other instances",
    "tunneling": "there are no SSH tunnels here",
    "announcements": "make them with `monitor announce` or on the page",
    "security": "write [monitor.access]: users, tokens, or a proxy that names the user",
}
_ALONE = {
    "connectivity": "is not needed: a run without any network is inconclusive (monitor_offline)",
    "web": "see monitor.listen and monitor.tls",
    "ui": "see monitor.title and [monitor.public]",
    "storage": "see [monitor.history], which is on unless switched off",
    "metrics": "metrics are always served, at /metrics",
    "debug": "see monitor.log.level",
    "concurrency": "see monitor.max_concurrency; no run waits for another",
    "disable-monitoring-lock": "no run waits for another here",
    "skip-invalid-config-update": "a reload never takes an invalid configuration over",
}
_ENDPOINTS = ("endpoints", "services")
"""`services` is what Gatus before version 4 called them."""
_CHECKS = {*_ENDPOINTS, "suites", "external-endpoints"}
_KEYS = {*_CHECKS, *_LOST, *_ALONE, "maintenance"}


def read(path: Path) -> ImportResult:
    """All endpoints of a file, or of the files in a directory; raises `ForeignFileError`."""
    texts = {file: read_text(file) for file in _files(path)}
    found = sorted_out([item for file, text in texts.items() for item in parse(text, str(file))])
    imported = ImportResult("Gatus", [str(path)], _DIFFERENCES)
    documents = found.configurations(lambda item: has_any(item, _KEYS), "Gatus", imported)
    try:
        if not any(_CHECKS & set(document.entries()) for document in documents):
            where = documents[0].place if documents else str(path)
            sentence = f"{where}: has no `endpoints`, so this is no configuration of Gatus"
            raise ForeignFileError(found.complaint or sentence)
        reader = _Reader(imported, Environment(texts.values()), alerting(documents, imported))
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

    def __init__(self, imported: ImportResult, environment: Environment, alerts: Alerting) -> None:
        self._imported = imported
        self._alerts = alerts
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
            elif key == "maintenance":
                maintenance(self._imported, item)
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
            endpoint = Endpoint(item.anew(), self._environment, self._alerts, self._imported)
            name_of_check = self._names.unique(shown, host(without_variables(url.text())))
            self._imported.drafts.append(endpoint.draft(name_of_check, shown, url))
        except WrongShape as wrong:
            self._imported.lost(wrong.place, wrong.message)
