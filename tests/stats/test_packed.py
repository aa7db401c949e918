"""Results as bytes: any result comes back as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from monitor.model.answer import Hop, HttpAnswer
from monitor.model.outcome import Reason
from monitor.model.result import Attempt, Certificate, Phases, Result
from monitor.stats.result_log import History, RunFields, alike_of, decode, encode
from tests.flat import flat_result

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # a redactor leaves no half of a surrogate pair
FLOAT = st.floats(-62135596800, 253402300799)  # what a calendar can show
SIZE = st.none() | st.integers(-1, 2**64 - 1)
CERTIFICATES = st.builds(Certificate, FLOAT, FLOAT, TEXT, TEXT, st.tuples(TEXT, TEXT))
RESULTS = st.builds(
    flat_result,
    check=TEXT,
    started_at=FLOAT,
    reason=st.sampled_from(list(Reason)),
    detail=TEXT,
    duration=st.none() | FLOAT,
    phases=st.builds(Phases, *[st.none() | FLOAT] * 5),
    status_code=st.none() | st.integers(0, 999),
    http_version=st.none() | TEXT,
    remote_address=st.none() | TEXT,
    redirects=st.integers(0, 100),
    content_length=SIZE,
    body_bytes=SIZE,
    tls_version=st.none() | TEXT,
    certificates=st.lists(CERTIFICATES, max_size=2).map(tuple),
    attempts=st.lists(st.builds(Attempt, TEXT, st.none() | TEXT, FLOAT), max_size=2).map(tuple),
    hops=st.lists(st.builds(Hop, TEXT, TEXT, st.none() | st.integers(0, 999)), max_size=2).map(tuple),
)


@given(RESULTS)
def test_any_result_comes_back_as_it_was(result: Result) -> None:
    again = decode(encode(result))
    assert again == result
    assert again.reason is result.reason


@settings(deadline=None)
@given(st.lists(RESULTS, min_size=1, max_size=4), st.data(), st.integers(1, 12), st.integers(1, 12))
def test_the_last_results_come_back_newest_first(
    some: list[Result], data: st.DataObject, limit: int, other: int
) -> None:
    came: list[Result] = []
    history = History(limit)
    for result in data.draw(st.lists(st.sampled_from(some), max_size=40)):
        came.append(result)
        history = history.add(result)
        assert len(history) == min(limit, len(came))
    newest = tuple(reversed(came))
    assert history.results() == newest[:limit]
    seen = next((r.certificates for r in newest[:limit] if r.certificates), ())
    chain = history.certified.certificates if history.certified else ()
    assert chain == seen or not seen, "of results that are packed with newer ones, more are kept"
    changed = history.within(other)
    assert min(limit, other, len(came)) <= len(changed) <= other
    assert changed.results() == newest[: len(changed)]


def test_what_never_differs_is_kept_once_even_if_the_target_alternates() -> None:
    chain = (Certificate(0.0, 1.0, "CN=leaf", "CN=authority", ("a" * 500,)),)
    fine = flat_result("c", 1.0, Reason.OK, "", 0.1, status_code=200, certificates=chain, hops=(Hop("GET", "x", 200),))
    bad = structs.replace(fine, reason=Reason.UNEXPECTED_STATUS, answer=HttpAnswer(500))
    history = History(30)
    for n in range(100):
        history = history.add(decode(encode(bad if n % 2 else fine)))
    assert len({id(s.alike) for s in history.stretches}) == 2
    for _ in range(100):
        history = history.add(decode(encode(fine)))
    assert len({id(s.alike) for s in history.stretches}) == 1
    assert sum(len(s.owns) for s in history.stretches) < 100 * len(history)


def test_every_field_is_kept_on_one_side() -> None:
    result = Result("c", 1.0, Reason.OK, "")
    alike = (
        set(Result.__struct_fields__) - set(RunFields.__struct_fields__) - {"evidence"}
    )  # an incident's, no result's
    for name in alike:
        changed = structs.replace(result, **{name: HttpAnswer(404) if name == "answer" else "different"})
        assert alike_of(changed) != alike_of(result), name
