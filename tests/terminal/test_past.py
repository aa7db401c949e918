"""`monitor report`, `incidents`, `acknowledge` and `announce`, asked of a server that answers as the daemon does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.metrics import CheckCollector, Registry
from monitor.model.clock import system_clock
from monitor.model.incident import Incident
from monitor.model.outcome import Reason
from monitor.model.settings import AccessSpec
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from monitor.web import build_app, serve
from monitor.web.access import Access
from tests.terminal.program import monitor
from tests.web import gallery
from tests.web.conftest import FakeService


@pytest.fixture
def service() -> FakeService:
    """With one incident that lasts, of now."""
    import time

    now = time.time()
    found = FakeService(gallery.evening(), now=system_clock)
    found.archive.logged = [Incident("ab12", "shop-api", now - 600, Reason.REFUSED, "the connection was refused")]
    found.archive.minutes["shop-api"] = [Stretch(3600, int(now - 3600), Tally(up=3000.0, down=600.0, runs=360))]
    return found


@pytest.fixture
async def url(service: FakeService) -> AsyncIterator[str]:
    registry = Registry(CheckCollector(gallery.begun(), lambda: gallery.NOW))
    server = await serve(build_app(service, registry, access_log=False), "127.0.0.1", 0)
    yield f"http://{server.address}"
    await server.close()


@pytest.mark.parametrize("columns", ["60", "160"])
async def test_a_report_is_a_table_that_fits(url: str, columns: str) -> None:
    ended = await monitor("report", "--url", url, "--group", "shop", env={"COLUMNS": columns})
    assert ended.code == 0, ended.err
    (line,) = (line for line in ended.lines if line.startswith("shop-api"))
    assert "83.33 %" in line
    assert "(1 lasting)" in line
    assert any(line.startswith("all") for line in ended.lines)


async def test_a_report_in_other_forms(url: str) -> None:
    found = json.loads((await monitor("report", "--url", url, "--format", "json")).out)
    assert found["checks"][0]["downtime_seconds"] == 600.0
    assert (await monitor("report", "--url", url, "--format", "csv")).lines[0].startswith("name,title,availability")
    assert (await monitor("report", "--url", url, "--format", "markdown")).lines[0].startswith("| check")


async def test_incidents_are_listed_and_taken_care_of(url: str, service: FakeService) -> None:
    listed = await monitor("incidents", "--url", url)
    assert "ab12" in listed.out
    assert "the connection was refused (refused)" in listed.out
    (line,) = (await monitor("incidents", "--url", url, "--ongoing", "--json")).lines
    assert json.loads(line)["id"] == "ab12"
    assert (await monitor("incidents", "--url", url, "--check", "other")).out == "no incidents\n"
    done = await monitor("acknowledge", "ab12", "--note", "on it", "--for", "2h", "--url", url)
    assert (done.code, done.out) == (0, "acknowledged\n")
    assert service.archive.logged[0].acknowledged is not None
    assert (await monitor("acknowledge", "ab12", "--take-back", "--url", url)).out == "taken back\n"
    missing = await monitor("acknowledge", "ffff", "--url", url)
    assert (missing.code, missing.err) == (2, "monitor: there is no incident 'ffff'\n")


async def test_announcements_come_and_go(url: str, service: FakeService) -> None:
    said = await monitor("announce", "the network is slow", "--for", "1h", "--group", "shop", "--url", url)
    name = said.out.strip()
    assert service.archive.said[0].id == name
    assert (await monitor("announce", "--withdraw", name, "--url", url)).out == "withdrawn\n"
    assert (await monitor("announce", "--url", url)).code == 2


@pytest.mark.parametrize("arguments", [["report", "--from", "soon"], ["incidents", "--to", "2026-99-99"]])
async def test_a_mistake_is_a_sentence(url: str, arguments: list[str]) -> None:
    ended = await monitor(*arguments, "--url", url)
    assert ended.code == 2
    assert "must be a time" in ended.err
    assert "Traceback" not in ended.err


async def test_nobody_there_and_a_login(tmp_path: Path, service: FakeService) -> None:
    ended = await monitor("report", "--url", "http://127.0.0.1:1")
    assert (ended.code, "no monitor answers at" in ended.err) == (2, True)
    config = tmp_path / "checks.toml"
    config.write_text('monitor.listen = "127.0.0.1:1"\n')
    assert "http://127.0.0.1:1" in (await monitor("incidents", "-c", config)).err
    ended = await monitor("report", "--url", "127.0.0.1:1")
    assert (ended.code, "must be an http or https URL" in ended.err) == (2, True)
    ended = await monitor("report", "--url", "http://127.0.0.1:1", "--token-file", tmp_path / "none")
    assert (ended.code, "--token-file" in ended.err) == (2, True)
    registry = Registry(CheckCollector(gallery.begun(), lambda: gallery.NOW))
    access = Access(AccessSpec(True, frozenset({"metrics"})))
    server = await serve(build_app(service, registry, False, access), "127.0.0.1", 0)
    ended = await monitor("report", "--url", f"http://{server.address}")
    await server.close()
    assert (ended.code, "nobody may do this" in ended.err) == (2, True)
