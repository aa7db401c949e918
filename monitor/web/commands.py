"""A check as a command that repeats it by hand: for `monitor probe`, and for curl as far as that can say it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from monitor.model.route import TlsSpec
from monitor.model.spec import CheckSpec, Limits
from monitor.protocols.protocol import Option
from monitor.protocols.registry import protocol_of
from monitor.secrets.secret import shown, shown_url

_LIMITS, _TLS = Limits(), TlsSpec()


def probe_command(spec: CheckSpec) -> str:
    """`monitor probe …`, with `***` where a secret or the value of a query parameter has to be written."""
    words = [word for option in _options(spec) for word in option.probe]
    return _written(spec, ["monitor", "probe", *words, spec.target])


def curl_command(spec: CheckSpec) -> str | None:
    """`curl …`: it judges only by the status, and has no word for a name server or a server name of one's own.

    None for a check of a protocol that curl does not speak.
    """
    if not protocol_of(spec).curl:
        return None
    options = list(_options(spec))
    words = [word for option in options for word in (option.probe if option.curl is None else option.curl)]
    return _written(spec, ["curl", "--show-error", "--include", *words, spec.target])


def _written(spec: CheckSpec, words: list[str]) -> str:
    return shlex.join([spec.redactor.foreign(word) for word in words])


def _options(spec: CheckSpec) -> Iterator[Option]:
    yield from protocol_of(spec).options(spec.request)
    yield from _limits(spec)
    yield from _tls(spec.route.tls)
    yield from _way(spec)


def _limits(spec: CheckSpec) -> Iterator[Option]:
    limits = spec.limits
    yield Option(("--timeout", f"{limits.total:g}"), ("--max-time", f"{limits.total:g}"))
    yield Option(("--connect-timeout", f"{limits.connect:g}"))
    if limits.read != _LIMITS.read:
        yield Option(("--read-timeout", f"{limits.read:g}"), ())


def _tls(tls: TlsSpec) -> Iterator[Option]:
    if not tls.verify:
        yield Option(("--insecure",))
    for flag, ref in (("--cacert", tls.ca_file), ("--cert", tls.cert_file), ("--key", tls.key_file)):
        if ref is not None:
            yield Option((flag, ref.path))
    if tls.server_name is not None:
        yield Option(("--server-name", shown(tls.server_name)), ())
    if tls.min_version != _TLS.min_version:
        yield Option(("--min-tls", tls.min_version), (f"--tlsv{tls.min_version}",))
    if tls.max_version != _TLS.max_version:
        yield Option(("--max-tls", tls.max_version), ("--tls-max", tls.max_version))
    if tls.ciphers:
        yield Option(("--ciphers", tls.ciphers))


def _way(spec: CheckSpec) -> Iterator[Option]:
    if spec.route.ip_version != "any":
        yield Option((f"-{spec.route.ip_version}",))
    for server in spec.route.resolver:
        yield Option(("--resolver", server), ())
    if spec.route.connect_to is not None:
        host, port = spec.route.connect_to
        host = f"[{host}]" if ":" in host else host
        yield Option(("--connect-to", f"{host}:{port}" if port else host), ("--connect-to", f"::{host}:{port or ''}"))
    if spec.route.source_address is not None:
        yield Option(("--source-address", spec.route.source_address), ("--interface", spec.route.source_address))
    if spec.route.proxy is not None:
        yield Option(("--proxy", shown_url(spec.route.proxy)))
