"""A check as a command that repeats it by hand: for `monitor probe`, and for curl as far as that can say it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from monitor.model.spec import BasicAuth, BearerAuth, CheckSpec, Limits, TlsSpec
from monitor.secrets.secret import MASK, shown, shown_url

_LONGEST_BODY = 2000
_LIMITS, _TLS = Limits(), TlsSpec()


class Option(NamedTuple):
    """The options of both programs for one setting; curl gets the same words unless it has its own."""

    probe: tuple[str, ...]
    curl: tuple[str, ...] | None = None


def probe_command(spec: CheckSpec) -> str:
    """`monitor probe …`, with `***` where a secret or the value of a query parameter has to be written."""
    words = [word for option in _options(spec) for word in option.probe]
    return _written(spec, ["monitor", "probe", *words, spec.target])


def curl_command(spec: CheckSpec) -> str:
    """`curl …`: it judges only by the status, and has no word for a name server or a server name of one's own."""
    options = list(_options(spec))
    words = [word for option in options for word in (option.probe if option.curl is None else option.curl)]
    return _written(spec, ["curl", "--show-error", "--include", *words, spec.target])


def unsaid(spec: CheckSpec) -> list[str]:
    """Keys of the check that `monitor probe` has no option for."""
    expect = spec.expect
    found = {
        "expect.headers": expect.headers,
        "expect.body": len(expect.body) - len(_contained(spec)),
        "expect.json": expect.json,
        "expect.http_version": expect.http_version,
        "expect.latency": expect.latency,
        "allow_downgrade": spec.allow_downgrade,
        "max_body": spec.max_body != CheckSpec.max_body,
    }
    return [key for key, said in found.items() if said]


def _written(spec: CheckSpec, words: list[str]) -> str:
    return shlex.join([spec.redactor.foreign(word) for word in words])


def _options(spec: CheckSpec) -> Iterator[Option]:
    yield from _request(spec)
    yield from _limits(spec)
    yield from _answer(spec)
    yield from _tls(spec.tls)
    yield from _way(spec)


def _request(spec: CheckSpec) -> Iterator[Option]:
    if spec.method != ("POST" if spec.body else "GET"):
        yield Option(("-X", spec.method), ("--head",) if spec.method == "HEAD" else None)
    for name, value in spec.headers:
        yield Option(("-H", f"{name}: {shown(value)}"))
    if isinstance(spec.auth, BasicAuth):
        yield Option(("-u", f"{shown(spec.auth.username)}:{MASK}"))
    elif isinstance(spec.auth, BearerAuth):
        yield Option(("--bearer", MASK), ("-H", f"Authorization: Bearer {MASK}"))
    body = spec.body
    if body is not None:
        hidden = body.secret or len(body.data) > _LONGEST_BODY
        text = MASK if hidden else body.data.decode("utf-8", "replace")
        if body.content_type is not None:
            yield Option(("-H", f"Content-Type: {body.content_type}"))
        yield Option(("-d", text), ("--data-raw", text))


def _limits(spec: CheckSpec) -> Iterator[Option]:
    limits = spec.limits
    yield Option(("--timeout", f"{limits.total:g}"), ("--max-time", f"{limits.total:g}"))
    yield Option(("--connect-timeout", f"{limits.connect:g}"))
    if limits.read != _LIMITS.read:
        yield Option(("--read-timeout", f"{limits.read:g}"), ())


def _contained(spec: CheckSpec) -> list[str]:
    """Returns the text that the body has to contain, if one option can express it."""
    found = [shown(rule.operand) for rule in spec.expect.body if rule.operator == "contains"]
    return found if len(found) == 1 else []


def _answer(spec: CheckSpec) -> Iterator[Option]:
    if spec.expect.status != ((200, 399),):
        for low, high in spec.expect.status:
            yield Option(("--expect-status", str(low) if low == high else f"{low}-{high}"), ())
    for text in _contained(spec):
        yield Option(("--expect-body", text), ())
    if not spec.follow_redirects:
        yield Option(("--no-follow",), ())
        return
    changed = spec.max_redirects != CheckSpec.max_redirects
    most = str(spec.max_redirects)
    yield Option(("--max-redirects", most) if changed else (), ("--location", "--max-redirs", most))


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
    if spec.ip_version != "any":
        yield Option((f"-{spec.ip_version}",))
    for server in spec.resolver:
        yield Option(("--resolver", server), ())
    if spec.connect_to is not None:
        host, port = spec.connect_to
        host = f"[{host}]" if ":" in host else host
        yield Option(("--connect-to", f"{host}:{port}" if port else host), ("--connect-to", f"::{host}:{port or ''}"))
    if spec.source_address is not None:
        yield Option(("--source-address", spec.source_address), ("--interface", spec.source_address))
    if spec.proxy is not None:
        yield Option(("--proxy", shown_url(spec.proxy)))
