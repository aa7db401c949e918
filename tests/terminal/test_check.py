"""`monitor check`: which checks run, what is said of them, and the exit code that a script sees."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import faults
from tests.servers.http import HttpServer, Request, answer, ok, redirect, routes
from tests.servers.tcp import Server, closed_port
from tests.terminal.program import end_of, monitor, start, terminal

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a configuration: name = URL, or name = (URL, further lines)."""

    def written(head: str = "", **checks: str | tuple[str, str]) -> Path:
        lines = [head]
        for name, asked in checks.items():
            url, more = (asked, "") if isinstance(asked, str) else asked
            lines += ["[[checks]]", f'name = "{name}"', f'url = "{url}"', more]
        path = tmp_path / "checks.toml"
        path.write_text("\n".join(lines))
        return path

    return written


def first_words(table: str) -> list[tuple[str, ...]]:
    """State, name and reason of each row of a table."""
    rows = table.partition("\n\n")[0].splitlines()[1:]
    return [tuple(row.split()[1:4]) for row in rows]


async def test_table_has_failures_first_then_what_is_slow(write: Write) -> None:
    late = asyncio.Event()

    async def slow(_: Request) -> bytes:
        async with asyncio.timeout(0.05):
            await late.wait()
        return ok()

    async def after_a_while(request: Request) -> bytes:
        try:
            return await slow(request)
        except TimeoutError:
            return ok()

    site = routes({"/": ok(), "/slow": after_a_while, "/broken": answer(500)})
    async with HttpServer(site) as server:
        with closed_port() as port:
            path = write(
                fine=server.url(),
                slow=(server.url("/slow"), 'expect.latency = "10ms"'),
                broken=server.url("/broken"),
                gone=f"http://127.0.0.1:{port}/",
            )
            ended = await monitor("check", "-c", path)
    assert (ended.code, ended.err) == (1, "")
    assert first_words(ended.out) == [
        ("down", "broken", "unexpected_status"),
        ("down", "gone", "refused"),
        ("degraded", "slow", "ok"),
        ("up", "fine", "ok"),
    ]
    assert ended.lines[-1].split() == ["▼", "2", "down", "◆", "1", "degraded", "●", "1", "up"]
    assert "\x1b" not in ended.out
    assert all(line == line.rstrip() for line in ended.lines)


async def test_all_fine_is_code_0(write: Write) -> None:
    async with HttpServer() as server:
        ended = await monitor("check", "-c", write(fine=server.url()))
    assert ended.code == 0
    assert first_words(ended.out) == [("up", "fine", "ok")]


async def test_named_checks_run_once_each_in_the_order_of_the_file(write: Write) -> None:
    async with HttpServer() as server:
        path = write(a=server.url("/a"), b=server.url("/b"), c=server.url("/c"))
        ended = await monitor("check", "c", "a", "c", "-c", path)
        assert sorted(request.target for request in server.requests) == ["/a", "/c"]
    assert [name for _, name, _ in first_words(ended.out)] == ["a", "c"]


async def test_disabled_checks_run_only_when_named(write: Write) -> None:
    async with HttpServer() as server:
        path = write(on=server.url("/on"), off=(server.url("/off"), "enabled = false"))
        assert [name for _, name, _ in first_words((await monitor("check", "-c", path)).out)] == ["on"]
        assert [name for _, name, _ in first_words((await monitor("check", "off", "-c", path)).out)] == ["off"]


async def test_nothing_to_run_is_not_fine(write: Write) -> None:
    ended = await monitor("check", "-c", write(off=("http://127.0.0.1:1/", "enabled = false")))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("monitor: no check in ")


async def test_unknown_names_are_code_2_with_the_names_that_were_meant(write: Write) -> None:
    async with HttpServer() as server:
        path = write(**{"shop-api": server.url(), "shop-web": server.url()})
        ended = await monitor("check", "shop-ap", "zzz", "-c", path)
        assert server.requests == []
    assert (ended.code, ended.out) == (2, "")
    near, far = ended.err.splitlines()
    assert "'shop-ap'" in near
    assert "(did you mean shop-api or shop-web?)" in near
    assert "'zzz'" in far
    assert "did you mean" not in far


async def test_json_is_one_line_per_result_in_the_words_of_the_contract(write: Write) -> None:
    async with HttpServer(routes({"/": ok()})) as server:
        path = write(fine=(server.url("/?key=swordfish"), 'group = "shop"'), gone=server.url("/gone"))
        ended = await monitor("check", "--json", "-c", path)
    results = {document["check"]: document for document in map(json.loads, ended.lines)}
    assert ended.code == 1
    assert results["fine"]["group"] == "shop"
    assert results["fine"]["outcome"] == "success"
    assert results["fine"]["url"] == server.url("/?key=***")
    assert "swordfish" not in ended.out
    assert (results["gone"]["group"], results["gone"]["reason"]) == (None, "unexpected_status")
    assert results["gone"]["status_code"] == 404
    assert set(results["gone"]["phases"]) == {"resolve", "connect", "tls", "processing", "transfer"}


async def test_json_lines_come_as_results_end(write: Write) -> None:
    released = asyncio.Event()

    async def held(_: Request) -> bytes:
        await released.wait()
        return ok()

    async with HttpServer(routes({"/": ok(), "/held": held})) as server:
        process = await start("check", "--json", "-c", write(held=server.url("/held"), fine=server.url()))
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline())["check"] == "fine"
        released.set()
        assert json.loads(await process.stdout.readline())["check"] == "held"
        assert await process.wait() == 0


