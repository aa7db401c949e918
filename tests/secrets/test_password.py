"""Hashes of passwords: ours and those of other programs are understood, and what is unsafe or absurd is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.secrets.passwords import dummy, hashed, parse

HTPASSWD = shutil.which("htpasswd")

SALT, DIGEST = "A" * 22, "B" * 43
BCRYPT_SALT, BCRYPT_DIGEST = "A" * 21 + ".", "B" * 31


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


@pytest.mark.parametrize(
    "text",
    [
        "scrypt:16384:8:1:jACyu_2hwLmygxLy4aFJnA:SNDO-e-oBLDAccxgXDheQWdLoeb6WEmuP8iN9QCrY7o",
        "$scrypt$ln=14,r=8,p=1$jACyu/2hwLmygxLy4aFJnA$SNDO+e+oBLDAccxgXDheQWdLoeb6WEmuP8iN9QCrY7o",
        "$2y$05$4N.eQgtuNg.JS1X20f/uEOLmlDw5dMhOLw80m9DX3dHaR1s.5wR4i",
        "$2a$05$4N.eQgtuNg.JS1X20f/uEOLmlDw5dMhOLw80m9DX3dHaR1s.5wR4i",
    ],
    ids=["former", "PHC", "htpasswd", "Go"],
)
def test_every_form_of_a_hash_is_verified(text: str) -> None:
    kept = parse(text)
    assert kept is not None
    assert [kept.matches(word) for word in ("correct horse battery", "K\u00e4se 1", "K\u00e4se")].count(True) == 1


@pytest.mark.skipif(HTPASSWD is None and os.environ.get("CI") != "true", reason="needs htpasswd on the PATH")
@pytest.mark.parametrize("password", ["K\u00e4se 1", "x" * 80])
def test_what_htpasswd_writes_is_verified(password: str) -> None:
    done = subprocess.run([str(HTPASSWD), "-nbB", "anna", password], capture_output=True, text=True, check=True)
    kept = parse(done.stdout.strip().removeprefix("anna:"))
    assert kept is not None
    assert kept.matches(password)
    assert not kept.matches(password[1:] if len(password) < 72 else password[9:])


@pytest.mark.parametrize("password", ["", "\0", "a\0b", "\udcff", "x" * 10_000])
def test_any_password_can_be_tried(password: str) -> None:
    for kept in (parse(hashed("secret")), parse(f"$2y$05${BCRYPT_SALT}{BCRYPT_DIGEST}")):
        assert kept is not None
        assert not kept.matches(password)


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hashed("secret") != hashed("secret")


def test_no_password_is_the_one_of_nobody() -> None:
    assert not dummy().matches("")


@pytest.mark.parametrize(
    "slow", [f"$scrypt$ln=16,r=8,p=2${SALT}${DIGEST}", f"$2y$12${BCRYPT_SALT}{BCRYPT_DIGEST}"], ids=["scrypt", "bcrypt"]
)
def test_nobody_is_as_slow_as_the_slowest_of_the_others(slow: str) -> None:
    others = [parse(hashed("secret")), parse(slow), parse(f"$2b$05${BCRYPT_SALT}{BCRYPT_DIGEST}")]
    nobody = dummy(other for other in others if other is not None)
    slowest = others[1]
    assert slowest is not None
    assert type(nobody) is type(slowest)
    assert nobody.effort == slowest.effort
    assert nobody != slowest
    assert not nobody.matches("")


def test_the_efforts_of_both_kinds_compare() -> None:
    def seconds(text: str) -> float:
        kept = parse(text)
        assert kept is not None
        kept.matches("")
        began = time.thread_time()
        kept.matches("secret")
        return (time.thread_time() - began) / kept.effort

    scrypt = seconds(f"$scrypt$ln=14,r=8,p=1${SALT}${DIGEST}")
    bcrypt = seconds(f"$2y$10${BCRYPT_SALT}{BCRYPT_DIGEST}")
    assert 1 / 4 < scrypt / bcrypt < 4


def test_a_hash_shows_nothing_of_itself() -> None:
    for text in (hashed("secret"), f"$2y$05${BCRYPT_SALT}{BCRYPT_DIGEST}"):
        *_, salt, digest = text.split("$")
        assert salt not in repr(parse(text))
        assert digest not in repr(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "$2y$10$abcdefghijklmnopqrstuv",
        f"$2y$04${BCRYPT_SALT}{BCRYPT_DIGEST}",
        f"$2y$15${BCRYPT_SALT}{BCRYPT_DIGEST}",
        f"$2y$31${BCRYPT_SALT}{BCRYPT_DIGEST}",
        f"$2x$10${BCRYPT_SALT}{BCRYPT_DIGEST}",
        f"$2y$10${'A' * 22}{BCRYPT_DIGEST}",
        f"$2y$10${BCRYPT_SALT}{BCRYPT_DIGEST}\n",
        "$apr1$4N.eQgtu$NgJS1X20fuEOLmlDw5dMh0",
        f"$scrypt$ln=10,r=8,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=17,r=8,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=63,r=8,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=14,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=14,r=8,p=0${SALT}${DIGEST}",
        f"$scrypt$ln=14,r=8,p=9${SALT}${DIGEST}",
        f"$scrypt$ln=14,r=8,p=1${SALT[1:]}${DIGEST}",
        f"$scrypt$ln=14,r=8,p=1${'A' * 25}${DIGEST}",
        f"$scrypt$ln=14,r=8,p=1${SALT}${DIGEST}\n",
        f"$scrypt$ln=14,r=8,p=1${SALT}${DIGEST}=",
        f"scrypt:1024:8:1:{SALT}:{DIGEST}",
        f"scrypt:16385:8:1:{SALT}:{DIGEST}",
        f"scrypt:131072:8:1:{SALT}:{DIGEST}",
        f"scrypt:16384:1:1:{SALT}:{DIGEST}",
        f"scrypt:16384:8:9:{SALT}:{DIGEST}",
    ],
)
def test_what_is_no_hash_or_too_cheap_or_too_slow_is_refused(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", [f"$scrypt$ln=16,r=8,p=4${SALT}${DIGEST}", f"$2b$14${BCRYPT_SALT}{BCRYPT_DIGEST}"])
def test_the_slowest_hash_that_is_taken_can_be_tried(text: str) -> None:
    kept = parse(text)
    assert kept is not None
    assert not kept.matches("secret")
