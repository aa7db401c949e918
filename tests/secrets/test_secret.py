"""No spelling of a secret survives redaction, wherever a text was cut; and little else is struck."""

from __future__ import annotations

import base64
import html
import json
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.secrets.redaction import DETAIL_LIMIT, Redactor
from monitor.secrets.secret import MASK, Secret, hide_in_urls, reveal, secrets_of_url, shown, shown_url

PRINTABLE = string.ascii_letters + string.digits + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ äß€é漢"
secrets = st.text(PRINTABLE, min_size=6, max_size=30).filter(lambda s: s.strip() == s and len(set(s)) > 3)
around = st.text(string.ascii_lowercase + " .,:;\n", max_size=30)

SPELLINGS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "percent": lambda s: quote(s, safe=""),
    "percent in lower case": lambda s: "".join(f"%{b:02x}" for b in s.encode()),
    "percent of every byte": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "path": quote,
    "form": quote_plus,
    "json": lambda s: json.dumps(s)[1:-1],
    "json as it is": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "json with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "json of every character": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "python": lambda s: repr(s)[1:-1],
    "html": html.escape,
    "html in decimal": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "html in hexadecimal": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "hex": lambda s: s.encode().hex(),
    "hex in upper case": lambda s: s.encode().hex().upper(),
    "read as Latin-1": lambda s: s.encode().decode("latin-1"),
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "percent three times": lambda s: quote(quote(quote(s, safe=""), safe=""), safe=""),
    "json in json": lambda s: json.dumps(json.dumps(s))[1:-1],
    "percent in json": lambda s: json.dumps(quote(s))[1:-1],
    "html in json": lambda s: json.dumps(html.escape(s))[1:-1],
}


def assert_hidden(secret: str, text: str) -> None:
    """Neither the secret nor most of it can be read, as it is or once unescaped."""
    assert secret not in text
    for spell in SPELLINGS.values():
        spelling = spell(secret)
        if len(spelling) >= 6:
            assert spelling not in text, (spelling, text)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=secrets, before=around, after=around)
def test_no_spelling_survives_in_foreign_text(spelling: str, secret: str, before: str, after: str) -> None:
    text = f"{before} {SPELLINGS[spelling](secret)} {after}"
    assume(MASK not in secret)
    assert_hidden(secret, Redactor({secret}).foreign(text))


@given(secrets, around, around)
def test_a_secret_is_struck_from_our_own_sentences(secret: str, before: str, after: str) -> None:
    assert_hidden(secret, Redactor({secret}).ours(f"{before} {secret} {after}"))


