# ruff: noqa: E501
"""Damaged files of any kind: each is refused with a sentence, or what is written of it is valid."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.migrate.draft import ImportResult
from monitor.model.errors import ForeignFileError
from tests.migrate import kuma
from tests.migrate.harness import FILES, made
from tests.migrate.test_kubernetes import CONFIG_MAP, MODULES, PROBE
from tests.migrate.test_public_files import BLACKBOX, GATUS, KUMA, PROMETHEUS

PIECES = st.sampled_from(
    [b"", b"\n", b"  ", b"- ", b": ", b"{", b"}", b"[", b"]", b'"', b"'", b"&a ", b"*a", b"<<: ", b"|\n", b"---\n", b"\t",
     b"\0", b"\xff", b"$", b"${X}", b"!!binary ", b"!x ", b"%", b"? ", b"~", b"1e999", b"9" * 30, b"\xe2\x80\xa8", b"null"]
)  # fmt: skip
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES), max_size=4)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """The content with parts of it replaced by something else."""
    for where, length, piece in damage:
        start = int(where * len(content))
        content = content[:start] + piece + content[start + length :]
    return content


def survives(read: Callable[[Path], ImportResult], content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "it.yml")
        path.write_bytes(content)
        try:
            made(read(path), Path(directory))
        except ForeignFileError as refused:
            assert str(refused).startswith(directory)  # noqa: PT017 - a sentence with its place is all that is asked


@given(st.sampled_from([*(text for text, _, _ in GATUS.values()), CONFIG_MAP]), DAMAGE)
def test_gatus(text: str, damage: list[tuple[float, int, bytes]]) -> None:
    survives(gatus.read, damaged(text.encode(), damage))


@given(
    st.sampled_from([*(text for text, _, _ in PROMETHEUS.values()), PROBE, MODULES, BLACKBOX]), DAMAGE, st.booleans()
)
def test_blackbox(text: str, damage: list[tuple[float, int, bytes]], targets: bool) -> None:
    content = damaged(text.encode(), damage)
    if targets:
        survives(lambda path: blackbox.read(FILES / "blackbox.yml", [path]), content)
    else:
        survives(lambda path: blackbox.read(path, [FILES / "prometheus.yml"]), content)


@given(st.sampled_from(list(KUMA.values())), DAMAGE)
def test_kuma_json(given_row: tuple[dict[str, object], list[str]], damage: list[tuple[float, int, bytes]]) -> None:
    row = {"id": 1, "name": "a", "type": "http", "url": "https://a.example.com"} | given_row[0]
    survives(uptime_kuma.read, damaged(json.dumps([row, {"id": 2, "type": "group"}]).encode(), damage))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=40)), max_size=4), st.booleans())
def test_kuma_database(damage: list[tuple[float, int, bytes]], running: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "it.yml")
        with contextlib.closing(kuma.database(path, 2)):
            content, log = path.read_bytes(), path.with_name("it.yml-wal").read_bytes()
        if running:
            path.write_bytes(content)
            path.with_name("it.yml-wal").write_bytes(damaged(log, damage))
        else:
            path.write_bytes(damaged(path.read_bytes(), damage))
        before = sorted(each.name for each in Path(directory).iterdir())
        try:
            made(uptime_kuma.read(path), Path(directory))
        except ForeignFileError as refused:
            assert str(refused).startswith(directory)  # noqa: PT017
        assert set(before) | {"checks.toml"} >= {each.name for each in Path(directory).iterdir()}
