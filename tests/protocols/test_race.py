"""Addresses race for the connection (RFC 8305): when the next one starts, who wins, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.outcome import Reason
from monitor.model.spec import Limits
from monitor.net.race import AT_ONCE, DELAY, by_turns, race
from tests.protocols.harness import Run, ends_after
from tests.servers import dns, proxy
from tests.servers.http import HttpServer
from tests.servers.tcp import closed_port, hanging_port

BOTH = dns.addresses("::1", "127.0.0.1")
SYN_SENT = "02"


def connecting_to(port: int) -> int:
    """How many sockets of this machine still wait for an answer of this port (proc(5): /proc/net/tcp)."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return sum(fields[2].endswith(f":{port:04X}") and fields[3] == SYN_SENT for fields in lines)


async def test_dead_ipv6_address_costs_250_ms(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": BOTH}) as resolver,
        HttpServer() as server,
        hanging_port("::1", server.port),
    ):
        filling = connecting_to(server.port)
        again = partial(run, server.url(host="target.test"), resolver=(resolver.address,))
        result = await ends_after(DELAY, again)
        assert result.reason is Reason.OK, result.detail
        assert connecting_to(server.port) == filling
    dead, good = result.attempts
    assert (dead.address, good.address) == (f"[::1]:{server.port}", f"127.0.0.1:{server.port}")
    assert good.error is None
    assert good.seconds < dead.seconds
    assert dead.error is not None
    assert dead.error.startswith("no answer yet after 2")
    assert result.remote_address == server.address


async def test_ipv6_is_preferred_and_alone_if_it_answers(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": BOTH}) as resolver,
        HttpServer(host="::1") as six,
        HttpServer(port=six.port) as four,
    ):
        result = await run(six.url(host="target.test"), resolver=(resolver.address,))
        assert (six.connections, four.connections) == (1, 0)
    assert [(attempt.address, attempt.error) for attempt in result.attempts] == [(f"[::1]:{six.port}", None)]


async def test_address_that_refuses_lets_the_next_start_at_once(run: Run) -> None:
    async with dns.DnsServer({"target.test": BOTH}) as resolver, HttpServer() as server:
        with closed_port("::1", server.port):
            result = await run(server.url(host="target.test"), resolver=(resolver.address,))
    assert result.reason is Reason.OK, result.detail
    assert [attempt.error for attempt in result.attempts] == ["refused", None]
    assert (result.phases.connect or 0) < DELAY


async def test_families_take_turns(run: Run) -> None:
    names = {"target.test": dns.addresses("127.0.0.2", "127.0.0.3", "::1")}
    with closed_port() as port:
        async with dns.DnsServer(names) as resolver:
            result = await run(f"http://target.test:{port}/", resolver=(resolver.address,))
    assert result.reason is Reason.REFUSED, result.detail
    assert [attempt.address.rpartition(":")[0] for attempt in result.attempts] == ["[::1]", "127.0.0.2", "127.0.0.3"]


async def test_limit_ends_all_that_hang_and_lists_them(run: Run) -> None:
    limits = Limits(connect=0.6, read=1.0, total=3.0)
    async with dns.DnsServer({"target.test": BOTH}) as resolver, hanging_port() as port, hanging_port("::1", port):
        filling = connecting_to(port)
        again = partial(run, f"http://target.test:{port}/", resolver=(resolver.address,), limits=limits)
        result = await ends_after(0.6, again)
        assert connecting_to(port) == filling
    assert result.reason is Reason.CONNECT_TIMEOUT, result.detail
    assert [(attempt.error or "").partition(" in ")[0] for attempt in result.attempts] == ["no answer"] * 2
    assert "[::1]" in result.detail
    assert "127.0.0.1" in result.detail


async def test_short_limit_leaves_time_for_every_address(run: Run) -> None:
    limits = Limits(connect=0.2, read=1.0, total=3.0)
    async with (
        dns.DnsServer({"target.test": BOTH}) as resolver,
        HttpServer() as server,
        hanging_port("::1", server.port),
    ):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,), limits=limits)
    assert result.reason is Reason.OK, result.detail


async def test_denied_address_takes_no_part(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": BOTH}) as resolver,
        HttpServer(host="::1") as denied,
        HttpServer(port=denied.port) as server,
    ):
        result = await run(server.url(host="target.test"), resolver=(resolver.address,), deny=["::1/128"])
        assert (denied.connections, server.connections) == (0, 1)
    assert [attempt.address for attempt in result.attempts] == [server.address]


async def test_source_address_decides_the_family(run: Run) -> None:
    async with (
        dns.DnsServer({"target.test": BOTH}) as resolver,
        HttpServer(host="::1") as six,
        HttpServer(port=six.port) as four,
    ):
        url = six.url(host="target.test")
        result = await run(url, resolver=(resolver.address,), source_address="127.0.0.2")
        assert (six.connections, four.peers) == (0, ["127.0.0.2"])
    assert [attempt.error for attempt in result.attempts] == [None]


