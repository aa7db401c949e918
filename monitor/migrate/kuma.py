"""Uptime Kuma: a check for every monitor of type http, keyword or json-query."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.migrate.credentials import Credentials, already, has_header
from monitor.migrate.draft import Draft, ImportResult
from monitor.migrate.kuma_expect import expect
from monitor.migrate.kuma_rows import Kuma, Row, amount, number, parsed, text, truth
from monitor.migrate.kuma_source import load
from monitor.migrate.names import Names, Variables, host
from monitor.migrate.values import duration, pace

_DIFFERENCES = [
    "A check is down after maxretries + 1 failures in a row.",
    "The one timeout of Kuma, four fifths of the interval unless given, bounds all three limits here.",
    "A check is degraded 14 days before its certificate ends, or on the first day on which Kuma warns.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "Keywords and JSON are looked for in up to max_body, 1 MiB unless given.",
    "Keywords are looked for in the body as it comes; Kuma first takes the spaces out of JSON.",
]
_CHECKED = ("http", "keyword", "json-query")
_INTERVAL = 60.0
_BODIES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
_WARNED_DAYS = [7, 14, 21]
"""Kuma's own default of when it warns of a certificate."""

_READ = {
    "id", "place", "name", "type", "url", "active", "interval", "retry_interval", "maxretries", "timeout", "method",
    "body", "headers", "http_body_encoding", "accepted_statuscodes", "maxredirects", "ignore_tls", "upside_down",
    "keyword", "invert_keyword", "json_path", "json_path_operator", "expected_value", "auth_method", "basic_auth_user",
    "basic_auth_pass", "bearer_token", "proxy_id", "description", "parent", "expiry_notification", "ip_family", "tags",
    "notification_idlist", "notification_id_list", "maintenance",
}  # fmt: skip
_WITHOUT_MEANING = re.compile(
    r"user_id|created_date|weight|force_inactive|path(_name)?|children_?ids|include_sensitive_data|screenshot(_delay)?|"
    r"(oauth|tls|auth)_\w+|mqtt_\w+|grpc_\w+|radius_\w+|kafka_\w+|database_\w+|docker_\w+|dns_\w+|push_token|hostname|port|"
    r"packet_size|game\w*|snmp_\w+|rabbitmq_\w+|ping_\w+|smtp_\w+|remote_browser|conditions|gamedig\w*|location|protocol|"
    r"subtype|ws_\w+|system_service_name|manual_status|custom_url|send_url|ntp_\w+|expected_tls_alert|response_max_length"
)
"""Keys of other types of monitors, and of Kuma's page; the method of authentication selects its own keys."""
_LOST = {
    "resend_interval": "this monitor sends no messages itself; see repeat_interval of Alertmanager",
    "cache_bust": "no parameter is added to the URL here",
    "domain_expiry_notification": "the end of a domain's registration is not looked up here",
    "save_response": "only the first failing run of an incident keeps the beginning of its body",
    "save_error_response": "only the first failing run of an incident keeps the beginning of its body",
    "retry_only_on_status_code_failure": "every failure counts towards down_after",
}


def read(path: Path) -> ImportResult:
    """All monitors of a database or a backup; raises `ForeignFileError`."""
    kuma = load(path)
    imported = ImportResult("Uptime Kuma", [str(path)], _DIFFERENCES)
    reader = _Reader(kuma, imported)
    for row in kuma.monitors:
        reader.add(row)
    for place, table, name in kuma.others:
        imported.lost(place, f"{table} {name}: {_OTHERS.get(table, 'has no counterpart here')}")
    for row in kuma.proxies.values():
        imported.left_alone(row["place"], "proxy: stands in the checks that use it")
    return imported


_OTHERS = {
    "notification": "this monitor sends no messages itself; alert from Prometheus",
    "maintenance": "write it as [[maintenance]]",
    "status_page": "name its groups in [monitor.public]; there is one such page",
    "api_key": "write a token in [monitor.access]",
    "docker_host": "containers cannot be checked here",
    "remote_browser": "no browser runs checks here",
    "monitorList": "is no monitor",
}


