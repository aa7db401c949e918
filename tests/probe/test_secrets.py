"""What a module, a check or a target keeps to itself is in no answer and no log, also if the server echoes it."""

from __future__ import annotations

import pytest

from tests.probe.conftest import Daemons
from tests.servers.http import HttpServer, Request, answer, redirect

TEXT = """
monitor.log.access = true
monitor.log.level = "debug"
[monitor.probe]
allow = ["127.0.0.1"]
[probe_modules.http_2xx]
headers = { X-Own = { env = "MODULE_SECRET" }, Cookie = "session=hunter2-cookie" }
auth.basic = { username = "u", password = { env = "MODULE_PASSWORD" } }
expect.headers = { X-Echo = "nothing" }
[[checks]]
name = "own"
url = "http://127.0.0.1:%d/?token=hunter2-check"
headers = { X-Own = { env = "MODULE_SECRET" } }
expect.headers = { X-Echo = "nothing" }
"""

ENVIRON = {"MODULE_SECRET": "hunter2-own", "MODULE_PASSWORD": "hunter2-password"}


def echo(request: Request) -> bytes:
    """Everything that the request said, in a header and in the body."""
    said = " ".join([request.target, *(value for _, value in request.headers)])
    return answer(200, said.encode(), [("X-Echo", said)], reason=said)


def bounce(request: Request) -> bytes:
    """The same in the place that a redirect leads to."""
    return redirect("/".join(["ftp://127.0.0.1", *(value for _, value in request.headers), request.target]))


@pytest.mark.parametrize("respond", [echo, bounce], ids=["echo", "redirect"])
async def test_an_echo_shows_no_secret(daemon: Daemons, respond: object) -> None:
    async with HttpServer(respond) as server, daemon(TEXT % server.port, **ENVIRON) as monitor:  # type: ignore[arg-type]
        place = f"127.0.0.1:{server.port}/path?k=hunter2-query"
        for target in (place, f"http://hunter2-user:hunter2-userinfo@{place}", "own"):
            for debug in ({"debug": "true"}, {}):
                answer = await monitor.probe(target, **debug)
                assert answer.status == 200
                assert "hunter2" not in answer.text
        assert len(server.requests) >= 6  # more if a stall was answered by another probe
        assert any("hunter2-own" in value for _, value in server.requests[0].headers)
        assert not any("hunter2" in line for line in monitor.log)


async def test_a_refusal_quotes_nothing_of_the_target_but_its_host(daemon: Daemons) -> None:
    async with daemon(TEXT % 9, **ENVIRON) as monitor:
        for target in ("http://hunter2:hunter2@10.0.0.1/hunter2?hunter2", "http://hunter2:hunter2@x y/"):
            answer = await monitor.probe(target)
            assert answer.status in (400, 403)
            assert "hunter2" not in answer.text
        assert not any("hunter2" in line for line in monitor.log)