async def test_checks_run_at_the_same_time(write: Write) -> None:
    together = asyncio.Barrier(3)

    async def meet(_: Request) -> bytes:
        await together.wait()
        return ok()

    async with HttpServer(meet) as server:
        ended = await monitor("check", "-c", write(a=server.url(), b=server.url(), c=server.url()))
    assert ended.code == 0


async def test_no_more_checks_run_at_once_than_the_configuration_allows(write: Write) -> None:
    running: list[int] = []

    async def counted(_: Request) -> bytes:
        running.append(server.open)
        return ok()

    async with HttpServer(counted) as server:
        checks: dict[str, Any] = {f"c{n}": server.url() for n in range(5)}
        ended = await monitor("check", "-c", write("[monitor]\nmax_concurrency = 1", **checks))
    assert ended.code == 0
    assert running == [1] * 5


async def test_the_address_policy_of_the_configuration_holds(write: Write) -> None:
    async with HttpServer() as server:
        path = write('[monitor]\ndeny_addresses = ["127.0.0.0/8"]', local=server.url())
        ended = await monitor("check", "-c", path)
        assert server.connections == 0
    assert first_words(ended.out) == [("down", "local", "address_denied")]


async def test_a_run_that_found_nothing_out_is_neither_fine_nor_failed(write: Write) -> None:
    """Too few file descriptors are the monitor's own trouble."""

    def starve() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_descriptors(), _descriptors()))

    async with HttpServer() as server:
        path = write(**{f"c{n}": server.url(f"/{n}") for n in range(40)})
        ended = await end_of(await start("check", "--json", "-c", path, preexec_fn=starve))
    outcomes = {json.loads(line)["outcome"] for line in ended.lines}
    assert len(ended.lines) == 40
    assert "inconclusive" in outcomes
    assert outcomes <= {"inconclusive", "success"}
    assert ended.code == 3


def _descriptors() -> int:
    return 24


async def test_a_failed_check_outweighs_an_inconclusive_one(write: Write) -> None:
    def starve() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_descriptors(), _descriptors()))

    async with HttpServer(lambda _: answer(500)) as server:
        path = write(**{f"c{n}": server.url(f"/{n}") for n in range(40)})
        ended = await end_of(await start("check", "--json", "-c", path, preexec_fn=starve))
    outcomes = {json.loads(line)["outcome"] for line in ended.lines}
    assert outcomes == {"inconclusive", "http_error"}
    assert ended.code == 1


@pytest.mark.parametrize("columns", [50, 60, 80, 200])
async def test_table_fits_the_terminal(columns: int, write: Write) -> None:
    async with HttpServer(routes({"/loop": redirect("/loop"), "/": ok()})) as server:
        path = write(**{"a-rather-long-name.of-a-check": (server.url("/loop"), "max_redirects = 3"), "b": server.url()})
        async with terminal("check", "-c", path, columns=columns) as screen:
            assert await screen.end() == 1
    shown = screen.text[screen.text.rindex("▼ down ") :]
    assert all(len(line) <= columns for line in shown.splitlines())
    assert "too_many_redirects" in shown
    assert "a-rather-long-name.of-a-check" in shown
    assert ("detail" in screen.text) == (columns >= 100)


async def test_progress_is_shown_on_a_terminal_and_gone_at_the_end(write: Write) -> None:
    released = asyncio.Event()

    async def held(_: Request) -> bytes:
        await released.wait()
        return ok()

    async with HttpServer(routes({"/": ok(), "/held": held})) as server:
        path = write(quick=server.url(), held=server.url("/held"))
        async with terminal("check", "-c", path) as screen:
            await screen.until(lambda text: "1/2" in text and text.rstrip().endswith("held"))
            released.set()
            assert await screen.end() == 0
    assert "\x1b[2K" in screen.raw
    assert "● up" in screen.raw.replace("\x1b[32m", "").replace("\x1b[0m", "")


async def test_json_on_a_terminal_is_not_disturbed_by_progress(write: Write) -> None:
    async with (
        HttpServer() as server,
        terminal("check", "--json", "-c", write(fine=server.url()), columns=60) as screen,
    ):
        assert await screen.end() == 0
    assert json.loads(screen.raw)["check"] == "fine"


async def test_interrupted_says_what_it_knows_and_is_code_130(write: Write) -> None:
    async with (
        HttpServer() as server,
        Server(faults.silent) as silent,
        terminal("check", "-c", write(quick=server.url(), held=silent.url())) as screen,
    ):
        await screen.until(lambda text: "1/2" in text)
        await silent.until(lambda: bool(silent.heads))
        screen.interrupt()
        assert await screen.end() == 130
    assert "Traceback" not in screen.text
    assert "stopped while held was still running" in screen.text
    assert "quick" in screen.text[screen.text.rindex("● up  ") :]


async def test_foreign_text_cannot_drive_the_terminal(write: Write) -> None:
    async with (
        HttpServer(lambda _: answer(500, reason="\x1b[2J\x1b]0;owned\x07")) as server,
        terminal("check", "-c", write(evil=server.url()), env={"NO_COLOR": "1"}) as screen,
    ):
        assert await screen.end() == 1
    assert "\x1b[2J" not in screen.raw
    assert "\x1b]0;" not in screen.raw
