"""Results that were stored before they had an `answer` are read whole, wherever they stand."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, msgpack

from monitor.history.saved import SavedCheck, decode_entry
from monitor.history.unreadable import SkipLog
from monitor.model.answer import Hop, HttpAnswer, HttpFigures
from monitor.model.outcome import Reason
from monitor.model.result import Attempt, Phases, Result
from monitor.stats.first_form import first_result
from monitor.stats.meters import HistoryMeter
from monitor.stats.result_log import encode, history_of

PHASES = [0.01, 0.02, None, 0.3, 0.0]
PLACE = "192.0.2.7:443"
ATTEMPTS = [[PLACE, None, 0.02]]
ALIKE = [
    "shop", 0.0, "ok", "", None, [None] * 5, 200, "1.1", None, 1, None, None, "TLSv1.3", [], [],
    [["GET", "http://a/", 301], ["GET", "https://a/", 200]], None, ["odd"], [], [], None, None,
]  # fmt: skip
OWN = [1.7e9, "unexpected_body", "said «no»", 0.33, PHASES, PLACE, 512, 600, ATTEMPTS, "http_error"]
ANSWER = HttpAnswer(200, "1.1", 1, (Hop("GET", "http://a/", 301), Hop("GET", "https://a/", 200)), HttpFigures(512, 600))
WHOLE = Result(
    "shop", 1.7e9, Reason.UNEXPECTED_BODY, "said «no»", 0.33, Phases(*PHASES), PLACE, ANSWER, "TLSv1.3",
    attempts=(Attempt(PLACE, None, 0.02),), notes=("odd",),
)  # fmt: skip


def refused(error: Exception) -> None:
    raise AssertionError(error)


def first() -> list[Any]:
    """The whole result in one array, as the last failure of a check was stored."""
    return [*ALIKE[:1], *OWN[:5], *ALIKE[6:8], PLACE, ALIKE[9], *OWN[6:8], *ALIKE[12:14], ATTEMPTS, *ALIKE[15:]]


def test_a_whole_result_is_read() -> None:
    assert first_result(msgpack.encode(first())) == WHOLE


def test_the_last_results_of_a_check_are_read() -> None:
    owns = b"\x92" + msgpack.encode(OWN) * 2
    stored = msgpack.encode({"limit": 30, "stretches": [{"alike": ALIKE, "owns": owns}]})
    assert history_of(stored, refused).results() == (WHOLE, WHOLE)
    assert history_of(encode(history_of(stored, refused)), refused).results() == (WHOLE, WHOLE)


def test_an_entry_of_the_journal_is_read_with_and_without_its_other_half() -> None:
    entry = [3, 7, OWN, ALIKE, 1, 1.7e9, "up", 1.6e9, 1, 0]
    read = decode_entry(msgpack.encode(entry))
    assert (read.own.figures, read.own.reason) == (HttpFigures(512, 600), Reason.UNEXPECTED_BODY)
    assert read.alike is not None
    assert read.alike.answer == ANSWER.alike()
    assert decode_entry(msgpack.encode([*entry[:3], None, *entry[4:]])).alike is None


def test_a_saved_check_keeps_its_results() -> None:
    meter = HistoryMeter()
    saved = [None, None, Raw(b"\xc0"), 1.7e9, 1.6e9, None, first(), 3]
    read = SkipLog(meter).parts(SavedCheck, msgpack.encode(saved), "checks 'shop'")
    assert read is not None
    assert (read.last_failure, read.number, meter.unreadable) == (WHOLE, 3, 0)
