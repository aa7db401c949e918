"""Whether an answer satisfies what was expected: every operator, for everything that JSON can hold."""

from __future__ import annotations

import json
import time
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from monitor.model.outcome import Finding, Reason
from monitor.model.request import Expect, Operator, Rule
from monitor.protocols.http import judging
from monitor.protocols.http.expectations import is_simple, judge_head
from monitor.rules.comparisons import Foreign
from monitor.secrets.redaction import DETAIL_LIMIT, Redactor
from monitor.secrets.secret import Secret

plain = Redactor(()).foreign


def judge_body(expect: Expect, body: bytes, content_type: str | None, foreign: Foreign) -> Finding | None:
    """What is wrong with a body, whatever is odd about it."""
    return judging.judge_body(expect, body, content_type, foreign).finding


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=12,
)
bounds = st.builds(
    Rule, st.sampled_from(["equals", "less_than", "at_most", "greater_than", "at_least"]), st.integers(0, 9)
)
operands = {
    "exists": st.booleans(),
    "one_of": st.lists(documents, min_size=1, max_size=4),
    "length": bounds,
    "optional": st.just(True),
    "matches": st.sampled_from([".", "^a", "x$", ""]),
    "not_matches": st.sampled_from([".", "^a", "x$", ""]),
    **dict.fromkeys(
        ("less_than", "at_most", "greater_than", "at_least"), st.one_of(st.integers(), st.floats(-1e9, 1e9))
    ),
}
rules = st.sampled_from(get_args(Operator)).flatmap(
    lambda op: st.builds(Rule, st.just(op), operands.get(op, documents))
)
OPPOSITES = [
    ("equals", "not_equals"),
    ("contains", "not_contains"),
    ("matches", "not_matches"),
]


def of_json(document: Any, operator: Operator, operand: Any, path: str = "$") -> Finding | None:
    """What is wrong with a document, by one rule."""
    expect = Expect(json=((path, (Rule(operator, operand),)),))
    return judge_body(expect, json.dumps(document).encode(), None, plain)


def of_text(body: bytes, operator: Operator, operand: Any, charset: str | None = None) -> Finding | None:
    content_type = None if charset is None else f"text/plain; charset={charset}"
    return judge_body(Expect(body=(Rule(operator, operand),)), body, content_type, plain)


# for everything


@given(documents, rules)
@example({}, Rule("contains", ["x"]))
@example({"a": 1}, Rule("contains", {}))
@example("\ud800", Rule("equals", "x"))
def test_no_document_and_no_rule_is_a_bug(document: Any, rule: Rule) -> None:
    for path in ("$", "$.a", "$..*", "$[0]"):
        finding = of_json(document, rule.operator, rule.operand, path)
        if finding is not None:
            assert finding.reason is Reason.UNEXPECTED_BODY
            assert finding.detail


@given(documents)
def test_a_document_equals_itself_and_nothing_that_looks_alike(document: Any) -> None:
    assert of_json(document, "equals", document) is None
    assert of_json(document, "not_equals", document) is not None
    assert of_json([document], "contains", document) is None
    assert of_json([document], "equals", document) is not None


@given(documents, documents)
def test_opposites_are_opposite(document: Any, operand: Any) -> None:
    for operator, opposite in OPPOSITES[:2]:
        assert (of_json(document, operator, operand) is None) is not (of_json(document, opposite, operand) is None)


@pytest.mark.parametrize(("operator", "opposite"), OPPOSITES)
def test_what_is_not_there_satisfies_only_the_negations(operator: Operator, opposite: Operator) -> None:
    assert of_json({}, operator, "x", "$.a") is not None
    assert of_json({}, opposite, "x", "$.a") is None


@given(
    st.one_of(st.integers(-(10**30), 10**30), st.floats(-1e30, 1e30)), st.one_of(st.integers(), st.floats(-1e30, 1e30))
)
def test_numbers_compare_as_numbers(value: float, bound: float) -> None:
    assert (of_json(value, "less_than", bound) is None) is (value < bound)
    assert (of_json(value, "at_most", bound) is None) is (value <= bound)
    assert (of_json(value, "greater_than", bound) is None) is (value > bound)
    assert (of_json(value, "at_least", bound) is None) is (value >= bound)
    assert (of_json(value, "equals", bound) is None) is (value == bound)


# JSON is not Python


