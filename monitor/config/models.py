"""The tables of checks.toml and their keys, each with the sentence that editors show for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, create_model

from monitor.config.history import HistoryTable
from monitor.config.listener import AccessTable, ListenTlsTable
from monitor.config.outside import ApiTable, PublicTable
from monitor.config.reached import ExternalUrl, HostName
from monitor.keys import types as keys
from monitor.keys.shape import LITERAL
from monitor.keys.tables import ExpectTable, under
from monitor.keys.types import Table, one_of
from monitor.model.route import Route, TlsSpec
from monitor.model.settings import DEFAULT_BUCKETS, LogSpec, MonitorSpec, ProbeSpec
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.registry import PROTOCOLS, Url

_LIMITS, _ROUTE, _TLS, _MONITOR, _PROBE = Limits(), Route(), TlsSpec(), MonitorSpec(), ProbeSpec()


class TimeoutTable(Table):
    """The three limits of a run; the earliest that passes names the reason."""

    connect: keys.Duration = Field(
        default=_LIMITS.connect, description="Name resolution, TCP, proxy and TLS of one hop, together."
    )
    read: keys.Duration = Field(
        default=_LIMITS.read, description="The longest silence while waiting for the answer or more of it."
    )
    total: keys.Duration = Field(
        default=_LIMITS.total, description="The whole run, redirects included; no longer than the interval."
    )


class ExpiryTable(Table):
    """The end of the certificate that is worth a warning; a plain duration stands for `within`."""

    within: keys.ExpiryWarning = Field(description='How long before its end the certificate is a worry: "14d", "33%".')
    down: bool = Field(default=False, description="Whether it then fails the check instead of degrading it.")


ExpiryWarning = Annotated[
    ExpiryTable,
    BeforeValidator(lambda value: under("within", value), json_schema_input_type=keys.ExpiryWarning | ExpiryTable),
]


class TlsTable(Table):
    """TLS versions and certificates to use, and the conditions that the server's certificate has to meet."""

    verify: bool = Field(
        default=_TLS.verify, description="Whether an untrusted, expired or misnamed certificate fails the check."
    )
    ca_file: keys.CaFile = Field(
        default=None, description="PEM file of the certificates to trust instead of the system's."
    )
    cert_file: keys.CertFile = Field(default=None, description="PEM file of the client certificate, with its chain.")
    key_file: keys.KeyFile = Field(
        default=None, description="PEM file of the client certificate's private key, not encrypted."
    )
    server_name: keys.ServerName = Field(
        default=None, description="The name for SNI and verification, instead of the URL's host."
    )
    min_version: Annotated[Literal["1.0", "1.1", "1.2", "1.3"], *one_of("1.0", "1.1", "1.2", "1.3")] = Field(
        default=_TLS.min_version, description="The oldest TLS version to accept."
    )
    max_version: Annotated[Literal["1.0", "1.1", "1.2", "1.3"], *one_of("1.0", "1.1", "1.2", "1.3")] = Field(
        default=_TLS.max_version, description="The newest TLS version to offer."
    )
    ciphers: keys.Ciphers = Field(
        default=_TLS.ciphers, description="Cipher suites for TLS 1.2 and older, as OpenSSL writes them."
    )
    expiry_warning: ExpiryWarning = Field(
        default=ExpiryTable(within=_TLS.expiry_warning),
        description='Degraded once a certificate ends within this: "14d", "33%" of its lifetime, "0s" for never; '
        "or a table with down = true.",
    )


