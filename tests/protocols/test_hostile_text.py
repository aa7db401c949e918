"""Long hostile text anywhere in an answer holds nobody up."""

from __future__ import annotations

import pytest

from monitor.model.request import Expect
from monitor.secrets.secret import Secret
from tests.protocols.harness import LagMeter, Run, rules
from tests.servers.http import HttpServer, answer

UNITS = ["?", "&amp;", ";", "://", "%41", "\\u0041", "#", "?a", "@", "sEcReT-toke", "="]
PLACES = ["X-Odd", "Location", "Content-Type", "Content-Encoding", "body"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("unit", UNITS)
async def test_an_answer_full_of_it_is_judged_at_once(run: Run, unit: str, place: str) -> None:
    text = "x" + unit * (60_000 // len(unit)) + "="
    body = text.encode() if place == "body" else b"x"
    headers = [(place, text)] if place != "body" else [("Content-Type", "text/plain")]
    expect = Expect(headers=(("X-Odd", rules(equals="y")),), body=rules(contains="y"))
    async with HttpServer(lambda _: answer(302, body, headers)) as server, LagMeter() as lag:
        result = await run(
            server.url(), expect=expect, max_redirects=0, headers=(("X-Token", Secret("secret-token-1")),)
        )
    assert result.failed
    assert lag.held < 0.3
