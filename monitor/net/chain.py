"""Reads chains of certificates, each certificate once, and finds the one that ends first."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from monitor.model.result import Certificate, Ending
from monitor.secrets.visible import visible


@functools.lru_cache(maxsize=8192)
def read_certificate(der: bytes) -> Certificate | None:
    """Reads a certificate; returns None if that is impossible. Cached: most runs see the same ones."""
    from monitor.net.certificates import parsed

    return parsed(der)


@functools.lru_cache(maxsize=8192)
def read_chain(ders: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    """The certificates in their order, up to the first that cannot be read: none takes another one's place."""
    found = []
    for der in ders:
        certificate = read_certificate(der)
        if certificate is None:
            break
        found.append(certificate)
    return tuple(found)


def first_ending(host: str, path: Sequence[Certificate], *, verified: bool) -> Ending | None:
    """The certificate of a path, leaf first, that ends first.

    A root counts only if it was verified with: of one that the server sent, clients have their own copy.
    """
    counts = path if verified else [c for n, c in enumerate(path) if n == 0 or c.subject != c.issuer]
    ends = min(counts, key=lambda one: one.not_after, default=None)
    if ends is None:
        return None
    what = f"the certificate of {host}" if ends is path[0] else f"the authority's certificate «{title(ends)}»"
    return Ending(what, ends.not_before, ends.not_after)


def client_ending(der: bytes | None) -> Ending | None:
    """Returns the end of the client certificate; None if there is none or it is unreadable."""
    found = read_certificate(der) if der else None
    return None if found is None else Ending("the client certificate", found.not_before, found.not_after)


def title(certificate: Certificate) -> str:
    """The subject's common name, or all of the subject if it has none."""
    parts = certificate.subject.split(",")
    return visible(next((part[3:] for part in parts if part.startswith("CN=")), certificate.subject))[:80]


@functools.lru_cache(maxsize=1024)
def revoked(staple: bytes, leaf: bytes) -> str | None:
    """Returns when and why a stapled OCSP answer revokes the leaf; None if it does not."""
    from monitor.net.certificates import revocation

    return revocation(staple, leaf)
