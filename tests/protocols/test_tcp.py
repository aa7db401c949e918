"""TCP checks against real servers: connections, dialogues, captures, STARTTLS, and each fault in its word."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

import pytest

from monitor.model.answer import TcpAnswer
from monitor.model.outcome import Reason
from monitor.model.request import Step, TcpDialogue
from monitor.model.result import Result
from monitor.model.spec import Limits
from monitor.protocols.tcp.lines import Lines, TooMuchData, filled
from monitor.secrets.secret import Secret
from tests.protocols.harness import QUICK, TOLERANCE, Run
from tests.servers import certs, dns, proxy
from tests.servers.tcp import Connection, Script, Server, closed_port, hanging_port
from tests.starvation import Starvation

SMTP = (Step(expect="^220 "), Step(send="EHLO me\r\n"), Step(expect="^250 "), Step(send="QUIT\r\n"))


def says(*pieces: bytes) -> Script:
    """A server that says these, each after a line of the client but the first, and then closes."""

    async def script(connection: Connection) -> None:
        for number, piece in enumerate(pieces):
            if number:
                connection.server.record(await connection.reader.readline())
            await connection.send(piece)
        await connection.hold()

    return script


async def silent(connection: Connection) -> None:
    await connection.hold()


async def dialogue(run: Run, script: Script, *steps: Step, **over: Any) -> tuple[Result, Server]:
    async with Server(script) as server:
        result = await run(server.url("", scheme="tcp"), request=TcpDialogue(steps), **over)
    return result, server


def answer(result: Result) -> TcpAnswer:
    assert isinstance(result.answer, TcpAnswer)
    return result.answer


async def test_a_connection_alone_is_a_success(run: Run) -> None:
    result, server = await dialogue(run, silent)
    assert (result.reason, server.connections, server.heads) == (Reason.OK, 1, [])
    assert result.detail.startswith("connected in ")
    assert result.remote_address == server.address
    assert result.phases.processing is None


async def test_a_dialogue_goes_step_by_step(run: Run) -> None:
    script = says(b"220 mail.example.com ESMTP\r\n", b"250-mail.example.com\r\n250 HELP\r\n", b"221 bye\r\n")
    result, server = await dialogue(run, script, *SMTP)
    assert result.reason is Reason.OK, result.detail
    assert result.detail.startswith("4 steps done in ")
    assert server.heads[0] == b"EHLO me\r\n"
    assert (answer(result).done, answer(result).steps, answer(result).figures.received) == (4, 4, 60)


async def test_how_the_bytes_fall_into_packets_changes_nothing(run: Run) -> None:
    greeting = b"220 one\r\n220 two version 7.4\r\n"

    async def script(connection: Connection) -> None:
        cut = connection.number
        await connection.send(greeting[:cut])
        await asyncio.sleep(0.01)
        await connection.send(greeting[cut:])
        connection.server.record(await connection.reader.readline())
        await connection.send(b"250 fine\r\n")
        await connection.hold()

    asked = TcpDialogue(
        (Step(expect=r"version (\S+)", send="go $1\r\n", labels=(("version", "v${1}"),)), Step(expect="^250 fine$"))
    )
    async with Server(script) as server:
        url = server.url("", scheme="tcp")
        results = [await run(url, request=asked) for _ in range(1, len(greeting))]
    assert {(r.reason, answer(r).figures.labels) for r in results} == {(Reason.OK, (("version", "v7.4"),))}
    assert set(server.heads) == {b"go 7.4\r\n"}


async def test_the_last_line_needs_no_end_if_the_connection_ends(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.send(b"OK 7")

    result, _ = await dialogue(run, script, Step(expect=r"^OK (\d)$", labels=(("n", "$1"),)))
    assert (result.reason, answer(result).figures.labels) == (Reason.OK, (("n", "7"),))


async def test_a_long_capture_is_cut_where_it_is_kept(run: Run) -> None:
    script = says(b"x" * 10_000 + b"\r\n")
    result, _ = await dialogue(run, script, Step(expect="^(x+)$", labels=(("all", "$1"),)))
    assert result.reason is Reason.OK
    assert answer(result).figures.labels == (("all", "x" * 199 + "…"),)


async def test_what_was_captured_is_sent_and_becomes_a_label(run: Run) -> None:
    steps = (
        Step(
            expect=r"^PING :(?P<token>\w+)$", send="PONG ${token} $1 $$ ${nothing}.\r\n", labels=(("token", "$token"),)
        ),
        Step(expect="^001 "),
    )
    result, server = await dialogue(run, says(b"PING :abc\r\n", b"001 welcome\r\n"), *steps)
    assert result.reason is Reason.OK, result.detail
    assert server.heads == [b"PONG abc abc $ .\r\n"]
    assert answer(result).figures.labels == (("token", "abc"),)


async def test_a_secret_is_sent_as_it_is_and_shown_nowhere(run: Run) -> None:
    async def echoes(connection: Connection) -> None:
        line = await connection.reader.readline()
        connection.server.record(line)
        await connection.send(b"500 " + line)
        await connection.hold()

    secret = Secret("AUTH pa$1${word}\r\n")
    steps = (Step(send=secret), Step(expect="^250 "))
    result, server = await dialogue(run, echoes, *steps, limits=QUICK, secrets=frozenset({"AUTH pa$1${word}"}))
    assert server.heads == [b"AUTH pa$1${word}\r\n"]
    assert result.reason is Reason.UNEXPECTED_DATA
    assert result.evidence is not None
    assert "word" not in repr(result)


async def test_another_line_than_the_expected_one_is_unexpected_data(run: Run) -> None:
    result, _ = await dialogue(run, says(b"554 no service\r\n"), *SMTP, limits=QUICK)
    assert result.reason is Reason.UNEXPECTED_DATA
    assert "«554 no service»" in result.detail
    assert "step 1 of 4" in result.detail
    assert "«^220 »" in result.detail
    assert result.evidence is not None
    assert result.evidence.body == "554 no service\r\n"
    assert answer(result).done == 0


async def test_another_line_and_the_end_is_unexpected_data(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.send(b"421 too many connections\r\n")

    result, _ = await dialogue(run, script, *SMTP)
    assert result.reason is Reason.UNEXPECTED_DATA
    assert "«421 too many connections»" in result.detail


async def test_a_server_that_says_nothing_is_a_response_timeout_to_the_limit(run: Run, starvation: Starvation) -> None:
    began = time.monotonic()
    result, server = await dialogue(run, silent, *SMTP, limits=Limits(1, 0.3, 2))
    took = time.monotonic() - began
    assert result.reason is Reason.RESPONSE_TIMEOUT
    assert 0.3 <= took <= 0.3 + TOLERANCE + starvation.seconds + 0.05
    assert result.detail.startswith("no byte of the answer in 300 ms; connected in ")
    assert "step 1 of 4" in result.detail
    assert server.connections == 1


async def test_half_a_line_is_a_read_timeout(run: Run) -> None:
    result, _ = await dialogue(run, says(b"22"), *SMTP, limits=QUICK)
    assert result.reason is Reason.READ_TIMEOUT
    assert result.detail.startswith("the dialogue stalled for 300 ms after 2 bytes")


async def test_a_drip_ends_at_the_total_limit(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.drip(b"x" * 1000, 0.02)

    result, _ = await dialogue(run, script, *SMTP, limits=QUICK)
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail


async def test_an_end_before_any_byte_is_disconnected(run: Run) -> None:
    async def script(connection: Connection) -> None:
        pass

    result, _ = await dialogue(run, script, *SMTP)
    assert result.reason is Reason.DISCONNECTED
    assert "before any byte of the answer" in result.detail


async def test_a_reset_is_a_reset(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.reader.readline()
        connection.reset()

    result, _ = await dialogue(run, script, Step(send="hello\r\n"), Step(expect="x"))
    assert result.reason is Reason.RESET


@pytest.mark.parametrize("flood", [b"x" * 65536, b"x\n" * 32768])
async def test_a_flood_is_unexpected_data_and_bounded(run: Run, flood: bytes) -> None:
    async def script(connection: Connection) -> None:
        while True:
            await connection.send(flood)

    result, server = await dialogue(run, script, *SMTP)
    assert result.reason is Reason.UNEXPECTED_DATA
    assert server.connections == 1


async def test_garbage_is_no_bug(run: Run) -> None:
    result, _ = await dialogue(run, says(bytes(range(256)) * 4 + b"\n"), *SMTP, limits=QUICK)
    assert result.reason is Reason.UNEXPECTED_DATA
    assert result.evidence is not None


async def test_faults_of_the_way_have_the_same_words_as_for_http(run: Run) -> None:
    with closed_port() as port:
        assert (await run(f"tcp://127.0.0.1:{port}", request=TcpDialogue())).reason is Reason.REFUSED
    async with hanging_port() as port:
        late = await run(f"tcp://127.0.0.1:{port}", request=TcpDialogue(), limits=QUICK)
    assert late.reason is Reason.CONNECT_TIMEOUT
    async with dns.DnsServer({"target.test": dns.NOT_FOUND}) as resolver:
        gone = await run("tcp://target.test:25", request=TcpDialogue(), resolver=(resolver.address,))
    assert gone.reason is Reason.DNS_NOT_FOUND
    denied = await run("tcp://127.0.0.1:9", request=TcpDialogue(), deny=("127.0.0.0/8",))
    assert denied.reason is Reason.ADDRESS_DENIED


async def test_connect_to_and_a_proxy_lead_there(run: Run) -> None:
    async with Server(says(b"220 hi\r\n")) as server, proxy.Proxy() as between:
        there = ("127.0.0.1", server.port)
        asked = TcpDialogue((Step(expect="^220"),))
        direct = await run("tcp://mail.example.com:25", request=asked, connect_to=there)
        tunnelled = await run(server.url("", scheme="tcp"), request=asked, proxy=between.url())
    assert (direct.reason, tunnelled.reason) == (Reason.OK, Reason.OK), (direct.detail, tunnelled.detail)
    assert tunnelled.remote_address == between.address


def starttls(context: ssl.SSLContext, extra: bytes = b"") -> Script:
    """A mail server that starts TLS, and greets again in it."""

    async def script(connection: Connection) -> None:
        await connection.send(b"220 ready\r\n")
        await connection.reader.readline()
        await connection.send(b"220 go ahead\r\n" + extra)
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(
            connection.writer.transport, connection.writer.transport.get_protocol(), context, server_side=True
        )
        transport.write(b"250 secure\r\n")
        await connection.hold()

    return script


STARTTLS = (
    Step(expect="^220 "), Step(send="STARTTLS\r\n"), Step(expect="^220 ", starttls=True), Step(expect="^250 secure"),
)  # fmt: skip


@pytest.mark.parametrize("names", [("127.0.0.1",), ("other.example.com",)])
async def test_tls_starts_in_the_dialogue(run: Run, names: tuple[str, ...]) -> None:
    context = certs.server_context(certs.issue(*names))
    result, _ = await dialogue(run, starttls(context), *STARTTLS)
    if names == ("127.0.0.1",):
        assert result.reason is Reason.OK, result.detail
        assert result.tls_version == "TLSv1.3"
        assert result.verified
        assert (result.phases.tls or 0) > 0
    else:
        assert result.reason is Reason.TLS_HOSTNAME_MISMATCH
    assert result.certificates


@pytest.mark.parametrize("extra", [b"250 x\r\n", b"2"])
async def test_text_before_tls_is_refused(run: Run, extra: bytes) -> None:
    result, _ = await dialogue(run, starttls(certs.server_context(certs.issue("127.0.0.1")), extra), *STARTTLS)
    assert result.reason is Reason.UNEXPECTED_DATA
    assert "before TLS" in result.detail


async def test_text_before_tls_is_refused_in_a_packet_of_its_own(run: Run) -> None:
    """The lines take many turns of the loop; the text comes in a later packet, but before TLS could start."""

    async def script(connection: Connection) -> None:
        await connection.send(b"-\r\n" * 10_000 + b"220 go ahead\r\n")
        await connection.send(b"250 injected\r\n")
        await connection.hold()

    result, _ = await dialogue(run, script, Step(expect="^220 ", starttls=True), Step(expect="^250"))
    assert result.reason is Reason.UNEXPECTED_DATA, result.detail
    assert "before TLS" in result.detail


async def test_a_late_greeting_leaves_the_handshake_its_whole_limit(run: Run) -> None:
    greets = starttls(certs.server_context(certs.issue("127.0.0.1")))

    async def script(connection: Connection) -> None:
        await asyncio.sleep(0.6)
        await greets(connection)

    result, _ = await dialogue(run, script, *STARTTLS, limits=Limits(connect=0.5, read=2, total=4))
    assert result.reason is Reason.OK, result.detail


async def test_a_handshake_that_hangs_is_not_blamed_on_a_line_before_it(run: Run) -> None:
    async def script(connection: Connection) -> None:
        await connection.send(b"220-more to come\r\n220 go ahead\r\n")
        await connection.hold()

    limits = Limits(connect=2, read=2, total=0.5)
    result, _ = await dialogue(run, script, Step(expect="^220 ", starttls=True), limits=limits)
    assert result.reason is Reason.TOTAL_TIMEOUT, result.detail
    assert "220-more" not in result.detail


async def test_what_was_sent_last_arrives(run: Run) -> None:
    received = asyncio.Event()

    async def script(connection: Connection) -> None:
        connection.server.record(await connection.reader.read())
        received.set()

    async with Server(script) as server:
        result = await run(server.url("", scheme="tcp"), request=TcpDialogue((Step(send="<13>a message\n"),)))
        await received.wait()
    assert (result.reason, server.heads) == (Reason.OK, [b"<13>a message\n"])


def test_lines_bound_what_they_keep_and_look_at_each_byte_once() -> None:
    lines = Lines()
    lines.begin_step()
    with pytest.raises(TooMuchData, match="longer than"):
        lines.add(b"x" * 20_000)
    lines = Lines()
    for _ in range(32):
        lines.add(b"x\n" * 4096)
        while lines.unmatched:
            assert lines.match("never") is None
    with pytest.raises(TooMuchData, match="more than 256 KiB"):
        lines.add(b"x\n")
    assert len(lines.beginning) == 4096


@pytest.mark.parametrize(
    ("template", "text"),
    [("$1-${2}-${name}-$$-$", "a-b-n-$-$"), ("${unknown}", ""), ("plain", "plain"), ("$10", ""), ("${1}0", "a0")],
)
def test_references_are_filled_as_go_does(template: str, text: str) -> None:
    assert filled(template, {"1": "a", "2": "b", "name": "n"}) == text
