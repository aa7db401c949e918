"""Defines how to reach a target, the same for every protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from monitor.secrets.secret import Text

HostPort = tuple[str, int | None]


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
class Route:
    """The way to a target.

    `resolver` holds name servers as «192.0.2.53:53», empty for the system's; `connect_to` replaces the host and port
    of the URL, but not the name that is asked for; `proxy` is a URL as written (reveal before use).
    """

    ip_version: Literal[4, 6, "any"] = "any"
    resolver: tuple[str, ...] = ()
    connect_to: HostPort | None = None
    source_address: str | None = None
    proxy: Text | None = field(default=None, repr=False)
    tls: TlsSpec = TlsSpec()
