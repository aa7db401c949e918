"""The tables of checks.toml and their keys, each with the sentence that editors show for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from monitor.config import keys
from monitor.config.history import HistoryTable
from monitor.config.keys import Table, one_of
from monitor.config.listener import AccessTable, ListenTlsTable
from monitor.config.operators import BodyRules, HeaderRules, JsonRules, body_table
from monitor.config.outside import ApiTable, PublicTable
from monitor.config.reached import ExternalUrl, HostName
from monitor.config.shape import LITERAL
from monitor.model.spec import DEFAULT_BUCKETS, CheckSpec, Expect, Limits, LogSpec, MonitorSpec, ProbeSpec, TlsSpec

_LIMITS, _TLS, _EXPECT, _MONITOR, _PROBE = Limits(), TlsSpec(), Expect(), MonitorSpec(), ProbeSpec()


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


class LatencyTable(Table):
    """The longest duration of a good run; a plain duration stands for `limit`."""

    limit: keys.Duration = Field(description="The longest that a good run takes.")
    down: bool = Field(default=False, description="Whether a slower success fails the check instead of degrading it.")


def _under(key: str, value: object) -> object:
    """A plain value as the table that it stands for."""
    return value if isinstance(value, dict) else {key: value}


ExpiryWarning = Annotated[
    ExpiryTable,
    BeforeValidator(lambda value: _under("within", value), json_schema_input_type=keys.ExpiryWarning | ExpiryTable),
]
Latency = Annotated[
    LatencyTable,
    BeforeValidator(lambda value: _under("limit", value), json_schema_input_type=keys.Duration | LatencyTable),
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


class ExpectTable(Table):
    """Conditions of a good answer."""

    status: keys.Statuses = Field(
        default=list(_EXPECT.status), min_length=1, description='Accepted statuses: 301, "2xx", "400-404".'
    )
    latency: Latency | None = Field(
        default=None,
        description='A success slower than this is degraded: "800ms", or { limit = "800ms", down = true }.',
    )
    headers: dict[keys.HeaderName, HeaderRules] = Field(
        default={}, description="Header names, each with a value or a table of operators."
    )
    body: Annotated[BodyRules, BeforeValidator(body_table)] = Field(
        default=BodyRules(), description="Operators on the text of the body."
    )
    json_: dict[keys.JsonPath, JsonRules] = Field(
        default={}, alias="json", description="JSONPaths (RFC 9535), each with a value or a table of operators."
    )
    http_version: list[keys.HttpVersion] = Field(default=[], description="Accepted versions of HTTP; all if empty.")


class BasicTable(Table):
    """A user name and a password."""

    username: keys.Text = Field(description="The user name.")
    password: keys.Text = Field(description="The password, best from { env } or { file }.")


class AuthTable(Table):
    """Authentication of the check; an empty table removes that of [defaults]."""

    basic: BasicTable | None = Field(default=None, description="A user name and a password.")
    bearer: keys.Filled | None = Field(default=None, description="A bearer token, best from { env } or { file }.")


class RequestTable(Table):
    """Request and expectations: keys that checks and probe modules share."""

    timeout: TimeoutTable = Field(default=TimeoutTable(), description="The three limits of a run.")
    method: keys.Method | None = Field(default=None, description="The HTTP method; GET, or POST if there is a body.")
    headers: dict[keys.HeaderName, keys.HeaderValue] = Field(default={}, description="Headers to send.")
    body: keys.Text | None = Field(default=None, description="The body to send, as text.")
    json_: keys.Json = Field(default=None, alias="json", description="The body to send, as JSON.")
    form: dict[str, keys.FormValue] | None = Field(default=None, description="The body to send, as a form.")
    auth: AuthTable = Field(default=AuthTable(), description="Basic or bearer authentication.")
    proxy: keys.Proxy = Field(default=None, description="http://HOST:PORT of a proxy.")
    ip_version: Annotated[Literal[4, 6, "any"], *one_of(4, 6, "any")] = Field(
        default=CheckSpec.ip_version, description="Which addresses to connect to."
    )
    resolver: list[keys.Resolver] = Field(
        default=[], description="Name servers, IP or IP:port, instead of the system's."
    )
    connect_to: keys.ConnectTo = Field(
        default=None, description="HOST:PORT to connect to; Host and SNI stay the URL's."
    )
    source_address: keys.Address = Field(default=None, description="The IP address of this machine to connect from.")
    follow_redirects: bool = Field(default=CheckSpec.follow_redirects, description="Whether redirects are followed.")
    max_redirects: int = Field(default=CheckSpec.max_redirects, ge=0, description="How many redirects are followed.")
    allow_downgrade: bool = Field(
        default=CheckSpec.allow_downgrade, description="Whether a redirect may lead from https to http."
    )
    max_body: keys.Size = Field(default=CheckSpec.max_body, description="How much of the decoded body is read.")
    tls: TlsTable = Field(default=TlsTable(), description="How TLS is spoken.")
    expect: ExpectTable = Field(default=ExpectTable(), description="What a good answer looks like.")


class ModuleTable(RequestTable):
    """A module of /probe: request and expectations for a target that the caller names."""


class DefaultsTable(RequestTable):
    """Values for every check that does not set its own."""

    group: keys.Shown = Field(default="", description="The group that the check is shown in.")
    url: keys.Url | None = Field(default=None, description="What to request: an http or https URL.")
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
    url: keys.Url = Field(description="What to request: an http or https URL.")
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
