"""Uptime Kuma: a check for every monitor of type http, keyword or json-query."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from monitor.migrate.draft import Draft, Imported
from monitor.migrate.kuma_source import Kuma, Row, load, number
from monitor.migrate.names import Names, Variables, label_name
from monitor.migrate.values import Secrets, has_header, pace, ranges

_DIFFERENCES = [
    "A check is down after maxretries + 1 failures in a row; retries run at the interval, not at Kuma's own.",
    "The one timeout of Kuma bounds connecting, silence and the whole run, so the three limits here are the same.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning), whether Kuma warned or not.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "Keywords and JSON are looked for in up to max_body, 1 MiB unless given.",
]
_CHECKED = ("http", "keyword", "json-query")
_INTERVAL = 60.0
_BODIES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
_WARNED_DAYS = [7, 14, 21]
"""Kuma's own default of when it warns of a certificate."""
_OPERATORS = {
    "==": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    ">=": "at_least",
    "<": "less_than",
    "<=": "at_most",
}
_PATH = re.compile(r"\$?\.?(?:[A-Za-z_]\w*(?:\[\d{1,9}\])?)(?:\.[A-Za-z_]\w*(?:\[\d{1,9}\])?)*")

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
"""Keys of other types of monitors, and of Kuma's page; those of authentication are looked at by its method."""
_LOST = {
    "resend_interval": "the monitor sends no alerts by itself",
    "cache_bust": "no parameter is added to the URL here",
    "domain_expiry_notification": "the end of a domain's registration is not looked up here",
    "save_response": "bodies are not kept",
    "save_error_response": "bodies are not kept",
    "retry_only_on_status_code_failure": "every failure counts towards down_after",
}


def read(path: Path) -> Imported:
    """All monitors of a database or a backup; raises `ForeignFileError`."""
    kuma = load(path)
    imported = Imported("Uptime Kuma", [str(path)], _DIFFERENCES)
    reader = _Reader(kuma, imported)
    for row in kuma.monitors:
        reader.add(row)
    for place, table, name in kuma.others:
        imported.lost(place, f"{table} {name}: {_OTHERS.get(table, 'has no counterpart here')}")
    for row in kuma.proxies.values():
        imported.left_alone(row["place"], "proxy: stands in the checks that use it")
    return imported


_OTHERS = {
    "notification": "the monitor sends no alerts by itself; alert from Prometheus",
    "maintenance": "there are no maintenance windows here yet",
    "status_page": "there is one page, of all checks",
}


