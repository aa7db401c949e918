"""The listener's certificate: loaded from its files, and loaded again when they change, without a restart.

Every connection is accepted with the certificate of that moment. A new pair that cannot be used is refused with a line
in the log and a banner on the page, and the old one goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from monitor.model.clock import rfc3339
from monitor.model.errors import StartError
from monitor.model.settings import ListenTlsSpec, Sources
from monitor.system.file_watch import Watch

_log = structlog.get_logger("monitor.web")

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class UnusablePair(Exception):
    """Certificate and key cannot be used; the text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, ready for connections."""

    context: ssl.SSLContext
    ends_at: str
    """End of the certificate, as text in UTC."""


class Tls:
    """The certificate in force, and what became of the last attempt to replace it."""

    def __init__(self, spec: ListenTlsSpec) -> None:
        self._spec = spec
        self._pair: Pair | None = None
        self._sources: Sources = {}
        self._refused: str | None = None
        self._loading = asyncio.Lock()
        self._watch = Watch(lambda: self._sources, self.reload)

    @property
    def context(self) -> ssl.SSLContext:
        """The context for the next connection."""
        assert self._pair is not None, "started"
        return self._pair.context

    @property
    def trouble(self) -> str | None:
        """Returns why the new files are not in use, in a sentence for the page; None if they are."""
        if self._refused is None or self._pair is None:
            return None
        refused = f"the new certificate of this listener is not in force: {self._refused}"
        return f"{refused}; the old one ends {self._pair.ends_at}"

    async def start(self) -> None:
        """Load the pair, and watch its files from now on; raises StartError."""
        self._sources = await asyncio.to_thread(_digests, self._spec)
        try:
            self._pair = await asyncio.to_thread(_loaded, self._spec)
        except UnusablePair as unusable:
            raise StartError(f"cannot speak TLS: {unusable}") from unusable
        self._watch.start()

    def stop(self) -> None:
        """Watch no more."""
        self._watch.stop()

    async def use(self, spec: ListenTlsSpec) -> None:
        """Uses these files, and reloads them unless their content is already in use."""
        old, self._spec = self._spec, spec
        digests = {file.path: file.digest for file in (spec.cert_file, spec.key_file)}
        if digests != self._sources or spec.min_version != old.min_version:
            await self.reload()

    async def reload(self) -> None:
        """Take over what is in the files now, if it can be used."""
        async with self._loading:
            spec = self._spec
            sources = await asyncio.to_thread(_digests, spec)  # before the load: what changes meanwhile is seen again
            try:
                self._pair = await asyncio.to_thread(_loaded, spec)
                self._refused = None
                _log.info("certificate reloaded", ends=self._pair.ends_at)
            except UnusablePair as unusable:
                self._refused = str(unusable)
                _log.error("certificate not reloaded, the old one goes on", problem=str(unusable))
            self._sources = sources


def _loaded(spec: ListenTlsSpec) -> Pair:
    from cryptography import x509  # eight mebibytes, which a listener without TLS does without

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[spec.min_version]
    context.options |= ssl.OP_NO_RENEGOTIATION  # a client could make the server compute, again and again
    cert, key = spec.cert_file.path, spec.key_file.path
    try:
        # Without a passphrase given here, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert, key, password="")
        ends = x509.load_pem_x509_certificate(Path(cert).read_bytes()).not_valid_after_utc
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnusablePair(f"the key in {key} does not belong to the certificate in {cert}") from None
        raise UnusablePair(f"certificate and key cannot be loaded from {cert} and {key}") from None
    except OSError as error:
        raise UnusablePair(f"{error.filename or f'{cert} or {key}'} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UnusablePair(f"there is no certificate in {cert}") from None
    return Pair(context, rfc3339(ends.timestamp()))


def _digests(spec: ListenTlsSpec) -> Sources:
    found: dict[str, str | None] = {}
    for path in (spec.cert_file.path, spec.key_file.path):
        found[path] = None
        with suppress(OSError, ValueError):
            found[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return found
