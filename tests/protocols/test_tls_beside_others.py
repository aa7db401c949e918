"""TLS situations judged live by curl, blackbox_exporter and here: all say the same, but for listed exceptions."""

from __future__ import annotations

import asyncio
import functools
import shutil
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509

from monitor.model.outcome import Reason
from monitor.model.route import TlsSpec
from tests.protocols.harness import Run, file_ref
from tests.servers import chains, tls
from tests.servers.chains import Issued, issue, root, served
from tests.servers.tcp import Server

EXPORTER = "prometheus-blackbox-exporter"
V10, V11, V12, V13 = (ssl.TLSVersion[name] for name in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"))
HOSTS = ("shop.test", "a.wild.test", "a.b.wild.test", "xn--strae-oqa.test", "foo.test")


@functools.cache
def ca() -> Issued:
    return root(key="RSA 2048")


@functools.cache
def middle(**more: Any) -> Issued:
    return issue("Middle", ca(), authority=True, **more)


@functools.cache
def rsa_leaf() -> Issued:
    return issue("RSA", ca(), key="RSA 2048")


@functools.cache
def weak_root() -> Issued:
    return root("Weak root", key="RSA 1024")


@functools.cache
def expired_root() -> Issued:
    return root("Old root", days=(-90, -1))


def constrained(**subtrees: Any) -> Issued:
    return issue("Narrow", ca(), authority=True, more=((x509.NameConstraints(**subtrees), True),))


def below(issuer: Issued, **more: Any) -> Server:
    return served(issue("Leaf", issuer, **more), issuer)


def of(**more: Any) -> Server:
    return served(issue("Leaf", ca(), **more))


def rsa_by(ciphers: str) -> Server:
    return served(rsa_leaf(), only=V12, ciphers=ciphers)


def with_long_chain() -> Server:
    links = [ca()]
    for number in range(8):
        links.append(issue(f"Link {number}", links[-1], authority=True))
    return served(issue("Leaf", links[-1]), *reversed(links[1:]))


def with_two_middles(*, swapped: bool) -> Server:
    upper = middle()
    lower = issue("Lower", upper, authority=True)
    sent = (upper, lower) if swapped else (lower, upper)
    return served(issue("Leaf", lower), *sent)


def alone_by_short_path() -> Server:
    short = issue("Short", ca(), authority=True, path_length=0)
    lower = issue("Lower", short, authority=True)
    return served(issue("Leaf", lower), lower, short)


@dataclass(frozen=True)
class Situation:
    """A server, and what each program is told besides to trust `trusted`; `host` is the name it is asked by."""

    make: Callable[[], Server]
    good: bool
    host: str = "127.0.0.1"
    trusted: Callable[[], Issued] = ca
    verify: bool = True
    client: Callable[[], Issued] | None = None
    ours: dict[str, Any] = field(default_factory=dict)
    curl: tuple[str, ...] = ()
    theirs: dict[str, str] = field(default_factory=dict)


def bare(script: Any) -> Callable[[], Server]:
    return lambda: tls.Bare(script)


GOOD: dict[str, Situation] = {
    "good": Situation(of, True),
    "by name": Situation(of, True, "localhost"),
    "P-384": Situation(lambda: of(key="P-384"), True),
    "Ed25519": Situation(lambda: of(key="Ed25519"), True),
    "RSA 2048": Situation(lambda: served(rsa_leaf()), True),
    "intermediate sent": Situation(lambda: below(middle()), True),
    "two intermediates": Situation(lambda: with_two_middles(swapped=False), True),
    "intermediates in the wrong order": Situation(lambda: with_two_middles(swapped=True), True),
    "eight intermediates": Situation(with_long_chain, True),
    "root sent as well": Situation(lambda: served(issue("Leaf", ca()), ca()), True),
    "leaf sent twice": Situation(lambda: served(leaf := issue("Leaf", ca()), leaf), True),
    "superfluous expired root": Situation(
        lambda: served(issue("Leaf", middle()), middle(), root("AddTrust", days=(-90, -1))), True
    ),
    "superfluous expired cross-signature": Situation(
        lambda: served(
            issue("Leaf", middle()),
            middle(),
            issue(ca().certificate.subject.rfc4514_string()[3:], root("Old"), key=ca(), authority=True, days=(-90, -1)),
        ),
        True,
    ),
    "fifteen unrelated certificates": Situation(
        lambda: served(issue("Leaf", ca()), *(issue(f"Unrelated {n}") for n in range(15))), True
    ),
    "wildcard": Situation(lambda: of(names=("*.wild.test",)), True, "a.wild.test"),
    "IDN": Situation(lambda: of(names=("xn--strae-oqa.test",)), True, "xn--strae-oqa.test"),
    "within its name constraint": Situation(
        lambda: below(constrained(permitted_subtrees=[x509.DNSName("shop.test")], excluded_subtrees=None),
                      names=("shop.test",)), True, "shop.test",
    ),
    "TLS 1.2 alone": Situation(lambda: served(issue("Leaf", ca()), only=V12), True),
    "TLS 1.3 alone": Situation(lambda: served(issue("Leaf", ca()), only=V13), True),
    "RSA key exchange, GCM": Situation(lambda: rsa_by("AES128-GCM-SHA256"), True),
    "RSA key exchange, CBC": Situation(lambda: rsa_by("AES256-SHA"), True),
    "ECDHE, CBC": Situation(lambda: rsa_by("ECDHE-RSA-AES128-SHA"), True),
    "ECDHE, ChaCha20": Situation(lambda: rsa_by("ECDHE-RSA-CHACHA20-POLY1305"), True),
    "expired, not verified": Situation(lambda: of(days=(-90, -1)), True, verify=False),
    "stranger, not verified": Situation(lambda: served(issue("Stranger")), True, verify=False),
    "wrong host, not verified": Situation(lambda: of(names=("else.test",)), True, verify=False),
    "client certificate, TLS 1.2": Situation(
        lambda: served(issue("Leaf", ca()), client_ca=ca(), only=V12), True, client=lambda: issue("Client", ca())
    ),
    "client certificate, TLS 1.3": Situation(
        lambda: served(issue("Leaf", ca()), client_ca=ca(), only=V13), True, client=lambda: issue("Client", ca())
    ),
}  # fmt: skip
BAD: dict[str, Situation] = {
    "expired": Situation(lambda: of(days=(-90, -1)), False),
    "not yet valid": Situation(lambda: of(days=(1, 90)), False),
    "wrong name": Situation(lambda: of(names=("else.test",)), False, "localhost"),
    "wrong address": Situation(lambda: of(names=("127.0.0.9",)), False),
    "address as a DNS name": Situation(lambda: of(names=("dns:127.0.0.1",)), False),
    "wildcard over two labels": Situation(lambda: of(names=("*.wild.test",)), False, "a.b.wild.test"),
    "no subjectAltName": Situation(
        lambda: served(issue("localhost", ca(), names=None)), False, "localhost"
    ),
    "self-signed": Situation(lambda: served(issue("Self")), False),
    "unknown authority": Situation(lambda: served(issue("Leaf", root("Stranger"))), False),
    "unknown root sent along": Situation(
        lambda: served(issue("Leaf", stranger := root("Stranger")), stranger), False
    ),
    "intermediate missing": Situation(lambda: served(issue("Leaf", middle())), False),
    "expired intermediate": Situation(lambda: below(issue("Old", ca(), authority=True, days=(-90, -60))), False),
    "future intermediate": Situation(lambda: below(issue("New", ca(), authority=True, days=(60, 90))), False),
    "expired root": Situation(
        lambda: served(issue("Leaf", expired_root())), False, trusted=expired_root
    ),
    "RSA 1024": Situation(lambda: of(key="RSA 1024"), False),
    "root of RSA 1024": Situation(lambda: served(issue("Leaf", weak_root())), False, trusted=weak_root),
    "intermediate by SHA-1": Situation(lambda: below(issue("Weak", ca(), authority=True, sha1=True)), False),
    "signed with SHA-1": Situation(lambda: of(sha1=True), False),
    "any extended usage": Situation(
        lambda: of(more=((x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False),)), False
    ),
    "for clients alone": Situation(lambda: of(more=((chains.CLIENT_ONLY, False),)), False),
    "unknown critical extension": Situation(lambda: of(more=((chains.UNKNOWN_EXTENSION, True),)), False),
    "outside its name constraint": Situation(
        lambda: below(constrained(permitted_subtrees=[x509.DNSName("other.test")], excluded_subtrees=None),
                      names=("shop.test",)), False, "shop.test",
    ),
    "in an excluded name": Situation(
        lambda: below(constrained(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("shop.test")]),
                      names=("shop.test",)), False, "shop.test",
    ),
    "issuer is no authority": Situation(
        lambda: below(issue("Not an authority", ca(), authority=False)), False
    ),
    "path too long": Situation(alone_by_short_path, False),
    "TLS 1.0 alone": Situation(lambda: served(rsa_leaf(), only=V10), False),
    "TLS 1.1 alone": Situation(lambda: served(rsa_leaf(), only=V11), False),
    "TLS 1.2, 1.3 wanted": Situation(
        lambda: served(rsa_leaf(), only=V12), False, ours={"min_version": "1.3"}, curl=("--tlsv1.3",),
        theirs={"min_version": "TLS13"},
    ),
    "TLS 1.3, 1.2 wanted": Situation(
        lambda: served(rsa_leaf(), only=V13), False, ours={"max_version": "1.2"}, curl=("--tls-max", "1.2"),
        theirs={"max_version": "TLS12"},
    ),
    "no client certificate, TLS 1.2": Situation(lambda: served(issue("Leaf", ca()), client_ca=ca(), only=V12), False),
    "no client certificate, TLS 1.3": Situation(lambda: served(issue("Leaf", ca()), client_ca=ca(), only=V13), False),
    "client certificate of a stranger": Situation(
        lambda: served(issue("Leaf", ca()), client_ca=ca()), False, client=lambda: issue("Client")
    ),
    "expired client certificate": Situation(
        lambda: served(issue("Leaf", ca()), client_ca=ca()), False,
        client=lambda: issue("Client", ca(), days=(-90, -60)),
    ),
    "plain HTTP": Situation(bare(tls.plain_http), False),
    "closed at once": Situation(bare(tls.closes), False),
    "reset at once": Situation(bare(tls.resets), False),
    "garbage for a ServerHello": Situation(bare(tls.garbage), False),
    "noise": Situation(bare(tls.noise), False),
    **{
        f"alert {number}": Situation(bare(tls.alert(number)), False) for number in (40, 70, 71, 80, 112, 120)
    },
}  # fmt: skip
SITUATIONS = GOOD | BAD


