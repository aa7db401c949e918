"""How /probe answers: formats, limits, crowds, clients that go away, and the end of the monitor."""

from __future__ import annotations

import asyncio
import signal
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.probe.conftest import Daemon, Daemons, polled
from tests.protocols.harness import STARVED, TOLERANCE
from tests.servers import faults
from tests.servers.http import HttpServer, ok
from tests.servers.tcp import Connection, Server
from tests.starvation import Starvation
from tests.terminal.program import PATIENCE

OPEN = """
[monitor.probe]
allow = ["127.0.0.1"]
[probe_modules.brief]
timeout = { connect = "200ms", total = "200ms" }
[probe_modules.patient]
timeout = { read = "40s", total = "40s" }
"""


async def ends_after(limit: float, monitor: Daemon, target: str, **query: str) -> None:
    """The answer comes after so many seconds, to within 50 ms; measured again if the machine stalled."""
    for _ in range(6):
        starvation = Starvation(monitor.process.pid)
        began = time.monotonic()
        answer = await monitor.probe_once(target, **query)
        late = abs(time.monotonic() - began - limit)
        stalled = starvation.seconds
        if not answer.said_stalled and (late <= TOLERANCE or stalled < STARVED):
            break
    assert answer.value("probe_success") == 0
    assert answer.reason in ("total_timeout", "response_timeout")
    assert late <= TOLERANCE + (stalled if stalled >= STARVED else 0), f"{late:.3f} s off, {stalled:.3f} s stalled"


async def test_the_answer_comes_half_a_second_before_prometheus_gives_up(daemon: Daemons) -> None:
    async with Server(faults.silent) as server, daemon(OPEN) as monitor:
        target = f"127.0.0.1:{server.port}"
        await ends_after(0.5, monitor, target, timeout="1")
        await ends_after(1.25, monitor, target, timeout="1.75", module="patient")
        await ends_after(0.2, monitor, target, timeout="0.4")  # a short one is shared half and half
        await ends_after(0.2, monitor, target, timeout="60", module="brief")  # the module's own limits hold too
        await ends_after(0.2, monitor, target, module="brief")


async def test_the_offset_can_be_chosen(daemon: Daemons) -> None:
    async with (
        Server(faults.silent) as server,
        daemon(OPEN.replace("allow", 'timeout_offset = "100ms"\nallow')) as monitor,
    ):
        await ends_after(0.4, monitor, f"127.0.0.1:{server.port}", timeout="0.5")


async def test_half_of_the_slots_stay_with_the_checks(daemon: Daemons) -> None:
    async with Server(faults.silent) as server, daemon(f"monitor.max_concurrency = 3\n{OPEN}") as monitor:
        target = f"127.0.0.1:{server.port}"
        first = asyncio.create_task(monitor.probe_once(target, timeout="2.5"))  # longer than it takes to probe again
        await server.until(lambda: server.connections == 1)
        crowded = await monitor.probe(target)  # at most half of the slots are taken for /probe
        assert (crowded.status, crowded.text.partition(" ")[0]) == (503, "1")
        whole = await first
        assert whole.status == 200 or whole.said_stalled


async def test_waiting_for_a_slot_counts_as_time(daemon: Daemons) -> None:
    text = f"""{OPEN}
        [[checks]]
        name = "greedy"
        url = "http://127.0.0.1:%d/"
        interval = "1s"
    """
    text = f"monitor.max_concurrency = 1\n{text}"
    async with Server(faults.silent) as server, daemon(text % server.port) as monitor:
        await server.until(lambda: server.connections == 1)
        starvation, began = Starvation(monitor.process.pid), time.monotonic()
        answer = await monitor.probe_once("127.0.0.1", timeout="0.4")
        assert time.monotonic() - began < 0.4 + starvation.seconds
        assert (answer.status, answer.text.partition(": ")[0]) == (503, "monitor_overloaded")
        assert server.connections == 1