class _Reader:
    """Makes one draft of each monitor that can be a check here."""

    def __init__(self, kuma: Kuma, imported: ImportResult) -> None:
        self._kuma = kuma
        self._imported = imported
        self._names = Names()
        self._credentials = Credentials(Variables())
        self._rows = {number(row.get("id")): row for row in kuma.monitors}

    def add(self, row: Row) -> None:
        """Add the check of this monitor, or the reason why there is none."""
        kind, place = text(row, "type"), row["place"]
        if kind == "group":
            self._imported.left_alone(place, f"{text(row, 'name')}: a group; its name is the `group` of its checks")
        elif kind not in _CHECKED:
            self._imported.lost(place, f"{text(row, 'name')}: type {kind or '?'} cannot be checked here")
        elif not text(row, "url"):
            self._imported.lost(place, f"{text(row, 'name')}: has no URL")
        else:
            self._imported.drafts.append(self._draft(row, place))

    def _draft(self, row: Row, place: str) -> Draft:
        wanted = text(row, "name")
        draft = Draft(place, {"name": self._names.unique(wanted, host(text(row, "url")))})
        draft.titled(wanted)
        if text(row, "description"):
            draft.keys["description"] = text(row, "description")
        self._parents(draft, row)
        self._credentials.url(draft, place, text(row, "url"))
        self._tags(draft, row)
        self._pace(draft, row)
        self._request(draft, row)
        self._authentication(draft, row)
        self._way(draft, row)
        expect(draft, row)
        self._around(draft, row)
        return draft

    def _parents(self, draft: Draft, row: Row) -> None:
        """The group, from the outermost in; a check in a paused group does not run."""
        names: list[str] = []
        active, seen, here = truth(row, "active", default=True), {number(row.get("id"))}, row
        while (parent := self._rows.get(number(here.get("parent")))) and number(parent.get("id")) not in seen:
            seen.add(number(parent.get("id")))
            names.insert(0, text(parent, "name"))
            active = active and truth(parent, "active", default=True)
            here = parent
        if names:
            draft.keys["group"] = " / ".join(names)
        if not active:
            draft.keys["enabled"] = False
            draft.differs(draft.place, "it or its group is paused, so enabled = false")

    def _tags(self, draft: Draft, row: Row) -> None:
        labels: dict[str, list[str]] = {}
        for tag in self._kuma.tags.get(number(row.get("id")), []):
            labels.setdefault(text(tag, "name") or "tag", []).append(text(tag, "value") or "true")
        for name, values in labels.items():
            draft.label(draft.place, name, ", ".join(values))

    def _pace(self, draft: Draft, row: Row) -> None:
        interval = max(amount(row, "interval") or _INTERVAL, 0.1)
        pace(draft, draft.place, interval, amount(row, "timeout") or interval * 0.8)
        draft.keys["down_after"] = max(number(row.get("maxretries")), 0) + 1
        retry = amount(row, "retry_interval")
        if number(row.get("maxretries")) > 0 and retry and retry != interval:
            if retry < interval:
                draft.keys["retry_interval"] = duration(retry)
            else:
                draft.lost(
                    draft.place, f"retry_interval: retries came every {retry:g} s; here they come at the interval"
                )

    def _request(self, draft: Draft, row: Row) -> None:
        method = text(row, "method").upper() or "GET"
        if method != "GET" or text(row, "body").strip():
            draft.keys["method"] = method
        self._headers(draft, row)
        body = text(row, "body")
        if not body.strip():
            return
        encoding = text(row, "http_body_encoding") or "json"
        self._credentials.body(draft, draft.place, body)
        if encoding in _BODIES and not has_header(draft.keys, "Content-Type"):
            draft.table("headers")["Content-Type"] = _BODIES[encoding]
        elif encoding not in _BODIES:
            draft.lost(draft.place, f"http_body_encoding {encoding}: is not known here; no Content-Type is set for it")

    def _headers(self, draft: Draft, row: Row) -> None:
        written = text(row, "headers")
        if not written.strip():
            return
        given = parsed(written)
        if not isinstance(given, dict):
            draft.lost(draft.place, "headers: are not a JSON object")
            return
        for name in given:
            self._credentials.header(draft, draft.place, name, text(given, name))

    def _authentication(self, draft: Draft, row: Row) -> None:
        """A user name in the URL wins, then a header Authorization, as in Kuma's HTTP client."""
        method, place = text(row, "auth_method"), draft.place
        if "auth_method" not in row and text(row, "basic_auth_user"):
            method = "basic"  # before version 1.19 there was no other
        if method in ("basic", "bearer") and already(draft, place):
            return
        if method == "basic":
            self._credentials.basic(draft, place, text(row, "basic_auth_user"), text(row, "basic_auth_pass"))
        elif method == "bearer":
            self._credentials.bearer(draft, place, text(row, "bearer_token"))
        elif method == "mtls":
            draft.pause(
                place,
                "auth_method mtls: certificate and key stand in Kuma's database; write tls_cert, tls_key and tls_ca "
                "into files, and name them as tls.cert_file, tls.key_file and tls.ca_file",
            )
        elif method:
            draft.pause(place, f"auth_method {method}: is not spoken here")

    def _way(self, draft: Draft, row: Row) -> None:
        redirects = row.get("maxredirects")
        if redirects is not None:
            draft.keys |= {"max_redirects": number(redirects)} if number(redirects) > 0 else {"follow_redirects": False}
        if truth(row, "ignore_tls"):
            draft.table("tls")["verify"] = False
        family = {"ipv4": 4, "ipv6": 6}.get(text(row, "ip_family"))
        if family:
            draft.keys["ip_version"] = family
        if truth(row, "expiry_notification") and text(row, "url").lower().startswith("https"):
            draft.table("tls")["expiry_warning"] = f"{max(self._days())}d"
        if number(row.get("proxy_id")):
            self._proxy(draft, self._kuma.proxies.get(number(row.get("proxy_id"))))

    def _days(self) -> list[int]:
        days = parsed(self._kuma.settings.get("tlsExpiryNotifyDays"))
        found = [number(day) for day in days if number(day) > 0] if isinstance(days, list) else []
        return found or _WARNED_DAYS

    def _proxy(self, draft: Draft, proxy: Row | None) -> None:
        if proxy is None:
            draft.lost(draft.place, "proxy_id: there is no such proxy")
        elif not truth(proxy, "active", default=True):
            draft.differs(proxy["place"], "the proxy is switched off, and so is not written")
        else:
            who = f"{text(proxy, 'username')}:{text(proxy, 'password')}@" if truth(proxy, "auth") else ""
            url = f"{text(proxy, 'protocol')}://{who}{text(proxy, 'host')}:{text(proxy, 'port')}"
            self._credentials.proxy(draft, proxy["place"], url)

    def _around(self, draft: Draft, row: Row) -> None:
        place, key = draft.place, number(row.get("id"))
        if truth(row, "upside_down"):
            draft.pause(place, "upside_down: no check here takes a failure for a success")
        if self._kuma.notified.get(key):
            draft.lost(place, f"its notifications ({self._kuma.notified[key]}): this monitor sends no messages itself")
        if key in self._kuma.maintained or row.get("maintenance") is True:
            draft.lost(place, "maintenance: write it as [[maintenance]]")
        for name, value in row.items():
            if name in _READ or not value or value in ("[]", "{}", "0", "null") or _WITHOUT_MEANING.fullmatch(name):
                continue
            draft.lost(place, f"{name}: {_LOST.get(name, 'is not known here')}")
