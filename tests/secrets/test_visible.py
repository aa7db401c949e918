"""What shows as nothing, or moves what is shown, is spelled out; everything else stays as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.secrets.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – «text», 漢字, é", "plain – «text», 漢字, é"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\u200db\u2060\ufeff", "a\\u200bb\\u200db\\u2060\\ufeff"),
        ("\x00\x1b[31m\x7f\x85\x9b", "\\x00\\x1b[31m\\x7f\\x85\\x9b"),
        ("one\ntwo\u2028three", "one\\ntwo\\u2028three"),
        ("\ud800", "\\ud800"),
        ("\U000e0041\U000e0100\u3164\u115f", "\\U000e0041\\U000e0100\\u3164\\u115f"),
        ("10\u00a0000\u3000円", "10\u00a0000\u3000円"),
    ],
)
def test_what_hides_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_to_be_kept_is_kept() -> None:
    assert visible("a\n\tb\u202e", "\n\t") == "a\n\tb\\u202e"


@given(st.text())
def test_nothing_is_left_that_hides(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    assert visible(shown) == shown
    shown.encode()