@pytest.mark.parametrize(
    ("document", "operand"),
    [
        (True, 1),
        (1, True),
        (False, 0),
        ([True], [1]),
        ({"x": True}, {"x": 1}),
        ({"x": [0]}, {"x": [False]}),
        ("1", 1),
        (None, False),
        (None, ""),
        ([], {}),
        ("ab", ["a", "b"]),
        ({"a": 1}, ["a"]),
        (["a"], {"a": 1}),
    ],
)
def test_json_values_of_different_types_are_different(document: Any, operand: Any) -> None:
    assert of_json(document, "equals", operand) is not None
    assert of_json(document, "not_equals", operand) is None
    assert of_json([document], "contains", operand) is not None


def test_json_numbers_are_equal_however_they_are_written() -> None:
    assert judge_body(Expect(json=(("$", (Rule("equals", 1),)),)), b"1.0", None, plain) is None
    assert judge_body(Expect(json=(("$", (Rule("equals", 100),)),)), b"1e2", None, plain) is None


@pytest.mark.parametrize("value", [True, "5", None, [5], {}])
def test_only_numbers_are_less_or_more(value: Any) -> None:
    for operator in ("less_than", "at_most", "greater_than", "at_least"):
        assert of_json(value, operator, 5) is not None


@pytest.mark.parametrize("value", [5, None, True, ["a"], {"a": 1}])
def test_only_text_matches(value: Any) -> None:
    assert of_json(value, "matches", ".") is not None
    assert of_json(value, "not_matches", ".") is None


def test_contains_is_about_parts_of_texts_items_of_lists_and_keys_of_objects() -> None:
    assert of_json("abc", "contains", "b") is None
    assert of_json(["b"], "contains", "b") is None
    assert of_json({"b": 1}, "contains", "b") is None
    assert of_json(["abc"], "contains", "b") is not None
    assert of_json({"a": "b"}, "contains", "b") is not None
    assert of_json(5, "contains", 5) is not None


def test_every_value_that_is_found_has_to_satisfy() -> None:
    assert of_json([1, 2, 3], "less_than", 4, "$[*]") is None
    finding = of_json([1, 2, 9], "less_than", 4, "$[*]")
    assert finding is not None
    assert "and 2 more" in finding.detail


def test_an_optional_value_may_be_missing() -> None:
    assert of_json({}, "optional", True, "$.a") is None


def test_null_exists_and_nothing_does_not() -> None:
    assert of_json({"a": None}, "exists", True, "$.a") is None
    assert of_json({"a": None}, "exists", False, "$.a") is not None
    assert of_json({}, "exists", False, "$.a") is None
    assert of_json({}, "exists", True, "$.a") is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nope", b"{'a': 1}", b"\xff", b'{"a": NaN}', b"[Infinity]", b"-Infinity", b'{"a": 1} x', b"\x00"],
)
def test_what_is_not_json_is_invalid_content(body: bytes) -> None:
    finding = judge_body(Expect(json=(("$", (Rule("exists", True),)),)), body, None, plain)
    assert finding is not None
    assert finding.reason is Reason.INVALID_CONTENT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_every_encoding_of_unicode(encoding: str) -> None:
    body = '{"a": "é"}'.encode(encoding)
    assert judge_body(Expect(json=(("$.a", (Rule("equals", "é"),)),)), body, None, plain) is None


@pytest.mark.parametrize("depth", [10, 100, 400, 600, 900, 990, 1100, 5000, 200_000])
@pytest.mark.parametrize("path", ["$", "$..a", "$[0][0]"])
def test_deep_documents_are_judged_or_refused_but_are_no_bug(depth: int, path: str) -> None:
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        for rule in (Rule("equals", "x"), Rule("exists", False), Rule("contains", [1]), Rule("equals", [[1]])):
            finding = judge_body(Expect(json=((path, (rule,)),)), body, None, plain)
            assert finding is None or finding.reason in (Reason.UNEXPECTED_BODY, Reason.INVALID_CONTENT)


@pytest.mark.parametrize("digits", [20, 400, 4000, 4300, 4301, 20_000])
def test_big_integers_are_numbers(digits: int) -> None:
    body = b'{"n": ' + b"9" * digits + b"}"
    expect = Expect(json=(("$.n", (Rule("greater_than", 5),)),))
    finding = judge_body(expect, body, None, plain)
    assert finding is None or (digits > 4300 and finding.reason is Reason.INVALID_CONTENT)
    less = judge_body(Expect(json=(("$.n", (Rule("less_than", 5.5),)),)), body, None, plain)
    assert less is not None