class _Reader:
    """Makes one draft of each monitor that is one of ours."""

    def __init__(self, kuma: Kuma, imported: Imported) -> None:
        self._kuma = kuma
        self._imported = imported
        self._names = Names()
        self._secrets = Secrets(Variables())
        self._rows = {number(row.get("id")): row for row in kuma.monitors}

    def add(self, row: Row) -> None:
        """Add the check of this monitor, or the reason why there is none."""
        kind, place = _text(row, "type"), row["place"]
        if kind == "group":
            self._imported.left_alone(place, f"{_text(row, 'name')}: a group; its name is the `group` of its checks")
        elif kind not in _CHECKED:
            self._imported.lost(place, f"{_text(row, 'name')}: type {kind or '?'} cannot be checked here")
        elif not _text(row, "url"):
            self._imported.lost(place, f"{_text(row, 'name')}: has no URL")
        else:
            self._imported.drafts.append(self._draft(row, place))

    def _draft(self, row: Row, place: str) -> Draft:
        wanted = _text(row, "name") or "check"
        name = self._names.unique(wanted)
        draft = Draft(place, {"name": name})
        text = _text(row, "description") or (wanted if name != wanted else "")
        if text:
            draft.keys["description"] = text
        if wanted not in (name, text):
            draft.differs(place, f"its name was {wanted}")
        self._parents(draft, row)
        self._secrets.url(draft, place, name, _text(row, "url"))
        self._tags(draft, row)
        self._pace(draft, row)
        self._request(draft, row)
        self._authentication(draft, row)
        self._way(draft, row)
        _expectations(draft, row)
        self._around(draft, row)
        return draft

    def _parents(self, draft: Draft, row: Row) -> None:
        """The group, from the outermost in; a check in a paused group does not run."""
        names: list[str] = []
        active, seen, here = _truth(row, "active", default=True), {number(row.get("id"))}, row
        while (parent := self._rows.get(number(here.get("parent")))) and number(parent.get("id")) not in seen:
            seen.add(number(parent.get("id")))
            names.insert(0, _text(parent, "name"))
            active = active and _truth(parent, "active", default=True)
            here = parent
        if names:
            draft.keys["group"] = " / ".join(names)
        if not active:
            draft.keys["enabled"] = False
            draft.differs(draft.place, "it or its group is paused, so enabled = false")

    def _tags(self, draft: Draft, row: Row) -> None:
        labels: dict[str, list[str]] = {}
        for tag in self._kuma.tags.get(number(row.get("id")), []):
            name, value = _text(tag, "name"), _text(tag, "value")
            labels.setdefault(label_name(name or "tag"), []).append(value or "true")
        for name, values in labels.items():
            draft.table("labels")[name] = ", ".join(values)
        if any("true" in values for values in labels.values()):
            draft.differs(draft.place, 'tags without a value have the value "true"')

    def _pace(self, draft: Draft, row: Row) -> None:
        interval = max(_number(row, "interval") or _INTERVAL, 0.1)
        limit, rule = _number(row, "timeout"), ""
        if not limit or limit <= 0:
            limit, rule = interval * 0.8, "four fifths of the interval, as Kuma has it where none is given"
        pace(draft, draft.place, interval, limit, rule)
        draft.keys["down_after"] = max(number(row.get("maxretries")), 0) + 1
        retry = _number(row, "retry_interval")
        if number(row.get("maxretries")) > 0 and retry and retry != interval:
            draft.lost(draft.place, f"retry_interval: retries came every {retry:g} s; here they come at the interval")

    def _request(self, draft: Draft, row: Row) -> None:
        method = _text(row, "method").upper() or "GET"
        if method != "GET" or _text(row, "body").strip():
            draft.keys["method"] = method
        self._headers(draft, row)
        body = _text(row, "body")
        if not body.strip():
            return
        encoding = _text(row, "http_body_encoding") or "json"
        self._secrets.body(draft, draft.place, draft.name, body)
        if encoding in _BODIES and not has_header(draft.keys, "Content-Type"):
            draft.table("headers")["Content-Type"] = _BODIES[encoding]
        elif encoding not in _BODIES:
            draft.lost(draft.place, f"http_body_encoding {encoding}: is not known here; no Content-Type is set for it")

    def _headers(self, draft: Draft, row: Row) -> None:
        text = _text(row, "headers")
        if not text.strip():
            return
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            draft.lost(draft.place, "headers: are not a JSON object")
            return
        for name, value in given.items():
            shown = value if isinstance(value, str) else json.dumps(value)
            self._secrets.header(draft, draft.place, draft.name, name, shown)

    def _authentication(self, draft: Draft, row: Row) -> None:
        method, place = _text(row, "auth_method"), draft.place
        user, password = _text(row, "basic_auth_user"), _text(row, "basic_auth_pass")
        if "auth" in draft.keys and method in ("basic", "bearer"):
            draft.lost(place, f"auth_method {method}: a header Authorization, or the URL, wins, as in Kuma")
        elif method == "basic" or (not method and user):
            self._secrets.basic(draft, place, draft.name, user, password)
        elif method == "bearer":
            token = self._secrets.variable(
                draft, place, draft.name, "token", _text(row, "bearer_token"), meaning="the bearer token"
            )
            draft.keys["auth"] = {"bearer": token}
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
        if _truth(row, "ignore_tls"):
            draft.table("tls")["verify"] = False
        family = {"ipv4": 4, "ipv6": 6}.get(_text(row, "ip_family"))
        if family:
            draft.keys["ip_version"] = family
        if _truth(row, "expiry_notification") and str(draft.keys["url"]).startswith("https"):
            draft.table("tls")["expiry_warning"] = f"{max(self._days())}d"
            draft.differs(draft.place, "expiry_notification: the earliest of Kuma's warnings is tls.expiry_warning")
        if number(row.get("proxy_id")):
            self._proxy(draft, self._kuma.proxies.get(number(row.get("proxy_id"))))

    def _days(self) -> list[int]:
        try:
            days = json.loads(self._kuma.settings.get("tlsExpiryNotifyDays", "null"))
        except ValueError:
            days = None
        return [number(day) for day in days if number(day) > 0] if isinstance(days, list) and days else _WARNED_DAYS

    def _proxy(self, draft: Draft, proxy: Row | None) -> None:
        if proxy is None:
            draft.lost(draft.place, "proxy_id: there is no such proxy")
        elif not _truth(proxy, "active", default=True):
            draft.differs(proxy["place"], "the proxy is switched off, and so is not written")
        else:
            who = f"{_text(proxy, 'username')}:{_text(proxy, 'password')}@" if _truth(proxy, "auth") else ""
            url = f"{_text(proxy, 'protocol')}://{who}{_text(proxy, 'host')}:{_text(proxy, 'port')}"
            self._secrets.proxy(draft, proxy["place"], draft.name, url)

    def _around(self, draft: Draft, row: Row) -> None:
        place, key = draft.place, number(row.get("id"))
        if _truth(row, "upside_down"):
            draft.pause(place, "upside_down: a check whose failure is a success is not to be had here")
        if self._kuma.notified.get(key):
            draft.lost(place, f"{self._kuma.notified[key]} notifications: the monitor sends no alerts by itself")
        if key in self._kuma.maintained or row.get("maintenance") is True:
            draft.lost(place, "maintenance: there are no maintenance windows here yet")
        for name, value in row.items():
            if name in _READ or not value or value in ("[]", "{}", "0", "null") or _WITHOUT_MEANING.fullmatch(name):
                continue
            draft.lost(place, f"{name}: {_LOST.get(name, 'is not known here')}")


