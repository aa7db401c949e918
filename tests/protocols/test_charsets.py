"""What a body reads as: the charset that a browser would take, never a codec that the target chose."""

from __future__ import annotations

import encodings.aliases
import pkgutil
import time

import pytest

from monitor.model.outcome import Reason
from monitor.model.request import Expect
from monitor.protocols.http.charsets import codec_of, decoded, decoded_json, label_in
from tests.protocols.harness import LagMeter, Run, expecting_body, rules
from tests.servers.http import HttpServer, answer

READS = [
    ("text/html; charset=utf8mb4", "Größe".encode(), "Größe", True),
    ("text/html; charset=none", "Größe".encode(), "Größe", True),
    ("text/html; charset=binary", b"Gr\xf6\xdfe", "Größe", True),
    ("text/html; charset=none", "Größe é ".encode() + b"\xe9", "Größe é \ufffd", True),
    ("text/html; charset=x-sjis", "①日本".encode("cp932"), "①日本", False),
    ("text/html; charset=windows-31j", "㈱日本".encode("cp932"), "㈱日本", False),
    ("text/html; charset=EUC-JP", b"\xad\xa1\xc6\xfc", "①日", False),
    ("text/html; charset=gb2312", "鎔朱镕基".encode("gbk"), "鎔朱镕基", False),
    ("text/html; charset=gbk", "€ ㈠𠀀".encode("gb18030"), "€ ㈠𠀀", False),
    ("text/html; charset=big5", "中文".encode("big5"), "中文", False),
    ("text/html; charset=euc-kr", "똠방각하".encode("cp949"), "똠방각하", False),
    ("text/html; charset=ks_c_5601-1987", "한국".encode("cp949"), "한국", False),
    ("text/html; charset=tis-620", "“ไทย”".encode("cp874"), "“ไทย”", False),
    ("text/html; charset=iso-8859-1", "“€5”".encode("cp1252"), "“€5”", False),
    ("text/html; charset=us-ascii", b"caf\xe9", "café", False),
    ("text/html; charset=ISO-8859-9", "İstanbul".encode("cp1254"), "İstanbul", False),
    ("text/html; charset=koi8-r", "привет".encode("koi8-r"), "привет", False),
    ("text/html; charset=windows-1252", b"\x81 ok", "\x81 ok", False),
    ("text/html; charset=x-user-defined", b"ok", "ok", False),
    ("text/html; charset=iso-2022-kr", b"ok", "ok", True),
    ("text/html; charset=utf-8", b"ok \xff\xc3\xa9", "ok \ufffdé", True),
    ("text/html; charset=utf-8", "a \ufffd of theirs".encode(), "a \ufffd of theirs", False),
    ("text/html; charset=utf-16", "hé".encode("utf-16-le"), "hé", False),
    ("text/html; charset=utf-16", "hé".encode("utf-16"), "hé", False),
    ("text/html; charset=iso-8859-1", "\ufeffhé".encode(), "hé", False),
    ("text/html; charset=utf-8", "\ufeffhé".encode("utf-16-be"), "hé", False),
    ("text/html", b"<META CHARSET = 'windows-1251'>\xef", "<META CHARSET = 'windows-1251'>п", False),
    ("text/html", b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">\xd4', None, False),
    ("text/html", b"<!-- <meta charset=koi8-r> --><meta charset=windows-1251>\xef", None, False),
    ("text/html", b"<meta charset=utf-16>h\xc3\xa9", "<meta charset=utf-16>hé", False),
    ("text/html; charset=utf-8", b"<meta charset=koi8-r>h\xc3\xa9", "<meta charset=koi8-r>hé", False),
    ("application/xml", b"<?xml version='1.0' encoding='iso-8859-2'?>\xb1", None, False),
    ("text/plain", b"<meta charset=koi8-r>h\xc3\xa9", "<meta charset=koi8-r>hé", False),
    ("text/plain", b"caf\xe9", "café", True),
    (None, "café".encode(), "café", False),
    ('text/html;charset = "UTF-8" ; x=y', "é".encode(), "é", False),
    ("text/html; charset='windows-1251'", b"\xef", "п", False),
    ("text/html charset=windows-1251", b"\xef", "п", False),
    ("text/html; charset=", "é".encode(), "é", False),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "body", "text", "noted"), READS)
def test_a_body_reads_as_in_a_browser(content_type: str | None, body: bytes, text: str | None, noted: bool) -> None:
    found = decoded(body, content_type, str)
    if text is not None:
        assert found.text == text
    else:
        assert found.text[-1] in "тпą"
    assert bool(found.note) is noted, found.note


