# ruff: noqa: E501
"""docs/security.md states figures; each is the one in the code."""

from __future__ import annotations

import pytest

from monitor.model.request import HttpRequest
from monitor.model.settings import MonitorSpec, ProbeSpec
from monitor.protocols.http import cookies, decode, evidence, jury, reading
from monitor.secrets.redaction import DETAIL_LIMIT
from monitor.web import access_failures, places
from monitor.web.api import events, schemas
from monitor.web.limits import DEFAULT_LIMITS
from tests.project.conftest import ROOT

MIB = 1 << 20
PLACES = places.Places(1000 + places._RESERVE)

SENTENCES = [
    f"killed after {jury.work_limit(0):.0f} s of CPU time and {jury.work_limit(4 * MIB) - jury.work_limit(0):.0f} s more for each 4 MiB",
    f"at most {reading._HEAD_LIMIT // 1024:,} KiB and {reading._LINES_LIMIT:,} lines",
    f"({HttpRequest().max_body // MIB} MiB unless said otherwise)",
    f"at most {decode._MOST_CODINGS} codings and {decode._MOST_BETWEEN // MIB} MiB between two of them",
    f"At most {cookies._MOST} cookies",
    f"The detail has {DETAIL_LIMIT} characters",
    f"{evidence._HEADER_CHARACTERS:,} characters of headers and {evidence.BODY_BYTES:,} bytes of body",
    "at {}:{}".format(*MonitorSpec().listen),
    f"{DEFAULT_LIMITS.connections} connections",
    f"{places._RESERVE} of them are reserved",
    f"A request has {DEFAULT_LIMITS.request:.0f} s",
    f"{DEFAULT_LIMITS.body // 1024} KiB of body and {DEFAULT_LIMITS.head:,} bytes for a line",
    f"A client has {DEFAULT_LIMITS.answer:.0f} s to take an answer",
    f"{events._MOST_LISTENERS} event streams",
    f"{access_failures.BURST} failed logins at once, and one more every {access_failures.PERIOD:.0f} s",
    f"a note {schemas.LONGEST_NOTE} characters",
    f"At most {ProbeSpec().max_requests} such requests",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_figure_of_the_page_is_that_of_the_code(sentence: str) -> None:
    page = " ".join((ROOT / "docs" / "security.md").read_text().split())
    assert sentence in page


def test_one_address_gets_three_quarters_of_the_places() -> None:
    assert PLACES._of_one * 4 == PLACES._most * 3


def test_the_page_is_short() -> None:
    assert len((ROOT / "docs" / "security.md").read_text().splitlines()) < 120