async def test_no_more_than_max_requests_are_run_at_once(daemon: Daemons) -> None:
    async with Server(faults.silent) as server, daemon(OPEN.replace("allow", "max_requests = 2\nallow")) as monitor:
        target = f"127.0.0.1:{server.port}"
        answers = await asyncio.gather(*(monitor.probe_once(target, timeout="2") for _ in range(5)))
        run = [answer for answer in answers if answer.status == 200 or answer.said_stalled]
        assert len(run) == 2
        assert {answer.status for answer in answers if answer not in run} == {503}
        assert server.connections == 2
        assert (await monitor.probe(target, timeout="0.2")).status == 200  # and both places are free again


async def test_a_client_that_goes_away_takes_its_run_with_it(daemon: Daemons) -> None:
    gone = asyncio.Event()

    async def waits(connection: Connection) -> None:
        await connection.read_head()
        await connection.hold()
        gone.set()

    async with Server(waits) as server, daemon(OPEN.replace("allow", "max_requests = 1\nallow")) as monitor:
        host, _, port = monitor.address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /probe?module=patient&target=127.0.0.1:{server.port} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        await server.until(lambda: server.connections == 1)
        writer.transport.abort()
        async with asyncio.timeout(5):
            await gone.wait()
        assert (await monitor.probe(f"127.0.0.1:{server.port}", module="brief")).status == 200
        assert not any("Traceback" in line for line in monitor.log)


async def test_a_run_is_drained_and_none_begins_then(daemon: Daemons) -> None:
    release = asyncio.Event()

    async def slowly(_: object) -> bytes:
        await release.wait()
        return ok()

    async with HttpServer(slowly) as server, daemon(OPEN) as monitor:
        target = f"127.0.0.1:{server.port}"
        run = asyncio.create_task(monitor.probe(target))
        await server.until(lambda: len(server.requests) == 1)
        monitor.process.send_signal(signal.SIGTERM)
        await polled(lambda: monitor.get("/-/ready"), lambda ready: ready.status == 503)
        late = await monitor.probe(target)
        assert (late.status, late.text) == (503, "the monitor is draining\n")
        release.set()
        assert (await run).value("probe_success") == 1
        async with asyncio.timeout(PATIENCE):
            assert await monitor.process.wait() == 0
        assert len(server.requests) == 1


async def test_openmetrics_and_text_say_the_same_and_only_to_get(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(OPEN) as monitor:
        path = f"/probe?target=127.0.0.1:{server.port}"
        plain = await monitor.get(path)
        accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        openmetrics = await monitor.get(path, {"Accept": accept})
        for method in ("HEAD", "POST"):
            async with monitor.session.request(method, f"http://{monitor.address}{path}") as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = text_string_to_metric_families(openmetrics.text)
    assert {s.name for family in families for s in family.samples} == {name for name, _ in plain.samples}
    assert not any("check" in dict(labels) or "group" in dict(labels) for _, labels in plain.samples)


async def test_debug_shows_the_run(daemon: Daemons) -> None:
    async with HttpServer() as server, daemon(OPEN) as monitor:
        shown = await monitor.probe(f"127.0.0.1:{server.port}/?k=v", debug="true")
    assert (shown.status, shown.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert shown.text.startswith("success  ok\n  answered 200 in ")
    for part in ("\nasked\n", "\nphases\n", "\naddresses\n", "\nrequests\n  200  GET ", "  probe_success 1.0\n"):
        assert part in shown.text


async def test_a_paused_process_fails_the_scrape_and_not_the_target(daemon: Daemons) -> None:
    async with Server(faults.silent) as server, daemon(OPEN) as monitor:
        run = asyncio.create_task(monitor.probe_once(f"127.0.0.1:{server.port}", timeout="1.5"))
        await server.until(lambda: server.connections == 1)
        monitor.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(0.8)
        finally:
            monitor.process.send_signal(signal.SIGCONT)
        answer = await run
    assert (answer.status, answer.text.partition(":")[0]) == (503, "monitor_stalled")