@pytest.mark.parametrize(
    ("content_type", "body", "reason", "noted"),
    [
        ("text/html; charset=utf8mb4", "alles Größe".encode(), Reason.OK, True),
        ("text/html; charset=none", b"alles Gr\xf6\xdfe", Reason.OK, True),
        ("text/html; charset=undefined", "alles Größe".encode(), Reason.OK, True),
        ("text/html; charset=idna", "alles Größe".encode(), Reason.OK, True),
        ("text/html; charset=punycode", "alles Größe".encode(), Reason.OK, True),
        ("text/html; charset=utf-8", "alles Größe".encode() + b"\xff", Reason.OK, True),
        ("text/html", b"<meta charset=latin1>alles Gr\xf6\xdfe", Reason.OK, False),
        ("text/html; charset=utf-8", b"alles Gr\xf6\xdfe", Reason.UNEXPECTED_BODY, True),
    ],
)
async def test_a_keyword_that_is_there_is_found(
    run: Run, content_type: str, body: bytes, reason: Reason, noted: bool
) -> None:
    async with HttpServer(lambda _: answer(200, body, [("Content-Type", content_type)])) as server:
        result = await run(server.url(), expect=expecting_body(contains="Größe"))
    assert result.reason is reason, result.detail
    assert bool(result.notes) is noted, result.notes


CODECS = sorted(
    {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    | set(encodings.aliases.aliases)
    | {codec.replace("_", "-") for codec in encodings.aliases.aliases.values()}
    | {"undefined", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "mbcs", "oem", "unicode-internal"}
)
BODIES = [b"a" * 900_000, b"\xff" * 900_000, bytes(range(256)) * 3516, b"\x1b$B" * 300_000, b"a-" * 450_000]


def test_no_codec_of_python_is_in_the_hands_of_a_target() -> None:
    """Any of its names may be sent; each means a real charset or nothing, and takes a moment of work."""
    chosen = {codec_of(name) for name in CODECS}
    assert None in chosen
    for name in CODECS:
        began = time.thread_time()
        found = decoded(BODIES[2], f"text/plain; charset={name}", str)
        assert time.thread_time() - began < 0.3, name
        assert found.text
    for codec in chosen - {None}:
        for body in BODIES:
            began = time.thread_time()
            decoded(body, f"text/plain; charset={codec}", str)
            assert time.thread_time() - began < 0.3, codec


@pytest.mark.parametrize("name", ["punycode", "idna", "undefined", "zlib_codec", "gb18030", "windows-1257", "utf-7"])
async def test_a_long_body_in_any_charset_holds_nobody_up(run: Run, name: str) -> None:
    reply = answer(200, b"a-" * 450_000, [("Content-Type", f"text/plain; charset={name}")])
    async with HttpServer(lambda _: reply) as server, LagMeter() as lag:
        result = await run(server.url(), expect=expecting_body(contains="a-a"))
    assert result.reason is Reason.OK, result.detail
    assert lag.held < 0.5


@pytest.mark.parametrize(
    ("content_type", "body", "noted"),
    [
        (None, '{"a": "é"}'.encode(), False),
        ("application/json; charset=iso-8859-1", '{"a": "é"}'.encode(), False),
        ("application/json; charset=iso-8859-1", '{"a": "é"}'.encode("latin-1"), False),
        ("application/json; charset=shift_jis", '{"a": "é"}'.encode(), False),
        (None, '\ufeff{"a": "é"}'.encode(), False),
        (None, '{"a": "é"}'.encode("utf-16"), False),
        (None, '{"a": "é"}'.encode("utf-16-le"), False),
        ("application/json; charset=utf-8", '{"a": "é"}'.encode("utf-32-be"), False),
        (None, '{"a": "é"}'.encode("utf-32"), False),
        (None, b'{"a": "\xc3\xa9", "b": "\xff"}', True),
    ],
)
async def test_json_is_read_as_clients_do(run: Run, content_type: str | None, body: bytes, noted: bool) -> None:
    headers = [("Content-Type", content_type)] if content_type else []
    async with HttpServer(lambda _: answer(200, body, headers)) as server:
        result = await run(server.url(), expect=Expect(json=(("$.a", rules(equals="é")),)))
    assert result.reason is Reason.OK, result.detail
    assert bool(result.notes) is noted
    assert decoded_json(body, content_type).text.startswith("{")


@pytest.mark.parametrize(
    "filler", ["&amp;", ";", "; ", '="', "charset=", "charset ", ";charset =", "\\", "text/", "+json"]
)
def test_a_content_type_of_any_length_takes_no_time(filler: str) -> None:
    content_type = "text/plain" + filler * (60_000 // len(filler))
    began = time.thread_time()
    label_in(content_type)
    decoded(b"<?xml <meta " * 5000, content_type, str)
    assert time.thread_time() - began < 0.1