# text


def test_the_charset_of_the_answer_is_used() -> None:
    assert of_text("é".encode("latin-1"), "contains", "é", "latin-1") is None
    assert of_text("é".encode(), "contains", "é", None) is None


@pytest.mark.parametrize(
    "charset", ["nonsense", "rot13", "hex", "zip", "base64", "", "utf-8\x00", "\udcff", "x" * 5000]
)
def test_a_charset_that_is_none_is_noted_and_the_text_is_read_all_the_same(charset: str) -> None:
    expect = Expect(body=(Rule("contains", "text"), Rule("not_contains", "y")))
    finding, notes = judging.judge_body(expect, b"\xfftext", f"text/plain; charset={charset or 'nope'}", plain)
    assert finding is None
    assert [note for note in notes if "windows-1252" in note]
    assert len(notes[0]) < 200
    assert "Content-Type" in notes[0]


def test_bytes_that_are_not_in_the_charset_are_replaced_and_noted() -> None:
    expect = Expect(body=(Rule("contains", "is"), Rule("matches", "is (\ufffd){3}$")))
    finding, notes = judging.judge_body(expect, b"is \xff\xfe\xfd", "text/plain; charset=utf-8", plain)
    assert finding is None
    assert notes == ("the body is not all utf-8: 3 stray bytes",)


def test_the_body_itself_is_never_in_the_detail() -> None:
    finding = of_text(b"a private page " * 10, "contains", "public")
    assert finding is not None
    assert "private" not in finding.detail
    assert "150 bytes" in finding.detail


def test_a_bad_pattern_of_a_target_takes_no_time() -> None:
    began = time.process_time()
    assert of_text(b"a" * 50_000 + b"!", "matches", "^(a+)+$") is not None
    assert time.process_time() - began < 1


