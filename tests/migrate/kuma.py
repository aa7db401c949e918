# ruff: noqa: E501
"""Databases of Uptime Kuma, with the columns that its versions 1 and 2 have, made anew for each test."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

_V1 = (
    "id INTEGER PRIMARY KEY, name, active DEFAULT 1, user_id DEFAULT 1, interval DEFAULT 60, url, type, weight DEFAULT 2000,"
    "hostname, port, created_date DEFAULT (DATETIME('now')), keyword, maxretries DEFAULT 0, ignore_tls DEFAULT 0,"
    "upside_down DEFAULT 0, maxredirects DEFAULT 10, accepted_statuscodes_json DEFAULT '[\"200-299\"]', dns_resolve_type,"
    "dns_resolve_server, dns_last_result, retry_interval DEFAULT 0, push_token, method DEFAULT 'GET', body, headers,"
    "basic_auth_user, basic_auth_pass, docker_host, docker_container, proxy_id, expiry_notification DEFAULT 1, mqtt_topic,"
    "auth_method, auth_domain, auth_workstation, grpc_url, resend_interval DEFAULT 0, packet_size DEFAULT 56, game,"
    "http_body_encoding, description, tls_ca, tls_cert, tls_key, parent, invert_keyword DEFAULT 0, json_path,"
    "expected_value, timeout DEFAULT 0, oauth_client_id, oauth_client_secret, oauth_token_url, oauth_scopes"
)
_V2 = (
    f"{_V1}, json_path_operator, cache_bust DEFAULT 0, snmp_oid, snmp_version DEFAULT '2c', conditions DEFAULT '[]',"
    "rabbitmq_nodes, smtp_security, ip_family, bearer_token, oauth_audience, domain_expiry_notification DEFAULT 0,"
    "save_response DEFAULT 0, retry_only_on_status_code_failure DEFAULT 0, manual_status"
)

Rows = list[dict[str, Any]]

MONITORS: Rows = [
    {"id": 1, "name": "Core", "type": "group"},
    {"id": 2, "name": "Inner", "type": "group", "parent": 1},
    {
        "id": 3, "name": "Shop: Käufe & Co", "type": "http", "parent": 2, "url": "https://shop.example.com/?page=1",
        "interval": 120, "retry_interval": 20, "maxretries": 3, "timeout": 48, "resend_interval": 2, "proxy_id": 1,
        "accepted_statuscodes_json": '["200-299", "301"]', "method": "POST", "body": '{"a": 1}',
        "headers": '{"X-Token": "plain-header", "Accept-Language": "en"}', "http_body_encoding": "json",
        "auth_method": "basic", "basic_auth_user": "probe", "basic_auth_pass": "plain-password", "maxredirects": 3,
        "description": "where people buy",
    },
    {
        "id": 4, "name": "word", "type": "keyword", "url": "http://word.example.com", "keyword": 'say "hello"',
        "ignore_tls": 1, "maxredirects": 0, "active": 0, "timeout": 400,
    },
    {
        "id": 5, "name": "word", "type": "keyword", "url": "http://word.example.com", "keyword": "error",
        "invert_keyword": 1, "upside_down": 1, "auth_method": "ntlm", "http_body_encoding": "xml", "body": "<a/>",
    },
    {
        "id": 6, "name": "json", "type": "json-query", "url": "https://json.example.com/", "json_path": "data.items[0].n",
        "expected_value": "5",
    },
    {
        "id": 7, "name": "jsonata", "type": "json-query", "url": "https://json.example.com/", "json_path": "$count(items)",
        "expected_value": "5", "body": "password=plain-form-password", "http_body_encoding": "form", "method": "POST",
        "auth_method": "mtls", "tls_key": "plain-key", "tls_cert": "cert",
    },
    {"id": 8, "name": "ping", "type": "ping", "hostname": "127.0.0.1"},
    {"id": 9, "name": "push", "type": "push", "push_token": "plain-push"},
    {"id": 10, "name": "no url", "type": "http", "url": None},
    {"id": 11, "name": "through socks", "type": "http", "url": "https://socks.example.com/", "proxy_id": 2},
]  # fmt: skip

NEWER: Rows = [
    {
        "id": 12, "name": "bearer", "type": "http", "url": "https://bearer.example.com/", "auth_method": "bearer",
        "bearer_token": "plain-bearer", "cache_bust": 1, "ip_family": "ipv6", "domain_expiry_notification": 1,
    },
    {
        "id": 13, "name": "less", "type": "json-query", "url": "https://json.example.com/", "json_path": "$.load",
        "json_path_operator": "<", "expected_value": "0.5",
    },
    {
        "id": 14, "name": "has", "type": "json-query", "url": "https://json.example.com/", "json_path": "$",
        "json_path_operator": "contains", "expected_value": "up",
    },
    {"id": 15, "name": "mqtt", "type": "mqtt"},
]  # fmt: skip

PROXIES: Rows = [
    {"id": 1, "protocol": "http", "host": "proxy.example.com", "port": 3128, "auth": 1, "username": "u",
     "password": "plain-proxy", "active": 1},
    {"id": 2, "protocol": "socks5", "host": "proxy.example.com", "port": 1080, "auth": 0, "active": 1},
]  # fmt: skip


def database(path: Path, version: int) -> sqlite3.Connection:
    """A database as Kuma leaves it while it runs: in WAL mode, with its last writes still in the -wal file."""
    made = sqlite3.connect(path, isolation_level=None)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA wal_autocheckpoint = 0")
    made.executescript(
        f"CREATE TABLE monitor ({_V1 if version == 1 else _V2});"
        "CREATE TABLE proxy (id, user_id, protocol, host, port, auth, username, password, active, 'default');"
        "CREATE TABLE tag (id, name, color);"
        "CREATE TABLE monitor_tag (id, monitor_id, tag_id, value);"
        "CREATE TABLE notification (id, name, config);"
        "CREATE TABLE monitor_notification (id, monitor_id, notification_id);"
        "CREATE TABLE maintenance (id, title);"
        "CREATE TABLE monitor_maintenance (id, monitor_id, maintenance_id);"
        "CREATE TABLE setting (id, key, value);"
        "INSERT INTO tag VALUES (1, 'team', '#fff'), (2, 'check', '#fff');"
        "INSERT INTO monitor_tag VALUES (1, 3, 1, 'payments'), (2, 3, 2, '');"
        "INSERT INTO notification VALUES (1, 'on call', '{\"token\": \"plain-notification\"}');"
        "INSERT INTO monitor_notification VALUES (1, 3, 1);"
        "INSERT INTO maintenance VALUES (1, 'every night');"
        "INSERT INTO monitor_maintenance VALUES (1, 3, 1);"
        "INSERT INTO setting VALUES (1, 'tlsExpiryNotifyDays', '[3, 30]');"
    )
    for table, rows in (("monitor", MONITORS + (NEWER if version == 2 else [])), ("proxy", PROXIES)):
        for row in rows:
            marks = ", ".join("?" * len(row))
            made.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    return made


def backup(path: Path) -> None:
    """The JSON file that version 1 exports: camel case, true and false, tags inside."""
    known = {
        "accepted_statuscodes_json": "accepted_statuscodes", "retry_interval": "retryInterval", "ignore_tls": "ignoreTls",
        "upside_down": "upsideDown", "auth_method": "authMethod", "proxy_id": "proxyId", "invert_keyword": "invertKeyword",
        "http_body_encoding": "httpBodyEncoding", "json_path": "jsonPath", "expected_value": "expectedValue",
        "resend_interval": "resendInterval", "tls_key": "tlsKey", "tls_cert": "tlsCert", "push_token": "pushToken",
    }  # fmt: skip
    monitors = [{known.get(key, key): value for key, value in row.items()} for row in MONITORS]
    for row in monitors:
        if "accepted_statuscodes" in row:
            row["accepted_statuscodes"] = json.loads(row["accepted_statuscodes"])
        row |= {"expiryNotification": False, "active": bool(row.get("active", 1))}
    monitors[2] |= {"notificationIDList": {"1": True}, "tags": [{"name": "team", "value": "payments"}]}
    whole = {
        "version": "1.23.16",
        "notificationList": [{"id": 1, "name": "on call", "config": "plain-notification"}],
        "monitorList": monitors,
        "proxyList": PROXIES,
    }
    path.write_text(json.dumps(whole, indent=2))
