"""Character encodings as browsers know them: a closed table of labels, and what a body reads as.

The labels are those of the WHATWG Encoding Standard, and the codecs are supersets as there: what says gb2312 is read
as GB 18030, and latin-1 as windows-1252. A target never names a codec of Python's.
"""

from __future__ import annotations

import codecs
import functools
import json
import re
from collections.abc import Callable
from typing import NamedTuple

_CODECS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
    "iso_8859-7:1987 sun_eu_greek",
    "iso8859-8": "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i iso-ir-138 "
    "iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual",
    "iso8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "mac-roman": "csmacintosh mac macintosh x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
    "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 x-user-defined",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
    "windows-1254 x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb18030 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jis_2004": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso2022_jp_ext": "csiso2022jp iso-2022-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "windows-949",
    "utf-16-be": "unicodefffe utf-16be",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
}
_SINGLE_BYTE = frozenset(c for c in _CODECS if c.startswith(("cp8", "cp12", "iso8859", "koi8", "mac")))
_BY_LABEL = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
_BLANK = " \t\n\r\f"

_NAMED = re.compile(r"(?:^|[;,\s])charset\s*=\s*[\"']?([^\"';,\s]*)", re.IGNORECASE)
_HTML = re.compile(r"\s*(?:text/html|application/xhtml|(?:text|application)/(?:[\w.-]+\+)?xml)", re.IGNORECASE)
_LONGEST_TYPE = 1024
"""Characters of a Content-Type that are searched; the rest is ignored."""
_SHOWN = 60
_PRESCAN = 1024
"""Bytes in which the HTML standard looks for a `<meta charset>`."""
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]*?\bcharset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML = re.compile(rb"^<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]+)")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_PIECE = 64 * 1024
"""Bytes decoded at a time, so that another thread gets its turn."""


class DecodedText(NamedTuple):
    """A body as it reads, and what was odd about its encoding; empty if nothing was."""

    text: str
    note: str


def codec_of(label: str) -> str | None:
    """The codec for a label of the Encoding Standard; None for any other."""
    return _BY_LABEL.get(label.strip(_BLANK).lower())


def label_in(content_type: str | None) -> str | None:
    """The charset that a Content-Type names, as it is written; None if it names none."""
    found = _NAMED.search(content_type[:_LONGEST_TYPE]) if content_type else None
    return found[1] if found and found[1] else None


def decoded(body: bytes, content_type: str | None, foreign: Callable[[str], str]) -> DecodedText:
    """Decodes a body as browsers do: by its BOM, its Content-Type or its `<meta>` tag, otherwise as UTF-8 if possible.

    `foreign` removes secrets from the Content-Type before a message quotes it.
    """
    for mark, marked in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], marked)
    label = label_in(content_type)
    codec = codec_of(label) if label else None
    if codec is None and (content_type is None or _HTML.match(content_type[:_LONGEST_TYPE])):
        codec = _declared(body[:_PRESCAN])
    if codec is not None:
        return _read(body, codec)
    text, note = _guessed(body)
    if content_type is None or label is None:
        return DecodedText(text, note)
    quoted = foreign(content_type[:_LONGEST_TYPE])[:_SHOWN]
    return DecodedText(text, f"no known charset in the Content-Type {quoted}; {note or 'read as UTF-8'}")


def decoded_json(body: bytes, content_type: str | None) -> DecodedText:
    """The text of a JSON document: UTF-8 (RFC 8259), or what a BOM, its zero bytes or, failing that, a charset say."""
    for mark, marked in ((codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF32_LE, "utf-32-le"), *_BOMS):
        if body.startswith(mark):
            return _read(body[len(mark) :], marked)
    guessed = json.detect_encoding(body[:4])
    if guessed != "utf-8":
        return _read(body, guessed)
    text, note = _read(body, "utf-8")
    codec = codec_of(label_in(content_type) or "") if note else None
    if codec is None or codec.startswith("utf-"):
        return DecodedText(text, note)
    return _read(body, codec)


def _declared(beginning: bytes) -> str | None:
    """The codec that a document of HTML or XML names at its beginning."""
    xml = _XML.search(beginning)
    found = _META.search(_COMMENT.sub(b"", beginning)) or xml
    codec = codec_of(found[1].decode("latin-1")) if found else None
    return "utf-8" if codec is not None and codec.startswith("utf-16") else codec  # it could not be read if it were


def _guessed(body: bytes) -> DecodedText:
    """Decodes a body without a declared encoding: as UTF-8, or windows-1252 if most non-ASCII text is not UTF-8."""
    found = _read(body, "utf-8")
    stray = found.text.count(_REPLACEMENT) if found.note else 0
    if len(found.text) - len(found.text.encode("ascii", "ignore")) < 2 * stray:
        return DecodedText(_read(body, "cp1252").text, "the body is not UTF-8; read as windows-1252")
    return found


def _read(body: bytes, codec: str) -> DecodedText:
    text = _read_bytes(body, codec) if codec in _SINGLE_BYTE else _read_pieces(body, codec)
    stray = text.count(_REPLACEMENT)
    if stray and codec == "utf-8":
        stray -= body.count(_REPLACEMENT.encode())  # which stands for itself there
    return DecodedText(text, f"the body is not all {codec}: {stray} stray byte{'s' * (stray > 1)}" if stray else "")


def _read_pieces(body: bytes, codec: str) -> str:
    decoder = codecs.getincrementaldecoder(codec)("replace")
    pieces = [decoder.decode(body[at : at + _PIECE]) for at in range(0, len(body), _PIECE)]
    return "".join([*pieces, decoder.decode(b"", final=True)])


def _read_bytes(body: bytes, codec: str) -> str:
    """Decodes with a table that covers all bytes: Python's own takes microseconds for each undefined byte."""
    text: str = codecs.charmap_decode(body, "strict", _table(codec))[0]
    return text


@functools.cache
def _table(codec: str) -> str:
    """Characters by byte; where the code page has none, the control character or U+FFFD, as in the standard."""
    made = bytes(range(256)).decode(codec, "replace")
    return "".join(chr(n) if c == _REPLACEMENT and n < 0xA0 else c for n, c in enumerate(made))
