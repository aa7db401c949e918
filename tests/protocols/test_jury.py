"""Judging what could take for ever: in a process that is bounded in work, time and memory, and can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import Callable

import psutil
import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from monitor.protocols.running import check as run_check
from tests.protocols.harness import LagMeter, Run, expecting_body, make_spec, opened_resources, rules
from tests.servers.http import HttpServer, as_json, ok
from tests.starvation import Starvation

ITEMS = {"items": [{"id": n, "state": "up", "tags": ["a", "b"]} for n in range(400)]}
NESTED = '{"a":' * 60 + "[" + "1," * 5000 + "1]" + "}" * 60


def expecting(path: str, **operators: object) -> Expect:
    return Expect(json=((path, rules(**(operators or {"exists": True}))),))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what only /proc tells, for some seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  processes send no events
            await asyncio.sleep(0.01)


def children() -> set[int]:
    """The processes that judge for this one."""
    found = set()
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {process.pid} if any("juror" in word for word in process.cmdline()) else set()
    return found


def cpu_of_children() -> float:
    """Seconds of CPU of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    ("path", "operators", "reason"),
    [
        ("$.items[*].state", {"equals": "up"}, Reason.OK),
        ("$.items[*].state", {"equals": "down"}, Reason.UNEXPECTED_BODY),
        ("$..id", {"less_than": 400}, Reason.OK),
        ("$.items[?@.id == 7].state", {"equals": "up"}, Reason.OK),
        ("$.items[?match(@.state, 'u.')].id", {"at_least": 0}, Reason.OK),
        ("$.items[?@.id == 700]", {"exists": False}, Reason.OK),
    ],
)
async def test_paths_that_lead_to_many_values_are_judged(
    run: Run, path: str, operators: dict[str, object], reason: Reason
) -> None:
    async with HttpServer(lambda _: as_json(ITEMS)) as server:
        result = await run(server.url(), expect=expecting(path, **operators))
    assert result.reason is reason, result.detail


async def test_a_simple_path_in_a_short_document_needs_no_process(run: Run) -> None:
    before = children()
    async with HttpServer(lambda _: as_json(ITEMS)) as server, opened_resources() as resources:
        result = await run(server.url(), resources=resources, expect=expecting("$.items[-1]['state']", equals="up"))
        assert children() == before
    assert result.reason is Reason.OK, result.detail


async def test_a_long_document_is_judged_off_the_loop(run: Run) -> None:
    reply = as_json({"all": [ITEMS] * 25, "ok": True})
    async with HttpServer(lambda _: reply) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting("$.ok", equals=True))
    assert result.reason is Reason.OK, result.detail
    assert lag.held < 0.3


EXPLOSIVE = [
    ("$..*..*", NESTED),
    ("$..*..*..*", NESTED),
    ("$[?@..*..*..*]", NESTED),
    ("$..[?match(@, '((a*)*)*b')]", json.dumps(["a" * 40] * 50)),
    ("$[?search(@, '(a|a|a|a)*(a|aa)+b')]", json.dumps(["a" * 5000] * 50)),
    ("$[*,*,*,*][*,*,*,*][*,*,*,*][*,*,*,*][*,*,*,*]", json.dumps([[[[[list(range(40))] * 4] * 4] * 4] * 4])),
]


@pytest.mark.parametrize(("path", "document"), EXPLOSIVE)
async def test_what_takes_too_much_work_says_so_and_holds_nobody_up(run: Run, path: str, document: str) -> None:
    before = cpu_of_children()
    async with HttpServer(lambda _: ok(document.encode())) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting(path, equals=object))
    assert result.reason in (Reason.INVALID_CONTENT, Reason.UNEXPECTED_BODY), result.detail
    assert lag.held < 0.3
    assert cpu_of_children() - before < 5


@pytest.mark.parametrize(
    "document", ["[" * 500 + "]" * 500, "[" * 100_000, '{"a":' * 30_000, "[" * 980 + "1" + "]" * 980]
)
@pytest.mark.parametrize("path", ["$", "$..a", "$[0]"])
async def test_deep_json_is_no_bug(run: Run, document: str, path: str) -> None:
    operand: object = 1
    for _ in range(90):
        operand = [operand]
    async with HttpServer(lambda _: ok(document.encode())) as server, opened_resources() as resources:
        for operator in ("equals", "not_equals", "contains", "exists"):
            operators = {operator: True if operator == "exists" else operand}
            result = await run(server.url(), resources=resources, expect=expecting(path, **operators))
            assert result.reason in (Reason.OK, Reason.INVALID_CONTENT, Reason.UNEXPECTED_BODY), result.detail


async def test_a_run_that_is_cancelled_kills_what_works_for_it() -> None:
    async with HttpServer(lambda _: ok(NESTED.encode())) as server, opened_resources() as resources:
        running = asyncio.create_task(run_check(make_spec(server.url(), expect=expecting("$..*..*..*")), resources))
        await until(lambda: bool(children()))
        (child,) = children()
        running.cancel()
        starvation, began = Starvation(child), time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: child not in children())
        assert time.monotonic() - began < 1 + starvation.seconds


async def test_the_process_is_used_again_and_replaced_when_it_is_gone(run: Run) -> None:
    async with HttpServer(lambda _: as_json(ITEMS)) as server, opened_resources() as resources:
        expect = expecting("$..id", at_least=0)
        assert (await run(server.url(), resources=resources, expect=expect)).reason is Reason.OK
        (first,) = children()
        assert (await run(server.url(), resources=resources, expect=expect)).reason is Reason.OK
        assert children() == {first}
        os.kill(first, 9)
        assert (await run(server.url(), resources=resources, expect=expect)).reason is Reason.OK


async def test_one_body_after_the_other_and_none_is_mistaken_for_another(run: Run) -> None:
    async with HttpServer(lambda r: as_json({"n": [int(r.target[1:])]})) as server, opened_resources() as resources:
        wanted = [expecting("$.n[*]", equals=n if n % 3 else "x") for n in range(12)]
        found = await asyncio.gather(
            *(run(server.url(f"/{n}"), resources=resources, expect=e) for n, e in enumerate(wanted))
        )
    assert [r.reason is Reason.OK for r in found] == [bool(n % 3) for n in range(12)]


async def test_a_long_text_is_judged_off_the_loop(run: Run) -> None:
    async with HttpServer(lambda _: ok(b"word " * 200_000)) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting_body(not_matches="(a|b|w)+[^x]{50}Q", contains="word"))
    assert result.reason is Reason.OK, result.detail
    assert lag.held < 0.3