@pytest.mark.parametrize("size", [60_000, 1_000_000])
def test_a_complaint_about_a_long_value_costs_no_more_than_about_a_short_one(size: int) -> None:
    """Up to 64 KiB are judged on the loop, and a thread that computes holds Python's lock."""
    body = json.dumps({"a": "word %41 & " * (size // 11)}).encode()
    expect = Expect(json=(("$.a", (Rule("equals", "x"),)),))
    foreign = Redactor({"some-secret-1", "other secret/2"}).foreign
    json_alone = min(_cost(lambda: json.loads(body)) for _ in range(3))
    judged = min(_cost(lambda: judge_body(expect, body, None, foreign)) for _ in range(3))
    assert judged < 5 * json_alone + 0.01, f"{judged * 1000:.0f} ms"


def _cost(do: Any) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


# secrets


@given(documents)
def test_an_expected_secret_is_not_shown(document: Any) -> None:
    foreign = Redactor({"hunter2-hunter2"}).foreign
    expect = Expect(json=(("$", (Rule("equals", Secret("hunter2-hunter2")),)),))
    finding = judge_body(expect, json.dumps({"echo": ["hunter2-hunter2", document]}).encode(), None, foreign)
    assert finding is not None
    assert "hunter2" not in finding.detail
    assert judge_body(expect, b'"hunter2-hunter2"', None, foreign) is None


@pytest.mark.parametrize("operator", ["equals", "contains", "matches", "not_equals", "not_contains"])
def test_a_secret_inside_of_an_operand_is_compared_and_not_shown(operator: Operator) -> None:
    foreign = Redactor({"hunter2-hunter2"}).foreign
    rule = Rule(operator, Secret("hunter2-hunter2"))
    for found in ("hunter2-hunter2", "other"):
        head = judge_head(Expect(headers=(("X", (rule,)),)), 200, "1.1", CIMultiDict({"x": found}), foreign)
        assert (head is None) is ((found == "other") is operator.startswith("not_"))
        assert head is None or "hunter2" not in head.detail


# the head


@pytest.mark.parametrize(
    ("status", "ranges", "fine"),
    [
        (200, ((200, 399),), True),
        (399, ((200, 399),), True),
        (400, ((200, 399),), False),
        (404, ((200, 299), (404, 404)), True),
    ],
)
def test_statuses_are_ranges_that_include_their_ends(status: int, ranges: Any, fine: bool) -> None:
    finding = judge_head(Expect(status=ranges), status, "1.1", CIMultiDict(), plain)
    assert (finding is None) is fine
    if finding is not None:
        assert finding.reason is Reason.UNEXPECTED_STATUS
        assert finding.detail.startswith(f"answered {status}")


def test_versions_headers_and_their_case() -> None:
    headers = CIMultiDict({"content-type": "application/json; charset=utf-8"})
    matching = Expect(headers=(("Content-Type", (Rule("matches", "^application/json"),)),))
    assert judge_head(matching, 200, "1.1", headers, plain) is None
    missing = judge_head(Expect(headers=(("X-Other", (Rule("equals", "a"),)),)), 200, "1.1", headers, plain)
    assert missing is not None
    assert (missing.reason, "missing" in missing.detail) == (Reason.UNEXPECTED_HEADER, True)
    old = judge_head(Expect(http_version=("1.1",)), 200, "1.0", headers, plain)
    assert old is not None
    assert old.reason is Reason.UNEXPECTED_HTTP_VERSION
    assert judge_head(Expect(http_version=("1.0", "1.1")), 200, "1.1", headers, plain) is None


def test_a_header_that_comes_twice_is_judged_with_all_its_values() -> None:
    """RFC 9110, 5.3: several lines of one name are one list."""
    headers = CIMultiDict([("X-List", "good"), ("X-List", "bad")])
    expect = Expect(headers=(("X-List", (Rule("not_contains", "bad"),)),))
    assert judge_head(expect, 200, "1.1", headers, plain) is not None


@given(st.text(max_size=400))
def test_what_a_header_says_can_be_shown(value: str) -> None:
    finding = judge_head(
        Expect(headers=(("X", (Rule("equals", "\x00nothing"),)),)), 200, "1.1", CIMultiDict(X=value), plain
    )
    assert finding is not None
    assert len(finding.detail) <= DETAIL_LIMIT
    assert "\n" not in finding.detail


# one of several, lengths, optional headers


@given(st.lists(documents, min_size=1, max_size=5), documents)
def test_one_of_is_any_of_the_equalities(choices: list[Any], document: Any) -> None:
    assert of_json(choices[-1], "one_of", choices) is None
    equal = any(of_json(document, "equals", choice) is None for choice in choices)
    assert (of_json(document, "one_of", choices) is None) is equal


@pytest.mark.parametrize(
    ("value", "fits"), [(0, True), (3, True), (0.0, True), (1, False), ("3", False), (False, False)]
)
def test_one_of_takes_no_value_that_only_looks_alike(value: Any, fits: bool) -> None:
    assert (of_json(value, "one_of", [0, 3]) is None) is fits


def test_one_of_says_what_came_and_what_was_expected() -> None:
    finding = of_json({"level": 7}, "one_of", [0, 3, "on", Secret("hunter2")], "$.level")
    assert finding == Finding(Reason.UNEXPECTED_BODY, '$.level is 7, expected one of [0, 3, "on", "***"]')
    assert of_json({}, "one_of", [0], "$.level") == Finding(
        Reason.UNEXPECTED_BODY, "$.level is missing, expected one of [0]"
    )
    assert of_json("hunter2", "one_of", ["a", Secret("hunter2")]) is None


@given(st.one_of(st.text(max_size=9), st.lists(scalars, max_size=9), st.dictionaries(st.text(), scalars, max_size=9)))
def test_the_length_of_texts_arrays_and_objects_is_compared(value: Any) -> None:
    size = len(value)
    for operator, bound, fits in (
        ("equals", size, True),
        ("equals", size + 1, False),
        ("at_most", size, True),
        ("less_than", size, False),
        ("at_least", size, True),
        ("greater_than", size, False),
        ("less_than", size + 1, True),
    ):
        assert (of_json(value, "length", Rule(operator, bound)) is None) is fits, (operator, bound)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [5, 1.5, True, None])
def test_what_has_no_length_satisfies_no_bound(value: Any) -> None:
    finding = of_json(value, "length", Rule("at_least", 0))
    assert finding is not None
    assert finding.detail == f"$ is {json.dumps(value)}, expected a length of at least 0"


def test_a_length_is_told_with_its_unit() -> None:
    found = [of_json(value, "length", Rule("less_than", 2)) for value in ("äöü", [1, 2], {"a": 1, "b": 2})]
    assert [finding.detail for finding in found if finding] == [
        '$ is "äöü" (3 characters), expected a length of less than 2',
        "$ is [1, 2] (2 items), expected a length of less than 2",
        '$ is {"a": 1, "b": 2} (2 keys), expected a length of less than 2',
    ]


def test_the_length_of_a_body_is_counted_in_characters() -> None:
    text = "größe".encode()
    assert of_text(text, "length", Rule("equals", 5)) is None
    assert of_text("größe".encode("latin-1"), "length", Rule("equals", 5), "latin-1") is None
    assert of_text(b"", "length", Rule("equals", 0)) is None
    assert of_text(text, "length", Rule("at_most", 4)) == Finding(
        Reason.UNEXPECTED_BODY, "the body (7 bytes) has 5 characters, expected a length of at most 4"
    )


def of_header(rules: tuple[Rule, ...], **headers: str) -> Finding | None:
    return judge_head(Expect(headers=(("X-Mode", rules),)), 200, "1.1", CIMultiDict(headers), plain)


def test_an_optional_header_may_be_missing_and_may_not_be_wrong() -> None:
    wanted = (Rule("optional", True), Rule("one_of", ["live", "test"]))
    assert of_header(wanted) is None
    assert of_header(wanted, **{"x-mode": "live"}) is None
    assert of_header(wanted, **{"X-Mode": "draft"}) == Finding(
        Reason.UNEXPECTED_HEADER, 'header X-Mode is "draft", expected one of ["live", "test"]'
    )
    assert of_header(wanted[1:]) == Finding(
        Reason.UNEXPECTED_HEADER, 'header X-Mode is missing, expected one of ["live", "test"]'
    )


# sentences


@pytest.mark.parametrize(
    ("operator", "operand", "value", "of_value", "of_body", "wanted"),
    [
        ("equals", "b", "a", 'is "a"', 'is not "b"', 'expected "b"'),
        ("not_equals", "a", "a", 'is "a"', 'is "a"', 'expected anything but "a"'),
        ("less_than", 5, 5, "is 5", "is not less than 5", "expected less than 5"),
        ("at_most", 5, 6, "is 6", "is more than 5", "expected at most 5"),
        ("greater_than", 5, 5, "is 5", "is not more than 5", "expected more than 5"),
        ("at_least", 5, 4, "is 4", "is less than 5", "expected at least 5"),
        ("contains", "b", "a", 'is "a"', 'does not contain "b"', 'expected it to contain "b"'),
        ("not_contains", "a", "a", 'is "a"', 'contains "a"', 'expected it not to contain "a"'),
        ("matches", "b$", "a", 'is "a"', 'does not match "b$"', 'expected it to match "b$"'),
        ("not_matches", "a$", "a", 'is "a"', 'matches "a$"', 'expected it not to match "a$"'),
        ("one_of", ["x", 1], "a", 'is "a"', 'is none of ["x", 1]', 'expected one of ["x", 1]'),
    ],
)
def test_each_operator_says_what_was_found_and_what_was_expected(
    operator: Operator, operand: Any, value: Any, of_value: str, of_body: str, wanted: str
) -> None:
    def detail(finding: Finding | None) -> str | None:
        return finding and finding.detail

    assert detail(of_json(value, operator, operand)) == f"$ {of_value}, {wanted}"
    assert detail(of_text(str(value).encode(), operator, operand)) == f"the body (1 bytes) {of_body}"
    missing = None if operator.startswith("not_") else f"$.a is missing, {wanted}"
    assert detail(of_json({}, operator, operand, "$.a")) == missing


def test_a_value_that_must_not_be_there_is_quoted() -> None:
    assert of_json(["a", 2], "exists", False, "$[*]") == Finding(
        Reason.UNEXPECTED_BODY, '$[*] is there ("a"), expected it not to be'
    )
    assert of_json([], "exists", True, "$[0]") == Finding(Reason.UNEXPECTED_BODY, "$[0] is missing")


def test_several_values_are_told_by_the_first_and_their_number() -> None:
    for document, said in (([7], "is 7, expected 2"), ([7, 8], "is 7 and 1 more, expected 2")):
        finding = of_json(document, "equals", 2, "$[*]")
        assert finding is not None
        assert finding.detail == f"$[*] {said}"
    lengths = of_json(["a", "bc"], "length", Rule("equals", 1), "$[*]")
    assert lengths is not None
    assert lengths.detail == '$[*] is "a" (1 characters) and 1 more, expected a length of 1'


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("x" * 59, '"' + "x" * 58 + "…"),
        ("ä\n", '"ä\\n"'),
        ([1] * 8 + [2], "[1, 1, 1, 1, 1, 1, 1, 1]"),
        ([[[[[1]]]]], '[[[["…"]]]]'),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, '{"a": {"b": {"c": {"d": "…"}}}}'),
        ([[[["a", 1]]]], '[[[["a", 1]]]]'),
    ],
)
def test_a_value_is_quoted_up_to_sixty_characters_eight_items_and_four_levels(value: Any, quoted: str) -> None:
    finding = of_json(value, "equals", None)
    assert finding is not None
    assert finding.detail == f"$ is {quoted}, expected null"


