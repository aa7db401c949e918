"""The parsed configuration: immutable values, compared at a reload; no state of checks lives here."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, get_args

from monitor.model.maintenance import MaintenanceSpec
from monitor.model.retention import DEFAULT_HISTORY, HistorySpec
from monitor.secrets.redaction import Redactor
from monitor.secrets.secret import Secret, Text

Network = IPv4Network | IPv6Network
HostPort = tuple[str, int | None]
Sources = Mapping[str, str | None]
"""Files by path, each with the SHA-256 of its content, None if it could not be read."""

Operator = Literal[
    "equals", "not_equals", "less_than", "at_most", "greater_than", "at_least",
    "contains", "not_contains", "matches", "not_matches", "exists", "one_of", "length", "optional",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """The three limits of a run, in seconds."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that a check uses; the digest of its content makes a changed file a changed check."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """TLS versions, certificates and warnings; equal values share one context.

    `expiry_warning` is seconds before a certificate's end, 0 for never; `expiry_share` is a share of its lifetime, and
    then the seconds are 0. `ciphers` is a list as OpenSSL reads it, for TLS 1.2 and older.
    """

    verify: bool = True
    ca_file: FileRef | None = None
    cert_file: FileRef | None = None
    key_file: FileRef | None = None
    server_name: Text | None = None
    min_version: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    expiry_warning: float = 14 * 86400.0
    expiry_down: bool = False
    """True if a certificate that ends within the warning fails the run."""
    expiry_share: float | None = None
    max_version: Literal["1.0", "1.1", "1.2", "1.3"] = "1.3"
    ciphers: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison of what came with `operand` (a str, Secret, number, bool, None, list or dict).

    For `matches` and `not_matches` the operand is a valid RE2 pattern, for `length` a rule for the length. `optional`
    says that the other rules of a header hold only if the header is there.
    """

    operator: Operator
    operand: Any


OPTIONAL = Rule("optional", True)
"""Stands first among the rules of a header that may be missing."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Conditions of a good answer.

    `status` holds inclusive ranges; `headers` and `json` pair a name or an RFC 9535 path with the rules that all
    have to hold; `latency` is seconds, above which a success is degraded, or a failure with `latency_down`.
    """

    status: tuple[tuple[int, int], ...] = ((200, 399),)
    latency: float | None = None
    latency_down: bool = False
    headers: tuple[tuple[str, tuple[Rule, ...]], ...] = ()
    body: tuple[Rule, ...] = ()
    json: tuple[tuple[str, tuple[Rule, ...]], ...] = ()
    http_version: tuple[str, ...] = ()

    @property
    def needs_body(self) -> bool:
        """True if a condition depends on the body."""
        return bool(self.body or self.json)


@dataclass(frozen=True, slots=True)
class Body:
    """The request body: bytes, the content type it implies (None for a plain `body`), and whether it holds a secret."""

    data: bytes = field(repr=False)
    content_type: str | None
    secret: bool


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user name and a password."""

    username: Text
    password: Text


@dataclass(frozen=True, slots=True)
class BearerAuth:
    """A token."""

    token: Text


@dataclass(frozen=True)
class CheckSpec:
    """One check. `url` and `proxy` are as written (reveal before use); `target` is the URL as it may be shown.

    A userinfo in the URL has become `auth`. Durations are seconds, sizes bytes.
    """

    name: str
    url: Text
    target: str
    title: str = ""
    group: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    description: str = ""
    runbook: str = ""
    enabled: bool = True
    interval: float = 30.0
    limits: Limits = Limits()
    down_after: int = 2
    up_after: int = 1
    retry_interval: float | None = None
    degraded_after: int = 1
    method: str = "GET"
    headers: tuple[tuple[str, Text], ...] = ()
    body: Body | None = None
    auth: BasicAuth | BearerAuth | None = None
    proxy: Text | None = None
    ip_version: Literal[4, 6, "any"] = "any"
    resolver: tuple[str, ...] = ()
    connect_to: HostPort | None = None
    source_address: str | None = None
    follow_redirects: bool = True
    max_redirects: int = 10
    allow_downgrade: bool = False
    max_body: int = 1 << 20
    tls: TlsSpec = TlsSpec()
    expect: Expect = Expect()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    was: tuple[str, ...] = field(default=(), compare=False)
    """Names that it had before, by which its past is found; they change nothing of what runs."""

    @property
    def display_name(self) -> str:
        """The title, or the name of a check without one: what people read. The name stays the identity."""
        return self.title or self.name

    @functools.cached_property
    def redactor(self) -> Redactor:
        """Strikes this check's secrets out of anything shown."""
        return Redactor(self.secrets)

    @functools.cached_property
    def kept(self) -> dict[str, object]:
        """Values that modules derive from this check and keep for its next run, by their names."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Returns the fields to pickle for another process; derived values are made again there."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class LogSpec:
    """Log format and level; `auto` is console on a terminal and JSON elsewhere."""

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = False


DEFAULT_DENIED = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32",
                  "192.0.0.192/32", "168.63.129.16/32")  # fmt: skip
"""Link-local networks, and the metadata services of Amazon and Google over IPv6, of Alibaba, Oracle and Azure."""
DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """Targets of `/probe` besides the checks, requests at a time, and the offset of timeouts in seconds.

    `hosts` are names, or `*.` and a name for every name below it.
    """

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    max_requests: int = 50
    timeout_offset: float = 0.5


Right = Literal["view", "metrics", "write"]
"""Rights over HTTP: to see the page and its documents, to scrape metrics, to change something."""

RIGHTS: tuple[Right, ...] = get_args(Right)


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A user with the hash of a password (`monitor.secrets.passwords`)."""

    name: str
    password: Secret
    may: frozenset[Right]


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """A program with a bearer token."""

    name: str
    token: Secret
    may: frozenset[Right]


