"""Defines the daemon's own settings, and the whole configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, get_args

from monitor.model.maintenance import MaintenanceSpec
from monitor.model.retention import DEFAULT_HISTORY, HistorySpec
from monitor.model.route import FileRef, HostPort
from monitor.model.spec import CheckSpec
from monitor.secrets.secret import Secret

Network = IPv4Network | IPv6Network
Sources = Mapping[str, str | None]
"""Files by path, each with the SHA-256 of its content, None if it could not be read."""


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
