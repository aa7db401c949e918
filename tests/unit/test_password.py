"""Hashes of passwords: what is printed is understood again, and what is unsafe or absurd is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.secrets.passwords import dummy, hashed, parse

SALT, DIGEST = "A" * 22, "B" * 43


@given(st.text(min_size=1), st.text(min_size=1))
@settings(max_examples=8, deadline=None)
def test_a_hash_matches_its_password_and_no_other(password: str, other: str) -> None:
    kept = parse(hashed(password))
    assert kept is not None
    assert kept.matches(password)
    same = unicodedata.normalize("NFC", password) == unicodedata.normalize("NFC", other)
    assert kept.matches(other) is same


def test_a_letter_may_be_composed_in_two_ways() -> None:
    kept = parse(hashed("K\u00e4se"))
    assert kept is not None
    assert kept.matches("Ka\u0308se")


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hashed("secret") != hashed("secret")


def test_no_password_is_the_one_of_nobody() -> None:
    assert not dummy().matches("")


def test_nobody_is_as_dear_as_the_dearest_of_the_others() -> None:
    cheap, dear = parse(hashed("secret")), parse(f"scrypt:65536:8:2:{SALT}:{DIGEST}")
    assert cheap is not None
    assert dear is not None
    assert dummy([cheap, dear]).cost == dear.cost
    assert dummy().cost == cheap.cost


def test_a_hash_shows_nothing_of_itself() -> None:
    text = hashed("secret")
    salt, digest = text.split(":")[-2:]
    assert salt not in repr(parse(text))
    assert digest not in repr(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "$2y$10$abcdefghijklmnopqrstuv",
        f"scrypt:1024:8:1:{SALT}:{DIGEST}",
        f"scrypt:16385:8:1:{SALT}:{DIGEST}",
        f"scrypt:131072:8:1:{SALT}:{DIGEST}",
        f"scrypt:16384:1:1:{SALT}:{DIGEST}",
        f"scrypt:16384:99:1:{SALT}:{DIGEST}",
        f"scrypt:16384:8:0:{SALT}:{DIGEST}",
        f"scrypt:16384:8:9:{SALT}:{DIGEST}",
        f"scrypt:16384:8:1:{SALT[1:]}:{DIGEST}",
        f"scrypt:16384:8:1:{'A' * 25}:{DIGEST}",
        f"scrypt:16384:8:1:{SALT}:{DIGEST}\n",
        f"scrypt:16384:8:1:{SALT}:{DIGEST}=",
    ],
)
def test_what_is_no_hash_or_too_cheap_or_too_dear_is_refused(text: str) -> None:
    assert parse(text) is None


def test_the_dearest_hash_that_is_taken_can_be_tried() -> None:
    kept = parse(f"scrypt:65536:8:4:{SALT}:{DIGEST}")
    assert kept is not None
    assert not kept.matches("secret")