@dataclass(frozen=True, slots=True)
class ForwardedSpec:
    """The header in which reverse proxies in these networks name the user whom they let through."""

    header: str
    networks: tuple[Network, ...]
    may: frozenset[Right]


@dataclass(frozen=True, slots=True)
class AccessSpec:
    """Rights of callers over HTTP; `stated` is True if the configuration has [monitor.access]."""

    stated: bool = False
    anonymous: frozenset[Right] = frozenset(RIGHTS)
    users: tuple[UserSpec, ...] = ()
    tokens: tuple[TokenSpec, ...] = ()
    forwarded: ForwardedSpec | None = None

    @property
    def secrets(self) -> set[str]:
        """Every text to strike from what is shown."""
        hashes = {user.password.reveal() for user in self.users}
        parts = {part for text in hashes for part in re.split("[:$]", text) if len(part) >= 22}  # salts and digests
        return {token.token.reveal() for token in self.tokens} | hashes | parts


@dataclass(frozen=True, slots=True)
class ListenTlsSpec:
    """The certificate that the monitor's own listener shows, with its chain, and its key."""

    cert_file: FileRef
    key_file: FileRef
    min_version: Literal["1.2", "1.3"] = "1.2"


@dataclass(frozen=True, slots=True)
class PublicSpec:
    """The public page: checks whose group matches a pattern; `history` includes their past."""

    enabled: bool = False
    groups: tuple[str, ...] = ()
    title: str = ""
    history: bool = True
    descriptions: bool = False


@dataclass(frozen=True, slots=True)
class MonitorSpec:
    """The daemon's own settings; durations are seconds."""

    listen: HostPort = ("127.0.0.1", 8420)
    title: str = ""
    external_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    deny_addresses: tuple[Network, ...] = tuple(map(ip_network, DEFAULT_DENIED))
    max_concurrency: int = 5000
    workers: int = 0
    drain_timeout: float = 30.0
    latency_buckets: tuple[float, ...] = DEFAULT_BUCKETS
    recent_results: int = 30
    reload_on_change: bool = False
    log: LogSpec = LogSpec()
    probe: ProbeSpec = ProbeSpec()
    access: AccessSpec = AccessSpec()
    history: HistorySpec = DEFAULT_HISTORY
    public: PublicSpec = PublicSpec()
    cors_origins: tuple[str, ...] = ()
    tls: ListenTlsSpec | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole valid file: where it came from, the daemon's settings, and the checks in the order of the file.

    `sources` are the files that were read for it, itself first, each with the digest of what was in it.
    A probe module is a check whose `url` and `target` are still to be said.
    """

    path: str
    monitor: MonitorSpec
    checks: tuple[CheckSpec, ...]
    probe_modules: tuple[CheckSpec, ...] = ()
    maintenance: tuple[MaintenanceSpec, ...] = ()
    sources: Sources = field(default_factory=dict, compare=False, repr=False)

    @property
    def secrets(self) -> frozenset[str]:
        """All that must never be shown or logged."""
        checks = (check.secrets for check in (*self.checks, *self.probe_modules))
        return frozenset().union(self.monitor.history.secrets, self.monitor.access.secrets, *checks)


def is_secret(value: object) -> bool:
    """True if a value is, or holds, a secret."""
    if isinstance(value, dict):
        return any(map(is_secret, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(is_secret, value))
    return isinstance(value, Secret)