def test_of_a_long_value_only_the_beginning_is_looked_at() -> None:
    looked_at: list[str] = []

    def foreign(text: str) -> str:
        looked_at.append(text)
        return text

    document = {"k" * 301: "v" * 301, **{str(n): n for n in range(20)}}
    judge_body(Expect(json=(("$", (Rule("equals", 1),)),)), json.dumps(document).encode(), None, foreign)
    assert looked_at[:2] == ["k" * 300, "v" * 300]
    assert looked_at[2:9] == [str(n) for n in range(7)]
    assert looked_at[9].startswith('{"kkk')


@pytest.mark.parametrize(
    ("operand", "quoted"),
    [
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("x" * 59, '"' + "x" * 58 + "…"),
        ("ä", '"ä"'),
        (Secret("hunter2"), "***"),
    ],
)
def test_an_expected_value_is_quoted_up_to_sixty_characters_unless_it_is_secret(operand: Any, quoted: str) -> None:
    finding = of_json(1, "equals", operand)
    assert finding is not None
    assert finding.detail == f"$ is 1, expected {quoted}"


def test_secrets_are_compared_at_any_depth_of_an_operand() -> None:
    operand = {"a": [Secret("hunter2"), ("b", Secret("hunter3"))]}
    assert of_json({"a": ["hunter2", ["b", "hunter3"]]}, "equals", operand) is None
    assert of_json({"a": ["hunter2", ["b", "***"]]}, "equals", operand) is not None