class CommonTable(Table):
    """The way to a target, and the limits of a run: keys that checks and probe modules of every protocol share."""

    timeout: TimeoutTable = Field(default=TimeoutTable(), description="The three limits of a run.")
    proxy: keys.Proxy = Field(default=None, description="http://HOST:PORT of a proxy.")
    ip_version: Annotated[Literal[4, 6, "any"], *one_of(4, 6, "any")] = Field(
        default=_ROUTE.ip_version, description="Which addresses to connect to."
    )
    resolver: list[keys.Resolver] = Field(
        default=[], description="Name servers, IP or IP:port, instead of the system's."
    )
    connect_to: keys.ConnectTo = Field(
        default=None, description="HOST:PORT to connect to; Host and SNI stay the URL's."
    )
    source_address: keys.Address = Field(default=None, description="The IP address of this machine to connect from.")
    tls: TlsTable = Field(default=TlsTable(), description="How TLS is spoken.")
    expect: ExpectTable = Field(default=ExpectTable(), description="What a good answer looks like.")


if TYPE_CHECKING:

    class RequestTable(CommonTable):
        """Keys that checks and probe modules share."""
else:
    RequestTable = create_model("RequestTable", __base__=(*(p.table for p in PROTOCOLS), CommonTable))


class ModuleTable(RequestTable):
    """A module of /probe: request and expectations for a target that the caller names."""


class DefaultsTable(RequestTable):
    """Values for every check that does not set its own."""

    group: keys.Shown = Field(default="", description="The group that the check is shown in.")
    url: Url | None = Field(default=None, description="What to check: a URL, whose scheme is the protocol.")
    labels: keys.Labels = Field(default={}, description="Labels for the page and probe_info.")
    description: keys.Shown = Field(default="", description="A text for the page.")
    runbook: keys.Link = Field(default="", description="A link for whoever is on call.")
    enabled: bool = Field(default=True, description="Whether the check runs; if not, it is shown as paused.")
    interval: keys.Interval = Field(default=CheckSpec.interval, description="How often the check runs.")
    down_after: int = Field(
        default=CheckSpec.down_after, ge=1, description="Consecutive failures until the check is down."
    )
    up_after: int = Field(
        default=CheckSpec.up_after, ge=1, description="Consecutive successes until the check is up again."
    )
    retry_interval: keys.Interval | None = Field(
        default=None,
        description="How soon a run follows a failure that does not decide yet; the interval unless given.",
    )
    degraded_after: int = Field(
        default=CheckSpec.degraded_after, ge=1, description="Consecutive slow runs until the check is degraded."
    )


class CheckTable(DefaultsTable):
    """One check: what to request, how often, and what to expect."""

    name: keys.Name = Field(
        description="The name of the check, unique; letters, digits, underscores, dots, dashes.",
        json_schema_extra={LITERAL: True},
    )
    title: keys.CheckTitle | None = Field(
        default=None, description="Shown to people instead of the name, in any script; at most 200 characters."
    )
    url: Url = Field(description="What to check: a URL, whose scheme is the protocol.")
    was: keys.Names = Field(default=[], description="Names that the check had before; its history stays with it.")


class MaintenanceTable(Table):
    """Planned maintenance: shown as such, left out of availability, and without notifications."""

    name: keys.Title = Field(description="What it is, for the page.")
    starts: keys.Moment | None = Field(default=None, description="When it begins, once: a date-time, not in quotes.")
    ends: keys.Moment | None = Field(default=None, description="When it ends.")
    weekly: keys.Weekdays = Field(default=[], min_length=1, description='On which weekdays it begins: ["sat", "sun"].')
    at: keys.TimeOfDay | None = Field(default=None, description='At which time of those days: "02:30".')
    cron: keys.Cron | None = Field(default=None, description='When it begins, as a cron expression: "30 3 * * 1-5".')
    duration: keys.Duration | None = Field(default=None, description="How long it lasts.")
    timezone: keys.Zone = Field(default="UTC", description="The time zone of times without an offset.")
    checks: keys.Selection = Field(
        default=[], min_length=1, description='Names of checks; * stands for anything: "mail-*".'
    )
    groups: keys.Selection = Field(default=[], min_length=1, description="Groups of checks; * stands for anything.")
    labels: keys.Labels = Field(default={}, min_length=1, description="Labels that a check has to have, all of them.")


