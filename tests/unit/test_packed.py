"""Results as bytes: any result comes back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.outcome import Attempt, Certificate, Hop, Phases, Reason, Result
from monitor.packed import _Own, _same, decode, encode, keep

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # a redactor leaves no half of a surrogate pair
FLOAT = st.floats(allow_nan=False)
SIZE = st.none() | st.integers(-1, 2**64 - 1)
CERTIFICATES = st.builds(Certificate, FLOAT, FLOAT, TEXT, TEXT, st.tuples(TEXT, TEXT))
RESULTS = st.builds(
    Result,
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


@given(st.lists(RESULTS, min_size=1, max_size=5), st.data())
def test_any_result_comes_back_from_among_others(results: list[Result], data: st.DataObject) -> None:
    kept = []
    for result in [*results, *data.draw(st.lists(st.sampled_from(results), max_size=5))]:
        kept.append(keep(result, kept[-3:]))
        assert kept[-1].result() == result


def test_what_never_differs_is_kept_once() -> None:
    chain = (Certificate(0.0, 1.0, "CN=leaf", "CN=authority", ("a" * 500,)),)
    first = Result(
        "c", 1.0, Reason.OK, "answered", 0.1, status_code=200, certificates=chain, hops=(Hop("GET", "x", 200),)
    )
    before = keep(first, ())
    again = keep(decode(encode(first)), (before,))
    assert again.alike is before.alike
    assert len(again.own) < 100


def test_every_field_is_kept_on_one_side() -> None:
    result = Result("c", 1.0, Reason.OK, "")
    assert len(_Own.__struct_fields__) + len(_same(result)) == len(Result.__struct_fields__)
