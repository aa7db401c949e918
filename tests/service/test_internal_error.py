"""A bug in one check: its runs are inconclusive, its traceback is in the log, and no other check notices."""

from __future__ import annotations

from pathlib import Path

from tests.servers.http import HttpServer
from tests.service.conftest import Start
from tests.service.daemon import until

BROKEN = Path(__file__).with_name("broken.py")
SAID = "internal error in a check"


async def test_a_bug_stops_nothing_and_is_logged_with_its_traceback(start: Start, target: HttpServer) -> None:
    daemon = await start(
        {"name": "buggy", "url": target.url("/bug?token=s3cr3t-token")},
        {"name": "fine", "url": target.url("/fine")},
        first=BROKEN,
    )
    daemon.tolerated.add(SAID)
    line = await daemon.logged(SAID, check="buggy")
    assert "Traceback" in line["exception"]
    assert "ZeroDivisionError" in line["exception"]
    assert "s3cr3t-token" not in daemon.said
    checks = await daemon.until_all_ran()
    assert (checks["buggy"]["state"], checks["fine"]["state"]) == ("unknown", "up")
    last = checks["buggy"]["last"]
    assert (last["outcome"], last["reason"]) == ("inconclusive", "internal_error")
    seen = len(target.requests)
    await until(lambda: len(target.requests) >= seen + 2)
    metrics = await daemon.until_metrics(lambda m: m.total("probe_inconclusive_total", check="buggy") >= 2)
    metrics.assert_adds_up()
    assert metrics.total("probe_inconclusive_total", check="fine") == 0
    assert any("bug" in trouble for trouble in (await daemon.status())["monitor"]["troubles"])


async def test_the_same_bug_does_not_fill_the_log(start: Start, target: HttpServer) -> None:
    """The log has changes, not runs: a check every second would write 86,400 tracebacks a day."""
    daemon = await start({"name": "buggy", "url": target.url("/bug")}, first=BROKEN)
    daemon.tolerated.add(SAID)
    await daemon.until_metrics(lambda m: m.total("probe_inconclusive_total") >= 4)
    assert len(daemon.lines(SAID)) == 1