@pytest.mark.parametrize(
    ("expect", "status", "said"),
    [
        (Expect(status=((200, 200), (300, 399))), 404, "answered 404 Not Found, expected 200, 300-399"),
        (Expect(status=((200, 200),)), 599, "answered 599, expected 200"),
        (Expect(status=((200, 299),)), 199, "answered 199, expected 200-299"),
        (Expect(http_version=("1.0", "2")), 200, "answered in HTTP/1.1, expected 1.0 or 2"),
        (Expect(headers=(("A", (Rule("equals", "x"),)),)), 200, 'header A is "y, z", expected "x"'),
        (Expect(headers=(("A", (Rule("optional", True), Rule("equals", 1))),)), 200, 'header A is "y, z", expected 1'),
        (
            Expect(headers=(("B", (Rule("optional", True), Rule("equals", "x"))), ("C", (Rule("exists", True),)))),
            200,
            "header C is missing",
        ),
    ],
)  # fmt: skip
def test_the_first_fault_of_a_head_is_told(expect: Expect, status: int, said: str) -> None:
    finding = judge_head(expect, status, "1.1", CIMultiDict([("a", "y"), ("a", "z")]), plain)
    assert finding is not None
    assert finding.detail == said


def test_what_makes_no_json_and_no_path_is_said() -> None:
    def detail(body: bytes, path: str) -> str:
        finding = judge_body(Expect(json=((path, (Rule("exists", True),)),)), body, None, plain)
        assert finding is not None
        return finding.detail

    assert detail(b"[" * 200_000, "$") == "the JSON of the body (200000 bytes) is nested too deep"
    assert detail(b'{"a"', "$") == "the body (4 bytes) is not JSON"
    assert detail(b"[" * 500 + b"]" * 500, "$..a").startswith("a path of expect.json cannot be followed: ")


@pytest.mark.parametrize(("path", "simple"), [("$", True), ("$.a[0]['b']", True), ("$..a", False), ("$[*]", False)])
def test_a_path_of_names_and_indexes_is_simple(path: str, simple: bool) -> None:
    assert is_simple(path) is simple


def test_what_has_no_parts_contains_nothing() -> None:
    assert of_json("1", "contains", 1) is not None
    assert of_json(1, "contains", "1") is not None
    assert of_json({"1": 0}, "contains", 1) is not None
    assert of_json({"a": 1, "b": 2}, "equals", {"a": 1}) is not None
    assert of_json([1, 2], "equals", [1]) is not None
    assert of_json(["a", "b", 1], "contains", 1) is None