EXCEPTIONS: dict[tuple[str, str], tuple[bool, str]] = {
    ("curl", "no subjectAltName"): (True, "curl still reads the common name; browsers, Go and RFC 9525 do not"),
    ("blackbox", "RSA 1024"): (True, "Go 1.19 has no lower bound for keys; OpenSSL's security level 2 has, as curl"),
    ("blackbox", "root of RSA 1024"): (True, "the same"),
    ("blackbox", "any extended usage"): (
        True,
        "Go takes anyExtendedKeyUsage for every usage; OpenSSL does not, as curl",
    ),
}
"""By program and situation."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls-beside-others")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, dict[str, Path]]:
    """For each situation the files that the programs are given."""
    found: dict[str, dict[str, Path]] = {}
    for number, (name, situation) in enumerate(SITUATIONS.items()):
        paths = found[name] = {"ca": chains.written(folder, f"{number}-ca.pem", situation.trusted().pem)}
        if situation.client is not None:
            client = situation.client()
            paths["cert"] = chains.written(folder, f"{number}-client.pem", client.pem)
            paths["key"] = chains.written(folder, f"{number}-client.key", client.key_pem)
    return found


@pytest.fixture(scope="module")
def exporter(folder: Path, files: dict[str, dict[str, Path]]) -> Iterator[str]:
    """The address of a running blackbox_exporter with a module for each situation."""
    if shutil.which(EXPORTER) is None:
        pytest.skip(f"{EXPORTER} is not installed")
    modules = []
    for number, (name, situation) in enumerate(SITUATIONS.items()):
        config = {"ca_file": files[name]["ca"], "insecure_skip_verify": str(not situation.verify).lower()}
        config |= {"server_name": situation.host} if situation.host in HOSTS else {}
        config |= {"cert_file": files[name]["cert"], "key_file": files[name]["key"]} if "cert" in files[name] else {}
        config |= situation.theirs
        lines = "".join(f"          {key}: {value}\n" for key, value in config.items())
        http = f"      preferred_ip_protocol: ip4\n      tls_config:\n{lines}"
        modules.append(f"  s{number}:\n    prober: http\n    timeout: 5s\n    http:\n{http}")
    path = chains.written(folder, "modules.yml", ("modules:\n" + "".join(modules)).encode())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [EXPORTER, f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        assert "level=error" not in line, line
        if "address=" in line.lower() or "listening" in line.lower():
            break
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.communicate()


async def by_curl(situation: Situation, paths: dict[str, Path], port: int) -> bool:
    options = ["--cacert", str(paths["ca"])] if situation.verify else ["--insecure"]
    if "cert" in paths:
        options += ["--cert", str(paths["cert"]), "--key", str(paths["key"])]
    if situation.host in HOSTS:
        options += ["--connect-to", f"::127.0.0.1:{port}"]
    command = ["curl", "-4", "-s", "-S", "--max-time", "10", "-o", "/dev/null", *options, *situation.curl]
    process = await asyncio.create_subprocess_exec(
        *command, f"https://{situation.host}:{port}/", stderr=subprocess.PIPE
    )
    await process.communicate()
    return process.returncode == 0


async def by_exporter(address: str, name: str, host: str, port: int) -> bool:
    target = f"https://{'127.0.0.1' if host in HOSTS else host}:{port}/"
    module = f"s{list(SITUATIONS).index(name)}"
    url = f"{address}/probe?{urlencode({'target': target, 'module': module})}"
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=15).read().decode())
    return "\nprobe_success 1\n" in text


def our_settings(situation: Situation, paths: dict[str, Path]) -> TlsSpec:
    return TlsSpec(
        verify=situation.verify,
        ca_file=file_ref(paths["ca"]),
        cert_file=file_ref(paths["cert"]) if "cert" in paths else None,
        key_file=file_ref(paths["key"]) if "key" in paths else None,
        server_name=situation.host if situation.host in HOSTS else None,
        **situation.ours,
    )


def other(program: str, name: str) -> bool:
    """What the program is expected to say."""
    return EXCEPTIONS.get((program, name), (SITUATIONS[name].good, ""))[0]


@pytest.mark.parametrize("name", SITUATIONS)
async def test_all_say_the_same(run: Run, name: str, files: dict[str, dict[str, Path]], exporter: str) -> None:
    situation, paths = SITUATIONS[name], files[name]
    async with situation.make() as server:
        host = "127.0.0.1" if situation.host in HOSTS else situation.host
        ours = await run(f"https://{host}:{server.port}/", ip_version=4, tls=our_settings(situation, paths))
        curl = await by_curl(situation, paths, server.port)
        exported = await by_exporter(exporter, name, situation.host, server.port)
    assert (ours.reason is Reason.OK) is situation.good, ours.detail
    assert (curl, exported) == (other("curl", name), other("blackbox", name)), ours.detail


SENTENCES = {
    "expired": "the certificate of 127.0.0.1 ended 24 hours ago",
    "not yet valid": "is not valid yet: it begins in 24 hours",
    "wrong name": "it is for else.test",
    "address as a DNS name": "it has that address as a DNS name",
    "no subjectAltName": "it names no host",
    "self-signed": "it is self-signed",
    "unknown root sent along": "the root of its chain, «Stranger», is no trusted authority",
    "intermediate missing": "sends no intermediate certificate, and its issuer «CN=Middle»",
    "expired intermediate": "the intermediate certificate «Old» of 127.0.0.1 ended 60 days ago",
    "future intermediate": "the intermediate certificate «New» of 127.0.0.1 is not valid yet: it begins in 60 days",
    "expired root": "the authority's certificate «Old root» in tls.ca_file ended 24 hours ago",
    "RSA 1024": "its key is too weak",
    "root of RSA 1024": "the key of an authority in its chain is too weak",
    "intermediate by SHA-1": "a hash that is too weak, such as SHA-1",
    "for clients alone": "its purpose is not to identify servers",
    "outside its name constraint": "not among those that its authority may certify (name constraint)",
    "in an excluded name": "may not certify (name constraint)",
    "issuer is no authority": "no authority's",
    "path too long": "may have fewer below it",
    "TLS 1.2, 1.3 wanted": "does not speak the TLS versions of this check",
    "no client certificate, TLS 1.2": "the server wants a client certificate",
    "no client certificate, TLS 1.3": "the server wants a client certificate",
    "client certificate of a stranger": "the server refused our client certificate: unknown CA",
    "expired client certificate": "the server refused our client certificate: expired",
    "plain HTTP": "the server speaks plain HTTP on this port",
    "closed at once": "the connection was closed by the server in the TLS handshake",
    "reset at once": "the connection was reset in the TLS handshake",
    "noise": "the answer is not TLS",
    "alert 80": "the server had an internal error",
    "alert 112": "the server does not know the name 127.0.0.1",
    "alert 120": "the server does not offer HTTP/1.1",
}
"""What is said of a failure, beginning, middle or end."""


@pytest.mark.parametrize("name", BAD)
async def test_a_failure_is_said_in_words_of_ours(run: Run, name: str, files: dict[str, dict[str, Path]]) -> None:
    situation = SITUATIONS[name]
    async with situation.make() as server:
        host = "127.0.0.1" if situation.host in HOSTS else situation.host
        result = await run(f"https://{host}:{server.port}/", ip_version=4, tls=our_settings(situation, files[name]))
    assert SENTENCES.get(name, "") in result.detail
    assert not any(word in result.detail for word in ("sslv3", "tlsv1", "alert")), result.detail
    assert (result.reason is Reason.ALPN_REFUSED) is (name == "alert 120")


def test_exceptions_are_few_and_real() -> None:
    assert all(expected is not SITUATIONS[name].good for (_, name), (expected, _) in EXCEPTIONS.items())
    assert len(SITUATIONS) >= 60
    assert len(EXCEPTIONS) <= len(SITUATIONS) / 10
