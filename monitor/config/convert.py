"""Turns validated tables into the frozen values that the rest of the monitor works with."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from monitor.config.addresses import split_userinfo
from monitor.config.credentials import credentials
from monitor.config.history import history_spec
from monitor.config.json_values import revealed
from monitor.config.limits import Pace
from monitor.config.listener import access_spec, listen_tls_spec
from monitor.config.models import AuthTable, CheckTable, DefaultsTable, ExpectTable, MonitorTable, TlsTable
from monitor.config.operators import body_rules, value_rules
from monitor.config.outside import public_spec
from monitor.config.values import Share
from monitor.model.spec import (
    BasicAuth,
    BearerAuth,
    Body,
    CheckSpec,
    Expect,
    LogSpec,
    MonitorSpec,
    ProbeSpec,
    TlsSpec,
    is_secret,
)
from monitor.secrets.secret import Secret, reveal, shown_url


def check_spec(table: CheckTable, tree: dict[str, Any], pace: Pace) -> CheckSpec:
    """The check; `tree` is the table as written, with what it inherits, and holds the secrets."""
    url, userinfo = split_userinfo(table.url)
    auth = BasicAuth(*map(Secret, userinfo)) if userinfo else _auth(table.auth)
    body = _body(table)
    return CheckSpec(
        name=table.name,
        url=url,
        target=shown_url(table.url),
        title=table.title or "",
        group=table.group,
        labels=tuple(table.labels.items()),
        description=table.description,
        runbook=table.runbook,
        enabled=table.enabled,
        interval=pace.interval,
        limits=pace.limits,
        down_after=table.down_after,
        up_after=table.up_after,
        retry_interval=pace.retry,
        degraded_after=table.degraded_after,
        method=table.method or ("POST" if body else "GET"),
        headers=tuple(table.headers.items()),
        body=body,
        auth=auth,
        proxy=table.proxy,
        ip_version=table.ip_version,
        resolver=tuple(table.resolver),
        connect_to=table.connect_to,
        source_address=table.source_address,
        follow_redirects=table.follow_redirects,
        max_redirects=table.max_redirects,
        allow_downgrade=table.allow_downgrade,
        max_body=table.max_body,
        tls=_tls(table.tls),
        expect=_expect(table.expect),
        secrets=credentials(tree, (table.url, table.proxy), auth, table.headers),
        was=tuple(table.was),
    )


def _auth(table: AuthTable) -> BasicAuth | BearerAuth | None:
    if table.basic:
        return BasicAuth(table.basic.username, table.basic.password)
    return BearerAuth(table.bearer) if table.bearer else None


def _body(table: DefaultsTable) -> Body | None:
    if table.json_ is not None:
        text = json.dumps(revealed(table.json_), ensure_ascii=False, separators=(",", ":"))
        return Body(text.encode(), "application/json", is_secret(table.json_))
    if table.form:
        form = urlencode({name: list(map(reveal, fields)) for name, fields in table.form.items()}, doseq=True)
        return Body(form.encode(), "application/x-www-form-urlencoded", is_secret(table.form))
    return Body(reveal(table.body).encode(), None, is_secret(table.body)) if table.body else None


def _tls(table: TlsTable) -> TlsSpec:
    warning = table.expiry_warning.within
    return TlsSpec(
        verify=table.verify,
        ca_file=table.ca_file,
        cert_file=table.cert_file,
        key_file=table.key_file,
        server_name=table.server_name,
        min_version=table.min_version,
        expiry_warning=0.0 if isinstance(warning, Share) else warning,
        expiry_share=float(warning) if isinstance(warning, Share) else None,
        max_version=table.max_version,
        ciphers=table.ciphers or "",
        expiry_down=table.expiry_warning.down,
    )


def _expect(table: ExpectTable) -> Expect:
    return Expect(
        status=tuple(table.status),
        latency=table.latency.limit if table.latency else None,
        latency_down=table.latency is not None and table.latency.down,
        headers=tuple((name, value_rules(rules)) for name, rules in table.headers.items()),
        body=body_rules(table.body),
        json=tuple((path, value_rules(rules)) for path, rules in table.json_.items()),
        http_version=tuple(table.http_version),
    )


def monitor_spec(table: MonitorTable) -> MonitorSpec:
    """The settings of the daemon."""
    return MonitorSpec(
        listen=table.listen,
        title=table.title,
        external_url=table.external_url,
        allowed_hosts=tuple(table.allowed_hosts),
        deny_addresses=tuple(table.deny_addresses),
        max_concurrency=table.max_concurrency,
        workers=table.workers,
        drain_timeout=table.drain_timeout,
        latency_buckets=tuple(table.latency_buckets),
        recent_results=table.recent_results,
        reload_on_change=table.reload_on_change,
        log=LogSpec(table.log.format, table.log.level, table.log.access),
        probe=ProbeSpec(
            hosts=tuple(entry for entry in table.probe.allow if isinstance(entry, str)),
            networks=tuple(entry for entry in table.probe.allow if not isinstance(entry, str)),
            max_requests=table.probe.max_requests,
            timeout_offset=table.probe.timeout_offset,
        ),
        access=access_spec(table.access),
        history=history_spec(table.history),
        public=public_spec(table.public),
        cors_origins=tuple(table.api.cors_origins),
        tls=listen_tls_spec(table.tls),
    )
