"""Raw replies to a GET request, a few hundred: ordinary, odd, broken, and no HTTP at all.

Whether one is an answer is judged live by curl and blackbox_exporter; what each of them sees in it is written nowhere.
"""

from __future__ import annotations

REPLIES: dict[str, bytes] = {}
"""The bytes that a server sends before it closes the connection, by a name."""

OK = "HTTP/1.1 200 OK"
OK_2 = "Content-Length: 2"


def head(*lines: str | bytes, end: bytes = b"\r\n") -> bytes:
    """A head of these lines, with the blank line behind it."""
    return end.join(line.encode("latin-1") if isinstance(line, str) else line for line in lines) + end + end


def add(name: str, reply: bytes) -> None:
    """Add one reply."""
    assert name not in REPLIES, name
    REPLIES[name] = reply


add("plain", head(OK, "Content-Length: 2") + b"ok")
add("plain-nolen", head(OK) + b"ok")
add("http10", head("HTTP/1.0 200 OK", "Content-Length: 2") + b"ok")
add("surplus1", head(OK, "Content-Length: 5") + b"hello!")
add("surplus-many", head(OK, "Content-Length: 5") + b"hello" + b"x" * 5000)
add("surplus-crlf", head(OK, "Content-Length: 5") + b"hello\r\n")
add("surplus-second", head(OK, "Content-Length: 5") + b"hello" + head(OK, "Content-Length: 2") + b"ok")
add("surplus-bad", head(OK, "Content-Length: 5") + b"hello\x00\x01garbage")
add("short", head(OK, "Content-Length: 5") + b"hel")
add("204-body", head("HTTP/1.1 204 No Content") + b"hello")
add("204-len-body", head("HTTP/1.1 204 No Content", "Content-Length: 5") + b"hello")
add("204-len-nobody", head("HTTP/1.1 204 No Content", "Content-Length: 5"))
add("204-chunked", head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n")
add("304-body", head("HTTP/1.1 304 Not Modified", "Content-Length: 5") + b"hello")
add("304-nobody", head("HTTP/1.1 304 Not Modified", "Content-Length: 5"))
add("205-body", head("HTTP/1.1 205 Reset", "Content-Length: 5") + b"hello")
add("302-0-body", head("HTTP/1.1 302 Found", "Location: /plain", "Content-Length: 0") + b"hello")
add("301-noloc", head("HTTP/1.1 301 Moved", "Content-Length: 0"))
add("te-cl", head(OK, "Transfer-Encoding: chunked", "Content-Length: 5") + b"2\r\nok\r\n0\r\n\r\n")
add("cl-te", head(OK, "Content-Length: 5", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("cl0-te", head(OK, "Content-Length: 0", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("clbad-te", head(OK, "Content-Length: abc", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("cl-cl-same", head(OK, "Content-Length: 2", "Content-Length: 2") + b"ok")
add("cl-cl-diff", head(OK, "Content-Length: 2", "Content-Length: 3") + b"ok")
add("cl-cl-diff2", head(OK, "Content-Length: 3", "Content-Length: 2") + b"ok!")
add("cl-list-same", head(OK, "Content-Length: 2, 2") + b"ok")
add("cl-list-diff", head(OK, "Content-Length: 2, 3") + b"ok")
add("cl-cl-same-space", head(OK, "Content-Length: 2", "Content-Length:  2 ") + b"ok")
add("cl-cl-zeros", head(OK, "Content-Length: 2", "Content-Length: 02") + b"ok")
for name, value in {
    "plus": "+2",
    "minus": "-2",
    "hex": "0x2",
    "float": "2.0",
    "blank": "",
    "alpha": "abc",
    "trail": "2abc",
    "lead0": "002",
    "huge64": "18446744073709551615",
    "huge63": "9223372036854775807",
    "huge63p": "9223372036854775808",
    "huge65": "18446744073709551616",
    "verylong": "9" * 40,
    "tab": "\t2",
    "semi": "2;",
    "space": "1 2",
    "uni": "\xb2",
}.items():
    add("cl-" + name, head(OK, "Content-Length: " + value) + b"ok")
add("cl-200", head(OK, "Content-Length: " + "0" * 300 + "2") + b"ok")
add("chunk", head(OK, "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
for name, body in {
    "lf": b"2\nok\n0\n\n",
    "lf-size": b"2\nok\r\n0\r\n\r\n",
    "ext": b"2;a=b\r\nok\r\n0\r\n\r\n",
    "ext-space": b"2 ; a=b\r\nok\r\n0\r\n\r\n",
    "ext-space2": b"2; a = b\r\nok\r\n0\r\n\r\n",
    "ext-q": b'2;a="b;c"\r\nok\r\n0\r\n\r\n',
    "trailing-space": b"2  \r\nok\r\n0\r\n\r\n",
    "leading-space": b" 2\r\nok\r\n0\r\n\r\n",
    "tab": b"2\t\r\nok\r\n0\r\n\r\n",
    "upper": b"A\r\n0123456789\r\n0\r\n\r\n",
    "lead0": b"0002\r\nok\r\n0\r\n\r\n",
    "lead0s": b"0" * 50 + b"2\r\nok\r\n0\r\n\r\n",
    "0x": b"0x2\r\nok\r\n0\r\n\r\n",
    "neg": b"-2\r\nok\r\n0\r\n\r\n",
    "plus": b"+2\r\nok\r\n0\r\n\r\n",
    "badhex": b"zz\r\nok\r\n0\r\n\r\n",
    "empty": b"\r\nok\r\n0\r\n\r\n",
    "huge": b"FFFFFFFFFFFFFFFF\r\nok",
    "huge2": b"FFFFFFFFFFFFFFFFF\r\nok",
    "huge7": b"7FFFFFFFFFFFFFFF\r\nok",
    "no-crlf": b"2\r\nok0\r\n\r\n",
    "extra-data": b"2\r\nokk\r\n0\r\n\r\n",
    "eof-no-last": b"2\r\nok\r\n",
    "eof-mid": b"5\r\nok",
    "eof-last-nofinal": b"2\r\nok\r\n0\r\n",
    "eof-last-noeol": b"2\r\nok\r\n0",
    "trailers": b"2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
    "trailers-lf": b"2\r\nok\r\n0\r\nX-T: 1\n\n",
    "bad-trailer": b"2\r\nok\r\n0\r\nnonsense\r\n\r\n",
    "surplus": b"2\r\nok\r\n0\r\n\r\nmore",
    "surplus-crlf": b"2\r\nok\r\n0\r\n\r\n\r\n",
    "cr-only": b"2\rok\r0\r\r",
    "crcrlf": b"2\r\r\nok\r\n0\r\n\r\n",
    "zero-multi": b"2\r\nok\r\n000\r\n\r\n",
    "empty-body": b"0\r\n\r\n",
    "ext-long": b"2;" + b"a" * 5000 + b"\r\nok\r\n0\r\n\r\n",
    "ext-ctl": b"2;a=\x01\r\nok\r\n0\r\n\r\n",
    "lf-data": b"2\r\nok\n0\r\n\r\n",
    "last-ext": b"2\r\nok\r\n0;x=y\r\n\r\n",
    "not-chunked": b"hello world\r\n",
    "nothing": b"",
    "many": b"1\r\nx\r\n" * 500 + b"0\r\n\r\n",
    "comment": b"2 (c)\r\nok\r\n0\r\n\r\n",
    "last-space": b"2\r\nok\r\n0 \r\n\r\n",
}.items():
    add("chunk-" + name, head(OK, "Transfer-Encoding: chunked") + body)
for name, value in {
    "Chunked": "Chunked",
    "gzip-chunked": "gzip, chunked",
    "identity": "identity",
    "identity-chunked": "identity, chunked",
    "chunked-identity": "chunked, identity",
    "xchunked": "xchunked",
    "chunked-chunked": "chunked, chunked",
    "empty": "",
    "quoted": '"chunked"',
    "tabbed": "\tchunked",
    "trail": "chunked ",
    "comma": ",chunked",
    "param": "chunked;q=1",
    "gzip": "gzip",
    "cow": "cow",
}.items():
    add("te-" + name, head(OK, "Transfer-Encoding: " + value) + b"2\r\nok\r\n0\r\n\r\n")
add("te-twice", head(OK, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("te-twice-id", head(OK, "Transfer-Encoding: identity", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("te-identity-cl", head(OK, "Transfer-Encoding: identity", "Content-Length: 2") + b"ok")
add("te-http10", head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("te-fold", head(OK, "Transfer-Encoding:", "  chunked") + b"2\r\nok\r\n0\r\n\r\n")
add("te-space-colon", head(OK, "Transfer-Encoding : chunked") + b"2\r\nok\r\n0\r\n\r\n")
# header oddities


def with_header(*lines: str | bytes) -> bytes:
    """A good reply that has these headers besides."""
    return head(OK, *lines, OK_2) + b"ok"


def interim(*lines: str, final: str = OK) -> bytes:
    """An interim answer, and the final one behind it."""
    return head(*lines) + head(final, OK_2) + b"ok"


for name, line in {
    "space-colon": "X-Powered-By : x",
    "tab-colon": "X-A\t: x",
    "crcrlf": b"Pragma: no-cache\r",
    "no-colon": "nonsense",
    "empty-name": ": x",
    "empty-val": "X-A:",
    "space-start": " X-A: b",
    "name-space": "X A: b",
    "name-paren": "X(A): b",
    "name-ctl": "X\x01A: b",
    "name-8bit": "X\xe4: b",
    "val-8bit": "X-A: \xe4\xf6",
    "val-ctl": "X-A: a\x01b",
    "val-nul": "X-A: a\x00b",
    "name-nul": "X\x00A: b",
    "val-cr": "X-A: a\rb",
    "val-del": "X-A: a\x7f",
    "val-tab": "X-A: a\tb",
    "name-long": "X" * 3000 + ": b",
    "val-long": "X-A: " + "b" * 20000,
    "colon-only": ":",
    "utf8": "X-A: ä".encode(),
    "brace": "{X}: b",
    "slash": "X/Y: b",
    "at": "X@Y: b",
    "comma": "X,Y: b",
    "quote": '"X": b',
    "equals": "X=Y: b",
    "q": "X?: b",
    "http-line": "HTTP/1.1 200 OK",
    "bom": b"\xef\xbb\xbfX: y",
    "name-cr": "X\rY: b",
}.items():
    add("h-" + name, with_header(line))
add("h-first-fold", head(OK, " folded first", "Content-Length: 2") + b"ok")
add("h-fold", head(OK, "X-A: a", "  b", "Content-Length: 2") + b"ok")
add("h-fold-tab", head(OK, "X-A: a", "\tb", "Content-Length: 2") + b"ok")
add("h-fold-empty", head(OK, "X-A: a", " ", "Content-Length: 2") + b"ok")
add("h-fold-cl", head(OK, "Content-Length:", " 2") + b"ok")
add("h-200", head(OK, *[f"X-{i}: y" for i in range(200)], "Content-Length: 2") + b"ok")
add("h-600", head(OK, *[f"X-{i}: y" for i in range(600)], "Content-Length: 2") + b"ok")
add("h-3000", head(OK, *[f"X-{i}: y" for i in range(3000)], "Content-Length: 2") + b"ok")
add("h-100k", with_header("X-A: " + "b" * 100_000))
add("h-200k", with_header("X-A: " + "b" * 200_000))
add("h-300k", with_header("X-A: " + "b" * 290_000))
add("h-900k", with_header("X-A: " + "b" * 900_000))
add("h-1200k", with_header("X-A: " + "b" * 1_200_000))
add("lf-head", head(OK, "Content-Length: 2", end=b"\n") + b"ok")
add("lf-head-chunk", head(OK, "Transfer-Encoding: chunked", end=b"\n") + b"2\nok\n0\n\n")
add("mixed-head", b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok")
add("mixed-head2", b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\nok")
add("mixed-head3", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok")
add("mixed-head4", b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok")
add("crcrlf-all", b"HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\r\n\r\r\nok")
add("crcrlf-end", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\r\nok")
add("cr-head", b"HTTP/1.1 200 OK\rContent-Length: 2\r\rok")
add("lfcr-end", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\n\rok")
add("space-line-end", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n \r\nok")
# status line
for name, line in {
    "no-reason": "HTTP/1.1 200",
    "no-reason-sp": "HTTP/1.1 200 ",
    "two-sp": "HTTP/1.1  200 OK",
    "two-sp2": "HTTP/1.1 200  OK",
    "tab": "HTTP/1.1\t200\tOK",
    "lower": "http/1.1 200 OK",
    "mixed": "Http/1.1 200 OK",
    "ver1": "HTTP/1 200 OK",
    "ver12": "HTTP/1.2 200 OK",
    "ver19": "HTTP/1.9 200 OK",
    "ver111": "HTTP/1.11 200 OK",
    "ver01": "HTTP/01.1 200 OK",
    "ver2": "HTTP/2 200 OK",
    "ver20": "HTTP/2.0 200 OK",
    "ver3": "HTTP/3 200 OK",
    "ver09": "HTTP/0.9 200 OK",
    "ver00": "HTTP/0.0 200 OK",
    "rtsp": "RTSP/1.0 200 OK",
    "ice": "ICE/1.0 200",
    "icy": "ICY 200 OK",
    "sip": "SIP/2.0 200 OK",
    "httpx": "HTTPX/1.1 200 OK",
    "no-slash": "HTTP 200 OK",
    "noversion": "HTTP/ 200 OK",
    "comma": "HTTP/1,1 200 OK",
    "s99": "HTTP/1.1 99 OK",
    "s099": "HTTP/1.1 099 OK",
    "s20": "HTTP/1.1 20 OK",
    "s2000": "HTTP/1.1 2000 OK",
    "s600": "HTTP/1.1 600 Odd",
    "s999": "HTTP/1.1 999 Odd",
    "s1000": "HTTP/1.1 1000 Odd",
    "s000": "HTTP/1.1 000 Odd",
    "sneg": "HTTP/1.1 -200 OK",
    "splus": "HTTP/1.1 +200 OK",
    "salpha": "HTTP/1.1 abc OK",
    "s20x": "HTTP/1.1 20x OK",
    "s200x": "HTTP/1.1 200OK",
    "s200dot": "HTTP/1.1 200.1 OK",
    "empty": "HTTP/1.1 ",
    "empty2": "HTTP/1.1",
    "reason-8bit": "HTTP/1.1 200 \xd6K",
    "reason-ctl": "HTTP/1.1 200 O\x01K",
    "reason-nul": "HTTP/1.1 200 O\x00K",
    "reason-long": "HTTP/1.1 200 " + "x" * 5000,
    "lead-sp": " HTTP/1.1 200 OK",
    "lead-junk": "xyHTTP/1.1 200 OK",
    "lead-crlf": "\r\nHTTP/1.1 200 OK",
    "lead-lf": "\nHTTP/1.1 200 OK",
    "lead-crlf2": "\r\n\r\nHTTP/1.1 200 OK",
    "lead-bom": b"\xef\xbb\xbfHTTP/1.1 200 OK",
    "uni": "HTTP/1.1 2\xb20 OK",
    "s200-tab": "HTTP/1.1 200\tOK",
    "s101": "HTTP/1.1 101 Switching Protocols",
    "s100only": "HTTP/1.1 100 Continue",
    "cr-in": "HTTP/1.1 200 O\rK",
    "200-200": "HTTP/1.1 200 200 OK",
}.items():
    add("s-" + name, head(line, "Content-Length: 2") + b"ok")
add("no-head", b"hello world")
add("no-head-lines", b"hello\r\nworld\r\n\r\n")
add("html", b"<html><body>hi</body></html>")
add("ssh", b"SSH-2.0-OpenSSH_9.2\r\n")
add("smtp", b"220 mail ESMTP\r\n")
add("ftp", b"220 ready\r\n500 what\r\n")
add("tls-alert", b"\x15\x03\x01\x00\x02\x02\x46")
add(
    "h2-settings",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff",
)
add("nothing", b"")
add("partial-status", b"HTTP/1.1 2")
add("partial-line", b"HTTP/1.1 200 OK\r\n")
add("partial-head", b"HTTP/1.1 200 OK\r\nContent-Le")
add("partial-head-line", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
add("crlf-only", b"\r\n\r\n")
add("nul", b"\x00" * 20)
add("req-echo", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
# interim
add("100", interim("HTTP/1.1 100 Continue"))
add("100-close", interim("HTTP/1.1 100 Continue", "Connection: close"))
add("100-len", interim("HTTP/1.1 100 Continue", "Content-Length: 0"))
add("100-len5", head("HTTP/1.1 100 Continue", "Content-Length: 5") + b"hello" + head(OK, "Content-Length: 2") + b"ok")
add("100-10", interim("HTTP/1.0 100 Continue"))
add("100-10-10", interim("HTTP/1.0 100 Continue", final="HTTP/1.0 200 OK"))
add("100-lf", b"HTTP/1.1 100 Continue\n\n" + head(OK, "Content-Length: 2") + b"ok")
add("100-chunked", interim("HTTP/1.1 100 Continue", "Transfer-Encoding: chunked"))
add("103", interim("HTTP/1.1 103 Early Hints", "Link: </a>; rel=preload"))
add("103-close", interim("HTTP/1.1 103 Early Hints", "Connection: close"))
add("102", interim("HTTP/1.1 102 Processing"))
add("199", interim("HTTP/1.1 199 Odd"))
add("100x6", head("HTTP/1.1 100 Continue") * 6 + head(OK, "Content-Length: 2") + b"ok")
add("100x50", head("HTTP/1.1 100 Continue") * 50 + head(OK, "Content-Length: 2") + b"ok")
add("101", head("HTTP/1.1 101 Switching Protocols", "Upgrade: foo", "Connection: upgrade") + b"xyz")
add("100-then-eof", head("HTTP/1.1 100 Continue"))
add("100-chunk", head("HTTP/1.1 100 Continue") + head(OK, "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n")
# connection
for name, value in {
    "close": "close",
    "ka": "keep-alive",
    "upgrade": "upgrade",
    "garbage": "@@@",
    "both": "close, keep-alive",
    "empty": "",
}.items():
    add("conn-" + name, with_header("Connection: " + value))
add("conn-upgrade-h2c", with_header("Connection: Upgrade", "Upgrade: h2c"))
add("upgrade-nolen", head(OK, "Connection: Upgrade", "Upgrade: h2c") + b"ok")
add("conn-close-surplus", head(OK, "Connection: close", "Content-Length: 2") + b"okmore")
add("conn-ka10", head("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 2") + b"ok")
add("proxy-conn", with_header("Proxy-Connection: keep-alive"))
add("ct-dup", with_header("Content-Type: text/html", "Content-Type: text/plain"))
add("date-bad", with_header("Date: nonsense"))
add("big-body", head(OK, "Content-Length: 300000") + b"x" * 300000)
add("206", head("HTTP/1.1 206 Partial", "Content-Range: bytes 0-1/9", "Content-Length: 2") + b"ok")
add("416", head("HTTP/1.1 416 Range", "Content-Length: 2") + b"ok")
add("401", head("HTTP/1.1 401 U", "Content-Length: 2") + b"ok")
add("407", head("HTTP/1.1 407 P", "Content-Length: 2") + b"ok")
add("500-nolen", head("HTTP/1.1 500 E") + b"oops")
add("loc-dup", head("HTTP/1.1 302 F", "Location: /plain", "Location: /plain", "Content-Length: 0"))
add("loc-dup-diff", head("HTTP/1.1 302 F", "Location: /plain", "Location: /100", "Content-Length: 0"))
add(
    "multi-surplus-chunk",
    head(OK, "Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n" + head(OK, "Content-Length: 2") + b"ok",
)