class LogTable(Table):
    """Log format and levels."""

    format: Annotated[Literal["auto", "console", "json"], *one_of("auto", "console", "json")] = Field(
        default=LogSpec().format, description="JSON lines or text; auto is text on a terminal and JSON elsewhere."
    )
    level: Annotated[Literal["debug", "info", "warning", "error"], *one_of("debug", "info", "warning", "error")] = (
        Field(default=LogSpec().level, description="The least severe lines that are logged.")
    )
    access: bool = Field(default=LogSpec().access, description="Whether requests to the monitor itself are logged.")


class ProbeTable(Table):
    """Targets and limits of /probe."""

    allow: list[keys.Allowed] = Field(
        default=[], description='Targets besides the checks: "host.example.com", "*.example.com", "10.0.0.0/8".'
    )
    max_requests: int = Field(
        default=_PROBE.max_requests, ge=1, description="How many requests for /probe may be under way at once."
    )
    timeout_offset: keys.Duration = Field(
        default=_PROBE.timeout_offset,
        description="How much earlier than Prometheus gives up the answer is sent.",
    )


class MonitorTable(Table):
    """The settings of the daemon itself."""

    listen: keys.Listen = Field(default=_MONITOR.listen, description="HOST:PORT of the page, the metrics and the API.")
    title: keys.Shown = Field(default=_MONITOR.title, description="The title of the page.")
    external_url: ExternalUrl = Field(
        default=_MONITOR.external_url,
        description="The address by which people reach the page; behind a proxy its path is the prefix of all others.",
    )
    allowed_hosts: list[HostName] = Field(
        default=[], description="More names by which browsers may ask, besides IP addresses and localhost."
    )
    deny_addresses: list[keys.Subnet] = Field(
        default=list(_MONITOR.deny_addresses),
        description="Networks that no check may connect to, however it gets there.",
    )
    max_concurrency: int = Field(
        default=_MONITOR.max_concurrency, ge=1, description="How many runs may be in flight at once."
    )
    workers: int = Field(
        default=_MONITOR.workers,
        ge=0,
        le=64,
        description="How many processes of their own run the checks; 0: the daemon's own process does.",
    )
    drain_timeout: keys.Duration = Field(
        default=_MONITOR.drain_timeout, description="How long a stop waits for runs in flight."
    )
    latency_buckets: keys.Buckets = Field(
        default=list(DEFAULT_BUCKETS), min_length=1, description="Upper bounds of the latency histogram, ascending."
    )
    recent_results: int = Field(
        default=_MONITOR.recent_results, ge=1, le=1000, description="Results kept for each check's own page."
    )
    reload_on_change: bool = Field(
        default=_MONITOR.reload_on_change, description="Whether a change of this file, or of one it names, is loaded."
    )
    log: LogTable = Field(default=LogTable(), description="How the daemon logs.")
    probe: ProbeTable = Field(default=ProbeTable(), description="Whom /probe may ask besides the configured checks.")
    access: AccessTable = Field(default=AccessTable(), description="Who may do what over HTTP.")
    api: ApiTable = Field(default=ApiTable(), description="The API below /api/v1.")
    public: PublicTable = Field(default=PublicTable(), description="The page for everybody.")
    history: HistoryTable = Field(default=HistoryTable(), description="Where the past is kept, and how long.")
    tls: ListenTlsTable = Field(default=ListenTlsTable(), description="How the listener itself speaks TLS.")


class Document(Table):
    """The whole of checks.toml."""

    monitor: MonitorTable = Field(default=MonitorTable(), description="The settings of the daemon itself.")
    defaults: DefaultsTable = Field(
        default=DefaultsTable(), description="What holds for every check that does not say otherwise."
    )
    probe_modules: dict[keys.Name, ModuleTable] = Field(default={}, description="The modules of /probe, by name.")
    checks: list[CheckTable] = Field(default=[], description="The checks.")
    maintenance: list[MaintenanceTable] = Field(default=[], description="Planned maintenance.")
