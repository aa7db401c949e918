"""Keys that are right on their own and wrong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import urlsplit

from monitor.config.addresses import has_userinfo, literal
from monitor.config.bad_value import BadValueError, listed
from monitor.config.files import Files
from monitor.config.finding import Finding, has, related
from monitor.config.listener import ListenTlsTable
from monitor.config.merge import BODIES, authorization
from monitor.config.models import DefaultsTable, TlsTable
from monitor.config.shape import Path
from monitor.secrets.secret import reveal


@dataclass(frozen=True, slots=True)
class Conflict:
    """Keys that contradict each other, the likeliest culprit first."""

    keys: tuple[Path, ...]
    message: str
    suggestion: str | None = None

    def blamed(self, own: dict[str, Any], doubtful: list[Path]) -> Finding | None:
        """The finding at the first key that the table itself states.

        None if it states none, for then they stand in [defaults] and are found there; None too if a key among them
        is wrong by itself, for then nobody knows what it was meant to say.
        """
        if any(related(key, path) for key in self.keys for path in doubtful):
            return None
        return next((Finding(key, self.message, self.suggestion) for key in self.keys if has(own, key)), None)


def conflicts(table: DefaultsTable, tree: dict[str, Any], files: Files) -> Iterator[Conflict]:
    """All contradictions of a table but those of its limits; `tree` is the table as written, with what it inherits."""
    yield from _twins(("headers",), table.headers)
    yield from _twins(("expect", "headers"), table.expect.headers)
    yield from _bodies(tree)
    yield from _credentials(tree)
    yield from certificate(table.tls, files)
    yield from _expired_client(table.tls, files)
    yield from _versions(table.tls)
    yield from _families(table)


def _twins(place: Path, headers: Mapping[str, object]) -> Iterator[Conflict]:
    seen: dict[str, str] = {}
    for name in headers:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield Conflict(((*place, name), (*place, first)), f"is the same header as {first}", "keep one of them")


def _bodies(tree: dict[str, Any]) -> Iterator[Conflict]:
    given = [key for key in BODIES if key in tree]
    if len(given) > 1:
        keys = tuple((key,) for key in reversed(given))
        yield Conflict(keys, f"{listed(given, 'and')} are given together", "a request has one body; keep one of them")


def _credentials(tree: dict[str, Any]) -> Iterator[Conflict]:
    header, auth = authorization(tree), tree.get("auth")
    given: dict[str, Path] = {"`auth`": ("auth",)} if auth else {}
    if has_userinfo(tree.get("url")):
        given["a user name in the URL"] = ("url",)
    if header:
        given["an Authorization header"] = ("headers", header)
    advice = "a request authenticates in one way; keep one of them"
    if len(given) > 1:
        yield Conflict(tuple(given.values()), f"{listed(given, 'and')} are given together", advice)
    if isinstance(auth, dict) and len(auth) > 1:
        yield Conflict((("auth",),), "basic and bearer are given together", advice)


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
