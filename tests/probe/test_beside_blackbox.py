"""Side by side with a real blackbox_exporter: the same targets, and every value that both give is the same.

What differs on purpose stands in `ON_PURPOSE`, and in docs/probe.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp

from tests.probe.conftest import TIMEOUT, Daemon, Daemons, Series, other, program, samples
from tests.servers import certs, faults
from tests.servers.http import HttpServer, answer, chunked, compressed, ok, redirect
from tests.servers.tcp import Script, Server, closed_port, free_port
from tests.servers.tls import expired, https, unknown_authority

MEASURED = {"probe_duration_seconds", "probe_dns_lookup_time_seconds", "probe_http_duration_seconds"}
"""They have to be there, with the same labels; their values are of two runs."""

Target = AbstractAsyncContextManager[str]

NOT_COMPARED = {
    "probe_ssl_last_chain_info",
    "probe_ssl_last_chain_expiry_timestamp_seconds",
    "probe_ssl_cert_not_before_timestamp_seconds",
    "probe_tls_cipher_info",
}
"""The first has no serial number before 0.25; where nothing was verified, theirs of the second is the
year 1; the others are ours alone, or came with 0.25."""

FAILED_BY_CERTIFICATE = ("TLS expired", "TLS untrusted")
"""We know the dates of a certificate that made the handshake fail, so that an alert on it does not resolve itself."""

_UNREACHED = (None, 0.0, "a phase that was not reached took 0 s, also after a name that does not exist")
ON_PURPOSE: dict[tuple[str, str], tuple[float | None, float | None, str]] = {
    ("gzip", "probe_http_uncompressed_body_length"): (38, 900, "they decompress only where a module says so"),
    ("redirect loop", "probe_http_redirects"): (11, 10, "we count redirects that were followed"),
    ("redirect not followed", "probe_http_redirects"): (1, 0, "we count redirects that were followed"),
    **{
        ("no such name", f"probe_http_duration_seconds{{phase={phase}}}"): _UNREACHED
        for phase in ("connect", "processing", "tls", "transfer")
    },
}
"""By target and sample: theirs, ours, and why."""


@contextlib.asynccontextmanager
async def at(server: Server, scheme: str = "http") -> AsyncIterator[str]:
    async with server:
        yield f"{scheme}://127.0.0.1:{server.port}/"


def script(run: Script) -> Callable[[], Target]:
    return lambda: at(Server(run))


def answering(made: bytes) -> Callable[[], Target]:
    return lambda: at(HttpServer(lambda _: made))


@contextlib.asynccontextmanager
async def refused() -> AsyncIterator[str]:
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}/"


@contextlib.asynccontextmanager
async def no_such_name() -> AsyncIterator[str]:
    yield "http://nobody.invalid/"


@contextlib.asynccontextmanager
async def without_scheme() -> AsyncIterator[str]:
    async with HttpServer() as server:
        yield f"127.0.0.1:{server.port}/path?query=1"


def redirected() -> Target:
    return at(HttpServer(lambda r: redirect("/there") if r.target == "/" else ok()))


TARGETS: dict[str, tuple[str, Callable[[], Target]]] = {
    "200": ("http_2xx", answering(ok())),
    "404": ("http_2xx", answering(answer(404, b"nothing here"))),
    "500": ("http_2xx", answering(answer(500, b"broken"))),
    "204": ("http_2xx", answering(answer(204))),
    "HTTP 1.0": ("http_2xx", answering(answer(200, b"old", version="1.0", length=None))),
    "redirect": ("http_2xx", redirected),
    "redirect not followed": ("stay", redirected),
    "redirect loop": ("http_2xx", answering(redirect("/"))),
    "refused": ("http_2xx", refused),
    "reset": ("http_2xx", script(faults.reset_after_request)),
    "closed": ("http_2xx", script(faults.close_without_a_byte)),
    "silent": ("http_2xx", script(faults.silent)),
    "slow body": ("http_2xx", script(faults.stalled_body)),
    "chunked": ("http_2xx", answering(chunked([b"one ", b"two"]))),
    "gzip": ("http_2xx", answering(compressed(b"squeezed " * 100))),
    "not HTTP": ("http_2xx", script(faults.http_0_9)),
    "no such name": ("http_2xx", no_such_name),
    "no scheme": ("http_2xx", without_scheme),
    "body matches": ("fine", answering(ok())),
    "body mismatch": ("fine", answering(ok(b"sick\n"))),
    "TLS": ("secure", lambda: at(https(), "https")),
    "TLS expired": ("secure", lambda: at(expired(), "https")),
    "TLS untrusted": ("secure", lambda: at(unknown_authority(), "https")),
    "TLS not verified": ("trusting", lambda: at(unknown_authority(), "https")),
    "plain HTTP on a TLS port": ("secure", lambda: at(HttpServer(), "https")),
    "TLS on a plain port": ("http_2xx", lambda: at(https(), "http")),
}

THEIRS = """
modules:
  http_2xx: {{ prober: http, timeout: 5s }}
  stay: {{ prober: http, timeout: 5s, http: {{ follow_redirects: false }} }}
  fine: {{ prober: http, timeout: 5s, http: {{ fail_if_body_not_matches_regexp: ["^fine"] }} }}
  secure: {{ prober: http, timeout: 5s, http: {{ tls_config: {{ ca_file: {ca} }} }} }}
  trusting: {{ prober: http, timeout: 5s, http: {{ tls_config: {{ insecure_skip_verify: true }} }} }}