def _expectations(draft: Draft, row: Row) -> None:
    draft.table("expect")["status"] = _statuses(draft, row)
    kind = _text(row, "type")
    if kind == "keyword" and _text(row, "keyword"):
        operator = "not_contains" if _truth(row, "invert_keyword") else "contains"
        draft.table("expect", "body")[operator] = _text(row, "keyword")
        draft.differs(
            draft.place, "keyword: is looked for in the body as it comes; Kuma writes JSON without spaces first"
        )
    elif kind == "json-query":
        _json_query(draft, row)


def _statuses(draft: Draft, row: Row) -> list[str | int]:
    given = row.get("accepted_statuscodes")
    try:
        codes = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        codes = None
    if not isinstance(codes, list):
        draft.differs(draft.place, "accepted_statuscodes: Kuma's default, 200-299, is taken")
        codes = ["200-299"]
    found: set[int] = set()
    for code in codes:
        match = re.fullmatch(r"\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*", str(code))
        fit = range(max(int(match[1]), 100), min(int(match[2] or match[1]), 599) + 1) if match else ()
        found.update(fit)
        if not fit:
            draft.lost(draft.place, f"accepted_statuscodes: {str(code)[:20]} is no status that can be expected here")
    return ranges(found) or ["2xx"]


def _json_query(draft: Draft, row: Row) -> None:
    path, sign = _text(row, "json_path").strip(), _text(row, "json_path_operator") or "=="
    wanted = _text(row, "expected_value")
    if path != "$" and not _PATH.fullmatch(path):
        draft.lost(draft.place, f"json_path {path}: is more of JSONata than a path, so the JSON is not looked at")
        return
    here = path if path == "$" else "$." + path.removeprefix("$").removeprefix(".")
    value = _value(wanted)
    if sign == "contains":
        rule: dict[str, Any] = {"contains": wanted}
    elif sign in _OPERATORS and (sign in ("==", "!=") or (isinstance(value, (int, float)) and value is not True)):
        rule = {_OPERATORS[sign]: value}
    else:
        draft.lost(draft.place, f"json_path_operator {sign}: cannot be expected of this value")
        return
    draft.table("expect", "json")[here] = rule
    if sign in ("==", "!=") and not isinstance(value, str):
        draft.differs(draft.place, f"{here}: has to be the same type in the JSON; Kuma compares everything as text")


def _value(text: str) -> str | int | float | bool:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,14})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,9}", text) else text


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def _truth(row: Row, key: str, *, default: bool = False) -> bool:
    value = row.get(key)
    return default if value is None else str(value).lower() not in ("0", "false", "")


def _number(row: Row, key: str) -> float:
    try:
        value = float(row.get(key) or 0)
    except (TypeError, ValueError):
        return 0.0
    return value if 0 <= value < 1e8 else 0.0
