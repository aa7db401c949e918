"""What the demo is made of, without running it: nothing is left out, and every part says what it should."""

from __future__ import annotations

import io
import ssl
import struct
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from monitor.config import load
from monitor.demo import names
from monitor.demo.announcement import announced
from monitor.demo.catalogue import EXAMPLES
from monitor.demo.certificates import Issuer
from monitor.demo.configuration import written
from monitor.demo.runbooks import NEXT
from monitor.demo.script import Certificate, Script, Target, at_first
from monitor.model.outcome import FAILURES, Reason, State

ONE, OTHER = Script((b"one",)), Script((b"other",))


def test_every_reason_that_a_target_can_cause_is_promised() -> None:
    promised = {example.reason for example in EXAMPLES}
    assert {reason for reason in Reason if reason.outcome in FAILURES} <= promised


def test_every_state_that_a_check_can_be_in_is_promised() -> None:
    promised = {state for example in EXAMPLES for state in example.states}
    assert set(State) - promised == {State.MAINTENANCE}


def test_every_fault_has_a_runbook() -> None:
    assert {example.reason for example in EXAMPLES if example.telling} <= set(NEXT)


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_words_are_whole_on_a_terminal_of_any_width(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    console.print(announced(EXAMPLES, "127.0.0.1:8420", Path("/tmp/monitor-demo/checks.toml"), width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    for example in EXAMPLES:
        (row,) = (line.split() for line in lines if line.startswith(f"{example.name} "))
        assert example.reason is None or example.reason.value in row, f"{example.name}: {' '.join(row)}"
        assert "…" not in row


def test_names_are_unique() -> None:
    names = [example.name for example in EXAMPLES]
    assert len(set(names)) == len(names)


def test_configuration_is_valid(tmp_path: Path) -> None:
    Issuer(tmp_path)
    placed = [(example, "127.0.0.1:4711" if example.target else "") for example in EXAMPLES]
    path = tmp_path / "checks.toml"
    path.write_text(written(placed, "127.0.0.1:53", "http://127.0.0.1:4712", "sqlite:///monitor.db"))
    assert [check.name for check in load(path).checks] == [example.name for example in EXAMPLES]


def test_acts_follow_one_another_and_begin_anew() -> None:
    target = Target(((7, ONE), (5, OTHER)))
    assert [target.script(passed) for passed in (0, 6.9, 7.1, 11.9, 12.1, 19.5)] == [ONE, ONE, OTHER, OTHER, ONE, OTHER]


def test_last_act_may_last_for_ever() -> None:
    target = at_first(3, ONE, OTHER)
    assert [target.script(passed) for passed in (0, 2.9, 3.1, 1e9)] == [ONE, ONE, OTHER, OTHER]
    assert target.acts[-1][0] == inf


def test_keys_of_certificates_are_not_left_in_the_folder(tmp_path: Path) -> None:
    context = Issuer(tmp_path).context("web.example.com", Certificate())
    assert context.protocol is ssl.PROTOCOL_TLS_SERVER
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]


@given(st.binary(max_size=80))
def test_no_packet_troubles_the_name_server(packet: bytes) -> None:
    reply = names.replied(packet)
    assert reply is None or reply[:2] == packet[:2]


def test_name_server_answers_addresses_of_the_family_it_has() -> None:
    def answers(name: str, kind: int) -> tuple[int, bytes] | None:
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        reply = names.replied(struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1))
        return reply and (reply[3] & 15, reply[-4:])

    assert answers("Web.example.com", 1) == (names.NOERROR, bytes([127, 0, 0, 1]))
    assert answers("web.example.com", 28) == (names.NOERROR, struct.pack("!HH", 28, 1))
    assert answers("no-such-name.example.com", 1) == (names.NXDOMAIN, struct.pack("!HH", 1, 1))
    assert answers("broken-zone.example.com", 1) == (names.SERVFAIL, struct.pack("!HH", 1, 1))
    assert answers("silent-dns.example.com", 1) is None
