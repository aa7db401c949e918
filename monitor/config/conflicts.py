"""Keys that are right on their own and wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import urlsplit

from monitor.config.listener import ListenTlsTable
from monitor.config.models import DefaultsTable, TlsTable
from monitor.keys.addresses import literal
from monitor.keys.bad_value import BadValueError
from monitor.keys.conflict import Conflict
from monitor.keys.files import Files
from monitor.protocols.registry import protocol_of_url
from monitor.secrets.secret import reveal

_UNNAMED = "http://"
"""The protocol of defaults without a URL."""


def conflicts(table: DefaultsTable, tree: dict[str, Any], files: Files) -> Iterator[Conflict]:
    """All contradictions of a table but those of its limits; `tree` is the table as written, with what it inherits."""
    yield from protocol_of_url(reveal(table.url) if table.url else _UNNAMED).conflicts(table, tree)
    yield from certificate(table.tls, files)
    yield from _expired_client(table.tls, files)
    yield from _versions(table.tls)
    yield from _families(table)


def certificate(tls: TlsTable | ListenTlsTable, files: Files) -> Iterator[Conflict]:
    """Yields a conflict if the certificate and the key in the table `tls` are no pair."""
    cert, key = tls.cert_file, tls.key_file
    at_cert, at_key = ("tls", "cert_file"), ("tls", "key_file")
    if cert and not key:
        yield Conflict((at_cert, at_key), "a certificate needs its key", "give `key_file` too; it may be the same file")
    elif key and not cert:
        yield Conflict(
            (at_key, at_cert), "a key needs its certificate", "give `cert_file` too; it may be the same file"
        )
    elif cert and key:
        try:
            files.prove_pair(cert, key)
        except BadValueError as wrong:
            yield Conflict((at_key, at_cert), wrong.message, wrong.suggestion)


def _expired_client(tls: TlsTable, files: Files) -> Iterator[Conflict]:
    """A client certificate that has ended, or is still to begin, opens no connection."""
    if tls.cert_file and (wrong := files.out_of_date(tls.cert_file)):
        yield Conflict((("tls", "cert_file"),), wrong, "renew it; every check with it would fail")


def _versions(tls: TlsTable) -> Iterator[Conflict]:
    if tls.max_version < tls.min_version:
        keys = (("tls", "max_version"), ("tls", "min_version"))
        yield Conflict(keys, f"`max_version` {tls.max_version} is older than `min_version` {tls.min_version}")


def _families(table: DefaultsTable) -> Iterator[Conflict]:
    """Yields conflicts between address families: of the destination, of the source address, and of `ip_version`."""
    wanted = None if table.ip_version == "any" else int(table.ip_version)
    source = _family(table.source_address)
    where, address = _dialled(table)
    if wanted and source and source != wanted:
        yield Conflict(
            (("source_address",), ("ip_version",)), f"`source_address` is IPv{source}, but `ip_version` is {wanted}"
        )
    if wanted and address and address != wanted:
        yield Conflict(
            (("ip_version",), (where,)), f"`ip_version` is {wanted}, but the address in `{where}` is IPv{address}"
        )
    elif source and address and source != address:
        yield Conflict(
            (("source_address",), (where,)),
            f"`source_address` is IPv{source}, but the address in `{where}` is IPv{address}",
        )


def _dialled(table: DefaultsTable) -> tuple[str, int | None]:
    """The key that says where the first connection goes, and the family of the address in it."""
    if table.proxy:
        return "proxy", _family(urlsplit(reveal(table.proxy)).hostname)
    if table.connect_to:
        return "connect_to", _family(table.connect_to[0])
    return "url", _family(urlsplit(reveal(table.url)).hostname) if table.url else None


def _family(host: str | None) -> int | None:
    address: IPv4Address | IPv6Address | None = literal(host or "")
    return address.version if address else None
