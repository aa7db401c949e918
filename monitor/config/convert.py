"""Turns validated tables into the frozen values that the rest of the monitor works with."""

from __future__ import annotations

from typing import Any

from monitor.config.credentials import secrets_of
from monitor.config.history import history_spec
from monitor.config.limits import Pace
from monitor.config.listener import access_spec, listen_tls_spec
from monitor.config.models import CheckTable, MonitorTable, TlsTable
from monitor.config.outside import public_spec
from monitor.keys.addresses import split_userinfo
from monitor.keys.values import Share
from monitor.model.request import BasicAuth
from monitor.model.route import Route, TlsSpec
from monitor.model.settings import LogSpec, MonitorSpec, ProbeSpec
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import protocol_of_url
from monitor.secrets.secret import Secret, reveal, shown_url


def check_spec(table: CheckTable, tree: dict[str, Any], pace: Pace) -> CheckSpec:
    """The check; `tree` is the table as written, with what it inherits, and holds the secrets."""
    url, userinfo = split_userinfo(table.url)
    protocol = protocol_of_url(reveal(table.url))
    request = protocol.request(table, BasicAuth(*map(Secret, userinfo)) if userinfo else None)
    latency = table.expect.latency
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
        latency=latency.limit if latency else None,
        latency_down=latency is not None and latency.down,
        route=Route(
            ip_version=table.ip_version,
            resolver=tuple(table.resolver),
            connect_to=table.connect_to,
            source_address=table.source_address,
            proxy=table.proxy,
            tls=_tls(table.tls),
        ),
        request=request,
        secrets=secrets_of(tree, table.url, table.proxy) | set(protocol.secrets(request)) - {""},
        was=tuple(table.was),
    )


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