"""

OURS = """
[monitor.probe]
allow = ["127.0.0.0/8", "nobody.invalid"]
[defaults]
timeout.total = "5s"
expect.status = "2xx"
interval = "5s"
[probe_modules.stay]
follow_redirects = false
[probe_modules.fine]
expect.body.matches = "^fine"
[probe_modules.secure]
tls.ca_file = "{ca}"
[probe_modules.trusting]
tls.verify = false
"""


async def _theirs(port: int, module: str, target: str) -> Series:
    url = f"http://127.0.0.1:{port}/probe"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"module": module, "target": target}, headers={TIMEOUT: "1.5"}) as got,
    ):
        return samples(await got.text())


async def _ours(daemon: Daemon, module: str, target: str) -> Series:
    return (await daemon.probe(target, module=module, timeout="1.5")).samples


async def test_the_same_targets_give_the_same_values(tmp_path: Path, daemon: Daemons) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certs.authority().cert_pem.bytes())
    modules = tmp_path / "blackbox.yml"
    modules.write_text(THEIRS.format(ca=ca))
    port = free_port()
    command = (
        program("prometheus-blackbox-exporter"),
        f"--config.file={modules}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    seen: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    async with other(f"http://127.0.0.1:{port}/-/healthy", *command), daemon(OURS.format(ca=ca)) as ours:
        for kind, (module, opened) in TARGETS.items():
            async with opened() as target:
                theirs, own = await _theirs(port, module, target), await _ours(ours, module, target)
            seen |= {(kind, name): pair for name, pair in _differences(theirs, own).items()}
    expiry = {key: pair for key, pair in seen.items() if key[1] == "probe_ssl_earliest_cert_expiry"}
    assert {kind: theirs for (kind, _), (theirs, _) in expiry.items()} == dict.fromkeys(FAILED_BY_CERTIFICATE)
    assert all(own for _, own in expiry.values())
    assert {key: pair for key, pair in seen.items() if key not in expiry} == {
        key: (theirs, own) for key, (theirs, own, _) in ON_PURPOSE.items()
    }


def _differences(theirs: Series, own: Series) -> dict[str, tuple[float | None, float | None]]:
    """What differs, by «name{labels}», theirs first; our reasons are not theirs to have."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for name, labels in sorted({*theirs, *own}, key=str):
        pair = theirs.get((name, labels)), own.get((name, labels))
        both_measured = name in MEASURED and None not in pair
        if pair[0] != pair[1] and not both_measured and name not in {*NOT_COMPARED, "probe_failure_info"}:
            found[name + "".join(f"{{{k}={v}}}" for k, v in sorted(labels))] = pair
    return found