async def test_addresses_of_a_proxy_race_too(run: Run) -> None:
    async with (
        HttpServer() as target,
        proxy.Proxy() as through,
        hanging_port("::1", through.port),
        dns.DnsServer({"proxy.test": BOTH}) as resolver,
    ):
        over = {"proxy": f"http://proxy.test:{through.port}", "resolver": (resolver.address,)}
        result = await ends_after(DELAY, partial(run, target.url(), **over))
        assert result.reason is Reason.OK, result.detail


async def test_single_address_needs_no_task(run: Run) -> None:
    loop, made = asyncio.get_running_loop(), []

    def counting(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **over: Any
    ) -> asyncio.Task[Any]:
        made.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **over)

    async with HttpServer() as server:
        loop.set_task_factory(counting)
        try:
            await run(server.url())
        finally:
            loop.set_task_factory(None)
    assert not [name for name in made if "Dialer" in name]


# the race itself, without a network


async def hang(ended: list[str], name: str) -> str:
    """An attempt that nobody answers."""
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)
    return name


def attempts(**kinds: OSError | Exception | str | None) -> Callable[[str], Coroutine[None, None, str]]:
    """`connect` of names: an exception is raised, a text is the connection, None hangs."""

    async def connect(name: str) -> str:
        kind = kinds[name]
        if kind is None:
            await asyncio.Event().wait()
        if isinstance(kind, Exception):
            raise kind
        return str(kind)

    return connect


async def test_second_of_two_that_connect_in_one_turn_is_closed() -> None:
    gate, closed = asyncio.Event(), list[str]()

    async def connect(name: str) -> str:
        await gate.wait()
        return name

    racing = asyncio.create_task(race(["a", "b"], connect, closed.append, left=0.02))
    while len(asyncio.all_tasks()) < 4:  # noqa: ASYNC110 - both attempts are under way
        await asyncio.sleep(0.001)
    gate.set()
    assert await racing == "a"
    assert closed == ["b"]


async def test_many_dead_addresses_do_not_all_wait_at_once() -> None:
    ended: list[str] = []
    names = [str(number) for number in range(40)]
    racing = asyncio.create_task(race(names, partial(hang, ended), ended.append, left=0.08))
    before = len(asyncio.all_tasks())
    began = time.monotonic()
    while len(asyncio.all_tasks()) - before < AT_ONCE and time.monotonic() - began < 5:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)  # five times the pause between two attempts
    assert len(asyncio.all_tasks()) - before == AT_ONCE
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert ended == names[:AT_ONCE]


async def test_what_is_no_failure_of_an_address_ends_the_race() -> None:
    connect = attempts(a=None, b=RuntimeError("forbidden"), c="never")
    with pytest.raises(RuntimeError, match="forbidden"):
        await race(["a", "b", "c"], connect, print, left=0.03)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([errno.ENETUNREACH, errno.ECONNREFUSED], errno.ECONNREFUSED),
        ([errno.ECONNREFUSED, errno.EMFILE], errno.EMFILE),
        ([errno.EADDRNOTAVAIL, errno.ECONNREFUSED], errno.ECONNREFUSED),
        ([errno.ETIMEDOUT, errno.EHOSTUNREACH], errno.EHOSTUNREACH),
    ],
)
async def test_most_telling_failure_is_told(numbers: list[int], told: int) -> None:
    failures = {name: OSError(number, os.strerror(number)) for name, number in zip("ab", numbers, strict=True)}
    with pytest.raises(OSError) as raised:  # noqa: PT011 - judged by its number
        await race(["a", "b"], attempts(**failures), print, left=1.0)
    assert raised.value.errno == told


async def test_cancelled_race_leaves_nothing_running() -> None:
    ended: list[str] = []
    racing = asyncio.create_task(race(["a", "b"], partial(hang, ended), ended.append, left=0.02))
    while len(asyncio.all_tasks()) < 4:  # noqa: ASYNC110 - both attempts are under way
        await asyncio.sleep(0.001)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert ended == ["a", "b"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@given(st.lists(st.sampled_from(["4.1", "4.2", "4.3", "6:1", "6:2", "6:3"]), min_size=1, unique=True))
def test_turns_keep_the_order_within_a_family(addresses: list[str]) -> None:
    turns = by_turns(addresses)
    assert sorted(turns) == sorted(addresses)
    assert turns[0] == addresses[0]
    for colon in (True, False):
        assert [a for a in turns if (":" in a) is colon] == [a for a in addresses if (":" in a) is colon]
    both = 2 * min(sum(":" in a for a in addresses), sum("." in a for a in addresses))
    assert all((":" in one) is not (":" in next_one) for one, next_one in pairwise(turns[:both]))