@pytest.mark.parametrize("spelling", ["itself", "percent", "json", "base64", "html"])
@given(secret=secrets, data=st.data())
def test_a_cut_leaves_no_beginning_of_a_secret(spelling: str, secret: str, data: st.DataObject) -> None:
    """A server, a library or we ourselves may have cut the text in the middle of the secret."""
    spelt = SPELLINGS[spelling](secret)
    kept = data.draw(st.integers(4, max(4, len(spelt) - 1)))
    whole = [n for n in range(len(secret)) if spelt[:kept].startswith(SPELLINGS[spelling](secret[:n]))]
    assume(spelling == "base64" or whole[-1] >= 4)  # less than four characters of it say nothing
    text = "the answer was " + spelt[:kept]
    found = Redactor({secret}).foreign(text)
    assert spelt[:kept] not in found, found


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(secret=secrets, before=st.binary(max_size=4), after=st.binary(max_size=4))
@example(secret="~~~???>>>", before=b"u:", after=b"x")
@example(secret="~~~???>>>", before=b":", after=b"xy")
@example(secret="~~~???>>>", before=b"", after=b"x")
def test_base64_of_a_secret_and_its_neighbours_shows_the_neighbours_only(
    encode: Callable[[bytes], bytes], secret: str, before: bytes, after: bytes
) -> None:
    """As in the header of basic authentication."""
    echo = encode(before + secret.encode() + after).decode().rstrip("=")
    start, mask, end = Redactor({secret}).foreign(f"echo: {echo}").partition(MASK)
    assert mask
    first, last = 8 * len(before), 8 * len(before + secret.encode())  # bits; a character holds six
    assert len(start) <= len("echo: ") + -(-first // 6)
    assert len(end) <= len(echo) - last // 6


HORSE = "correct-horse"


@pytest.mark.parametrize(
    ("secret", "text", "seen"),
    [
        (HORSE, "a correct-horse b", "a *** b"),
        (HORSE, "correct-horseCORRECT-HORSE", "******"),
        (HORSE, "a %63orrect-hors%65 b", "a *** b"),
        (HORSE, "a %41 b %42 c correct-horse d", "a %41 b %42 c *** d"),
        (HORSE, "<&#99;orrect-horse&#33;", "<***&#33;"),
        (HORSE, "%252dcorrect%252dhorse%252d", "%252d***%252d"),
        (HORSE, r"\x41\x63orrect-horse\x41 \u0042", r"\x41***\x41 \u0042"),
        (HORSE, "İİ correct-HORSE z", "İİ *** z"),
        ("οδυσσευς", "x ΟΔΥΣΣΕΥΣ y", "x *** y"),
        ("ΟΔΥΣΣΕΥΣ", "x οδυσσευς y", "x *** y"),
        ("abcd", "xabcdx", "x***x"),
        ("abc", "xabcx abc abcx", "xabcx *** abcx"),
        ("abc", "x abc%41 y", "x ***%41 y"),
        # cut within it: from three characters on, and from four of its base64 or hex
        (HORSE, "a co", "a co"),
        (HORSE, "a cor", "a ***"),
        (HORSE, "cor", "***"),
        (HORSE, "a Y29", "a Y29"),
        (HORSE, "a Y29y", "a ***"),
        (HORSE, "a 636", "a 636"),
        (HORSE, "a 636f", "a ***"),
        (HORSE, "a corr%", "a ***"),
        (HORSE, "a corr%6", "a ***"),
        (HORSE, "a corr&#x6", "a ***"),
        (HORSE, "a c%6frr\\u00", "a ***"),
        ("漢字かな交じり", "a " + quote("漢字")[:-1], "a ***"),
        (HORSE, "a co%6", "a ***"),
        (HORSE, "a &#x6", "a ***"),
        (HORSE, "a %6", "a %6"),
        ("x&quote", "a x&quo", "a ***"),
        (HORSE, "a correct-house b", "a correct-house b"),
        (HORSE, "a corn", "a corn"),
        # its own escapes undone, and its base64 with and without padding
        ("100%25 sure", "a 100% sure b", "a *** b"),
        (HORSE, "a Y29ycmVjdC1ob3JzZQ== b", "a ***== b"),
        (HORSE, "a Y29ycmVjdC1ob3JzZQ b", "a *** b"),
        ("abcd", "a YWJjZA b", "a *** b"),
        ("abc", "a YWJj b", "a YWJj b"),
    ],
)
def test_exactly_the_secret_is_struck(secret: str, text: str, seen: str) -> None:
    assert Redactor({secret}).foreign(text) == seen


def test_the_beginning_of_each_of_many_secrets_is_struck() -> None:
    several = [f"{first}{second}x-secret" for first in "abcd" for second in "efgh"]
    redactor = Redactor(several)
    for secret in several:
        assert redactor.foreign(f"cut {secret[:3]}") == f"cut {MASK}"


def test_of_foreign_text_no_more_is_kept_than_the_limit() -> None:
    foreign = Redactor({"s" * 1000}).prepare().foreign
    assert foreign("x" * 8192) == "x" * 8192
    assert foreign("x" * 8193) == "x" * 8191 + "…"
    assert foreign("12345", limit=5) == "12345"
    assert foreign("123456", limit=5) == "1234…"
    text = "a " + "s" * 1000 + " https://user:" + "p" * 100 + "@host/"
    assert foreign(text, limit=40) == "a *** https://***…", "a password whose @ was cut off is struck too"
    assert foreign("12345" + "s" * 1000, limit=10) == "12345***…", "a cut halves no secret"


def test_of_secrets_within_each_other_the_longest_is_struck() -> None:
    nested = Redactor({HORSE, "ect-h"}).foreign("a correct-horse b correct-horse c")
    assert nested == f"a {MASK} b {MASK} c"
    assert Redactor({"corre", "correct"}).foreign("a correct b") == f"a {MASK} b"
    assert Redactor({"correct", "correct-"}).ours("a correct- b") == f"a {MASK} b"


def test_our_own_sentence_is_cut_behind_a_word_and_made_visible() -> None:
    ours = Redactor({HORSE}).ours
    assert ours("x" * 200) == "x" * 200
    assert ours("x" * 201) == "x" * 199 + "…"
    assert ours("x" * 198 + " yyyy") == "x" * 198 + "…"
    assert ours("a\u202eb correct-horse") == "a\\u202eb ***"
    assert ours("x" * 201 + "\u202e\ud800", limit=None) == "x" * 201 + "\u202e\\ud800"


@given(st.sets(secrets, min_size=1, max_size=4), st.text(max_size=300))
def test_a_detail_is_never_longer_than_its_limit(found: set[str], text: str) -> None:
    redactor = Redactor(found)
    assert len(redactor.ours(redactor.foreign(text))) <= DETAIL_LIMIT
    assert redactor.ours(text, limit=None) is not None


@given(secrets, st.integers(0, 60))
def test_our_own_cut_halves_no_secret(secret: str, shift: int) -> None:
    text = "x" * (DETAIL_LIMIT - shift) + " " + secret
    found = Redactor({secret}).ours(text)
    assert len(found) <= DETAIL_LIMIT
    for length in range(4, len(secret) + 1):
        assert secret[:length] not in found


@given(st.sets(secrets, max_size=4), st.text(max_size=100))
def test_redaction_is_done_once_and_for_all(found: set[str], text: str) -> None:
    redactor = Redactor(found)
    once = redactor.foreign(text)
    assert redactor.foreign(once).replace(MASK, "") in (
        once.replace(MASK, ""),
        redactor.foreign(once).replace(MASK, ""),
    )
    for secret in found:
        assert secret not in redactor.foreign(once)


@given(st.text(max_size=200))
def test_without_secrets_only_urls_are_touched(text: str) -> None:
    assert Redactor(()).foreign(text) == hide_in_urls(text)
    assert Redactor({""}).foreign(text) == hide_in_urls(text)


@given(st.text(string.ascii_letters + " .", max_size=60))
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assume("correct" not in text)
    assume(not any(text.endswith("correct-horse"[:n]) for n in range(3, 13)))
    assert Redactor({"correct-horse"}).foreign(text) == text


# short secrets


@pytest.mark.parametrize("secret", ["a", "ab", "abc"])
def test_a_short_secret_is_struck_where_it_stands_alone_and_does_not_erase_every_text(secret: str) -> None:
    redactor = Redactor({secret})
    assert redactor.foreign(f"password {secret}, wrong") == f"password {MASK}, wrong"
    sentence = "a cabbage, an abacus, an abc-book".replace(f" {secret},", " ")
    assert "cabbage" in redactor.foreign(sentence)
    assert redactor.ours("connected in 12 ms to a host") == "connected in 12 ms to a host"


def test_our_own_words_are_not_struck_for_a_short_secret() -> None:
    assert Redactor({"reset"}).ours("the connection was reset") == "the connection was reset"
    assert Redactor({"200"}).ours("answered 200 in 84 ms") == "answered 200 in 84 ms"
    assert Redactor({"reset", "resets"}).ours("resets of what was reset") == f"{MASK} of what was reset"


@pytest.mark.parametrize(
    "secret", ["p@ss w/rd", "pässwörd!", "a&b=c<d>", 'say "hi"', "back\\slash", "100%25 sure", "漢字かな交じり"]
)
def test_awkward_secrets(secret: str) -> None:
    redactor = Redactor({secret})
    for name, spell in SPELLINGS.items():
        text = f"echo: {spell(secret)} :ohce"
        assert_hidden(secret, redactor.foreign(text))
        assert "echo" in redactor.foreign(text), name


def test_overlapping_secrets_are_both_struck() -> None:
    redactor = Redactor({"secret-one", "one-secret-two", "two-secret"})
    found = redactor.foreign("x secret-one-secret-two-secret y")
    assert found == f"x {MASK} y"
    assert Redactor({"secret", "secrets-all", "all-of-it"}).foreign("x secrets-all-of-it y") == f"x {MASK} y"


# URLs


@pytest.mark.parametrize(
    ("url", "shown_as"),
    [
        ("https://h/p", "https://h/p"),
        ("https://user:pass@h:8/p?q=secret&r=other#f", "https://***@h:8/p?q=***&r=***#f"),
        ("https://h/?bare", "https://h/?***"),
        ("https://h/?a=1;b=2", "https://h/?a=***;b=***"),
        ("https://user:p@ss@h/", "https://***@h/"),
        ("https://h/?q=a%20b", "https://h/?q=***"),
        ("https://h/?", "https://h/?"),
    ],
)
def test_urls_are_shown_without_userinfo_and_query_values(url: str, shown_as: str) -> None:
    assert shown_url(url) == shown_as
    assert shown_url(Secret(url)) == MASK


parts = st.text(string.ascii_letters + string.digits + "-._~%20+", min_size=4, max_size=12)


@given(parts, parts, st.dictionaries(parts, parts, max_size=3), around)
@example("user", "pass", {}, "")
def test_no_userinfo_and_no_query_value_survives(user: str, password: str, query: dict[str, str], before: str) -> None:
    assume("%" not in user + password)
    fields = "&".join(f"{k}={v}" for k, v in query.items())
    url = f"https://{user}-u:{password}-p@host.example/path" + (f"?{fields}" if fields else "")
    shown_as = hide_in_urls(f"{before} {url} and more")
    assert f"{user}-u" not in shown_as
    assert f"{password}-p" not in shown_as
    assert "host.example/path" in shown_as
    for key, value in query.items():
        assert f"{key}={value}" not in shown_as
    assert {f"{user}-u", f"{password}-p", *query.values()} - {""} <= secrets_of_url(url)


def test_all_of_a_secret_url_is_a_secret() -> None:
    found = secrets_of_url(Secret("https://hooks.example.com/T00/B00/XyZ?k=v"))
    assert {"T00/B00/XyZ", "hooks.example.com", "k=v", "v"} <= found
    assert "https://hooks.example.com/T00/B00/XyZ?k=v" in found


@pytest.mark.parametrize("url", ["http://[::1", "http://h:port/", "", "///", "http://\ud800/"])
def test_what_is_no_url_is_no_bug(url: str) -> None:
    shown_url(url)
    secrets_of_url(url)
    assert secrets_of_url(Secret(url)) >= ({url} if url else set())


# holding


def test_a_secret_shows_itself_as_stars_everywhere() -> None:
    secret = Secret("hunter2")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r}", str([secret])):
        assert "hunter2" not in text
    assert shown(secret) == MASK
    assert (reveal(secret), reveal("plain")) == ("hunter2", "plain")
    assert secret == Secret("hunter2")
    assert secret != Secret("hunter3")
    assert secret != "hunter2"
    assert len({secret, Secret("hunter2")}) == 1
    with pytest.raises(TypeError):
        json.dumps({"password": secret})


# cost


def test_redaction_is_quick_enough_for_every_line_of_the_log() -> None:
    redactor = Redactor({f"a-secret-of-check-{n}/with+odd chars" for n in range(2000)})
    redactor.ours("warm")
    redactor.foreign("warm")
    line = "state changed: answered 503 Service Unavailable in 84 ms, expected 200-399"
    began = time.process_time()
    for _ in range(20):
        redactor.ours(line, limit=None)
    assert (time.process_time() - began) / 20 < 0.01
    began = time.process_time()
    for _ in range(5):
        redactor.foreign(line)
    assert (time.process_time() - began) / 5 < 0.05
