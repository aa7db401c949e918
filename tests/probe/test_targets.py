"""Whom /probe asks: configured checks, what the operator allowed, and never anybody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.scheduling.probing import identity
from tests.probe.conftest import TIMEOUT, Daemons
from tests.servers import certs, tls
from tests.servers.dns import DnsServer, addresses
from tests.servers.http import HttpServer, ok, redirect
from tests.servers.proxy import Proxy

CLOSED = """
[[checks]]
name = "shop"
url = "http://127.0.0.1:{port}/health?key=a"
method = "PUT"
interval = "1h"
[[checks]]
name = "paused"
url = "http://127.0.0.1:{port}/paused"
enabled = false
"""


MALFORMED = [
    ("", "the target is missing"),
    ("target=", "the target is missing"),
    ("target=a&target=b", "there is more than one target"),
    ("target=shop&module=a&module=b", "there is more than one module"),
    ("target=shop&module=htp_2xx", "there is no such module; [probe_modules] has http_2xx"),
    ("target=ftp://127.0.0.1/", "must begin with http:// or https://"),
    ("target=http://127.0.0.1:99999/", "the port is outside 1 to 65535"),
    ("target=http://127.0.0.1:x/", "what follows the host is not a port number"),
    ("target=http://hunter2:hunter2@127.1/", "the host is not an IPv4 address, but ends in a number"),
    ("target=http://a%20b/", "a space, a backslash or a control character"),
    ("target=http://[::1/", "an IPv6 address stands in brackets"),
    ("target=::1", "an IPv6 address stands in brackets"),
    ("target=127.0.0.1&hostname=a%0d%0ab", "the parameter hostname: the host is not a valid name"),
    ("target=127.0.0.1&hostname=a&hostname=b", "there is more than one hostname"),
    ("target=http://", "there is no host"),
    ("target=%00", "control character"),
    ("target=http://%ff%fe/", "the host is not a valid name"),
]


async def test_what_makes_no_sense_is_400_with_a_sentence_and_connects_to_nothing(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(CLOSED.format(port=server.port)) as monitor:
        for query, sentence in MALFORMED:
            answer = await monitor.get(f"/probe?{query}")
            assert (answer.status, answer.text.count("\n")) == (400, 1), query
            assert sentence in answer.text
            assert "hunter2" not in answer.text
        for text in ("", "soon", "0", "-1", "nan", "inf", "1s"):
            answer = await monitor.get("/probe?target=shop", {TIMEOUT: text})
            assert (answer.status, TIMEOUT in answer.text) == (400, True), text
        assert server.connections == 0


async def test_nothing_but_the_checks_may_be_asked_unless_told_so(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(CLOSED.format(port=server.port)) as monitor:
        for target in (
            f"127.0.0.1:{server.port}/health",
            f"http://127.0.0.1:{server.port}/health",
            f"http://127.0.0.1:{server.port}/health?key=b",
            f"http://u:p@127.0.0.1:{server.port}/health?key=a",
            f"http://localhost:{server.port}/",
            f"http://127.0.0.1:{server.port}/paused",
            "paused",
            "http://169.254.169.254/",
            "shop.example.com",
        ):
            answer = await monitor.probe(target)
            assert answer.status == 403, target
            assert answer.text.count("\n") == 1
        assert server.connections == 0


async def test_a_check_is_run_as_it_is_configured_by_its_name_or_its_url(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(CLOSED.format(port=server.port)) as monitor:
        for target in ("shop", f"http://127.0.0.1:{server.port}/health?key=a", f"127.0.0.1:{server.port}/health?key=a"):
            answer = await monitor.probe(target, module="http_2xx")
            assert (answer.value("probe_success"), server.requests[-1].method) == (1.0, "PUT")
        assert len(server.requests) == 3
        status = await monitor.get("/status/shop.json")
        assert '"recent":[]' in status.text.replace(" ", "").replace("\n", "")  # no run of the check's own


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://shop.example.com", "http://shop.example.com/", True),
        ("http://shop.example.com:80/a", "HTTP://SHOP.example.com./a#here", True),
        ("https://shop.example.com:443/", "https://shop.example.com/", True),
        ("http://[::1]/", "http://[::1]:80", True),
        ("http://shop.example.com/", "https://shop.example.com/", False),
        ("http://shop.example.com/a", "http://shop.example.com/A", False),
        ("http://shop.example.com/a", "http://shop.example.com/a/", False),
        ("http://shop.example.com/a?b", "http://shop.example.com/a?c", False),
        ("http://shop.example.com/", "http://u@shop.example.com/", False),
    ],
)
def test_urls_are_compared_as_urls(one: str, other: str, same: bool) -> None:
    assert (identity(one) == identity(other)) == same


async def test_a_module_asks_as_it_is_configured_and_as_the_defaults_say(daemon: Daemons) -> None:
    text = """
        monitor.probe.allow = ["127.0.0.1"]
        [defaults]
        headers = { X-All = "1" }
        [probe_modules.post]
        json = { a = 1 }
        headers = { X-Own = "2" }
    """
    async with HttpServer() as server, daemon(text) as monitor:
        assert (await monitor.probe(f"127.0.0.1:{server.port}/a", module="post")).value("probe_success") == 1
        assert (await monitor.probe(f"127.0.0.1:{server.port}/a")).value("probe_success") == 1
        posted, plain = server.requests
        assert (posted.method, posted.body, posted.header("X-All"), posted.header("X-Own")) == (
            "POST",
            b'{"a":1}',
            "1",
            "2",
        )
        assert (plain.method, plain.header("X-All")) == (
            "GET",
            None,
        )  # the built-in module has nothing of the operator's


RESOLVED = """
monitor.deny_addresses = ["127.0.0.9"]
monitor.probe.allow = ["named.test", "*.below.test", "127.0.0.2/31"]
[probe_modules.dns]
resolver = ["{dns}"]
"""


ALLOWED = [
    ("named.test", True),
    ("NAMED.test.", True),
    ("a.b.below.test", True),
    ("below.test", False),
    ("xbelow.test", False),
    ("named.test.evil.test", False),
    ("inside.test", True),  # by its address
    ("127.0.0.3", True),
    ("127.0.0.1", False),
    ("[::ffff:127.0.0.3]", True),
    ("[::ffff:127.0.0.1]", False),
    ("0.0.0.0", False),
    ("mixed.test", True),  # the allowed one of its addresses
    ("outside.test", False),
    ("denied.below.test", False),  # deny_addresses holds all the same
]


async def test_hosts_wildcards_and_networks_are_allowed_and_no_others(daemon: Daemons) -> None:
    zone = {
        "named.test": addresses("127.0.0.1"),
        "a.b.below.test": addresses("127.0.0.1"),
        "below.test": addresses("127.0.0.1"),
        "xbelow.test": addresses("127.0.0.1"),
        "named.test.evil.test": addresses("127.0.0.1"),
        "inside.test": addresses("127.0.0.2"),
        "outside.test": addresses("127.0.0.1"),
        "mixed.test": addresses("127.0.0.1", "127.0.0.2"),
        "denied.below.test": addresses("127.0.0.9"),
    }
    async with (
        DnsServer(zone) as dns,
        HttpServer(host="0.0.0.0") as server,
        daemon(RESOLVED.format(dns=dns.address)) as monitor,
    ):
        for host, allowed in ALLOWED:
            before = server.connections
            answer = await monitor.probe(f"http://{host}:{server.port}/", module="dns")
            if allowed:
                assert answer.value("probe_success") == 1, host
            else:
                assert answer.status == 403, host
            assert server.connections - before == int(allowed)


async def test_a_name_that_is_rebound_to_a_forbidden_address_is_never_connected_to(daemon: Daemons) -> None:
    zone = {"rebinding.test": [addresses("127.0.0.2"), addresses("127.0.0.1"), addresses("127.0.0.9")]}
    async with (
        DnsServer(zone) as dns,
        HttpServer(host="0.0.0.0") as server,
        daemon(RESOLVED.format(dns=dns.address)) as monitor,
    ):
        target = f"http://rebinding.test:{server.port}/"
        assert (await monitor.probe(target, module="dns")).value("probe_success") == 1
        for _ in range(2):
            assert (await monitor.probe(target, module="dns")).status == 403
        assert server.connections == 1


async def test_a_redirect_to_who_is_not_allowed_is_not_followed(daemon: Daemons) -> None:
    async with HttpServer() as secret, HttpServer(host="127.0.0.2") as server, DnsServer({}) as dns:
        server.responder = lambda r: redirect(f"http://{r.target.removeprefix('/')}:{secret.port}/")
        async with daemon(RESOLVED.format(dns=dns.address)) as monitor:
            for host in ("127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"):
                answer = await monitor.probe(f"http://127.0.0.2:{server.port}/{host}", module="dns")
                assert (answer.value("probe_success"), answer.reason) == (0, "forbidden_redirect")
        assert secret.connections == 0


async def test_with_hosts_alone_no_name_of_anyone_else_is_even_looked_up(daemon: Daemons) -> None:
    text = 'monitor.probe.allow = ["127.0.0.1.test"]\n[probe_modules.dns]\nresolver = ["{dns}"]\n'
    async with HttpServer() as server, DnsServer({"127.0.0.1.test": addresses("127.0.0.1")}) as dns:
        server.responder = lambda _: redirect("http://leak.test/")
        async with daemon(text.format(dns=dns.address)) as monitor:
            assert (await monitor.probe("http://leak.test/", module="dns")).status == 403
            answer = await monitor.probe(f"http://127.0.0.1.test:{server.port}/", module="dns")
            assert answer.reason == "forbidden_redirect"
        assert {name for name, _ in dns.queries} == {"127.0.0.1.test"}


async def test_a_proxy_is_not_asked_for_a_name_that_only_it_resolves(daemon: Daemons) -> None:
    text = 'monitor.probe.allow = ["127.0.0.2", "named.test"]\n[probe_modules.p]\nproxy = "http://127.0.0.1:{port}"\n'
    async with Proxy() as proxy, daemon(text.format(port=proxy.port)) as monitor:
        assert (await monitor.probe("http://other.test/", module="p")).status == 403
        assert (await monitor.probe("http://127.0.0.3/", module="p")).status == 403
        assert proxy.connections == 0
        await monitor.probe("http://named.test/", module="p")
        assert proxy.connections == 1  # and the proxy's own address is the operator's word


async def test_a_reload_changes_who_is_allowed(daemon: Daemons, tmp_path: Path) -> None:
    async with HttpServer(lambda _: ok()) as server, daemon("") as monitor:
        target = f"127.0.0.1:{server.port}"
        assert (await monitor.probe(target)).status == 403
        config = tmp_path / "checks.toml"
        config.write_text(config.read_text() + '[monitor.probe]\nallow = ["127.0.0.1"]\n')
        async with monitor.session.post(f"http://{monitor.address}/-/reload") as reloaded:
            assert reloaded.status == 200
        assert (await monitor.probe(target)).value("probe_success") == 1


HOSTNAME = """
[monitor.probe]
allow = ["127.0.0.1"]
[probe_modules.tls]
tls.ca_file = "{ca}"
[probe_modules.own]
headers.Host = "own.test"
"""


async def test_hostname_is_the_name_in_the_request_and_in_tls(daemon: Daemons, tmp_path: Path) -> None:
    ca = tmp_path / "authority.pem"
    ca.write_bytes(certs.authority().cert_pem.bytes())
    async with (
        HttpServer() as plain,
        tls.https(credential=certs.issue("shop.test")) as secure,
        daemon(HOSTNAME.format(ca=ca)) as monitor,
    ):
        assert (await monitor.probe(plain.url(), hostname="shop.test")).value("probe_success") == 1
        named = await monitor.probe(secure.url(host="127.0.0.1"), module="tls", hostname="shop.test")
        assert named.value("probe_success") == 1, named.text
        assert (await monitor.probe(secure.url(host="127.0.0.1"), module="tls")).reason == "tls_hostname_mismatch"
        target = secure.url(host="127.0.0.1")
        assert (await monitor.probe(target, module="tls", hostname="shop.test:8443")).value("probe_success") == 1
        asked = [request.header("Host") for request in (*plain.requests, *secure.requests)]
        assert asked == ["shop.test", "shop.test", "shop.test:8443"]
        refused = await monitor.probe(plain.url(), module="own", hostname="shop.test")
        assert (refused.status, "has a header Host of its own" in refused.text) == (400, True)
        assert (await monitor.probe("http://192.0.2.7/", hostname="127.0.0.1")).status == 403
        assert plain.connections == 1


async def test_hostname_never_means_a_configured_check(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(CLOSED.format(port=server.port)) as monitor:
        for target in ("shop", f"http://127.0.0.1:{server.port}/health?key=a"):
            assert (await monitor.probe(target)).status == 200
            assert (await monitor.probe(target, hostname="other.test")).status == 403
        assert server.connections == 2


async def test_connect_to_of_a_module_is_judged_by_where_it_leads_and_not_by_the_targets_name(daemon: Daemons) -> None:
    module = '[monitor.probe]\nallow = ["{allow}"]\n[probe_modules.node]\nconnect_to = "127.0.0.1:{port}"\n'
    async with HttpServer() as server:
        async with daemon(module.format(allow="shop.test", port=server.port)) as monitor:
            assert (await monitor.probe("http://shop.test/", module="node")).status == 403
        assert server.connections == 0
        async with daemon(module.format(allow="127.0.0.1", port=server.port)) as monitor:
            assert (await monitor.probe("http://shop.test/", module="node")).value("probe_success") == 1
        assert server.requests[0].header("Host") == "shop.test"
