"""Every example of the demo: a small company with its usual troubles, then each reason on its own, by outcome."""

from __future__ import annotations

from math import inf

from monitor.demo.example import Example
from monitor.demo.script import Certificate, End, Script, Target, always, answer, answering, at_first, fine
from monitor.model.outcome import Reason, State

UP, DEGRADED, DOWN = (State.UP,), (State.DEGRADED,), (State.DOWN,)
THEN_DOWN, THEN_DEGRADED = (State.UP, State.DOWN), (State.UP, State.DEGRADED)
FLAPPING = (State.UP, State.DOWN, State.UP)
UNKNOWN, PAUSED = (State.UNKNOWN,), (State.PAUSED,)

_GOOD = Certificate()
_HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nonly the beginning of "
_SILENT = Script(end=End.HOLD)
_DEAF = Script(end=End.HOLD, asked=False)
_BUSY = answering("no worker is free\n", "503 Service Unavailable")
_OFTEN = 'interval = "1s"\n'


def _healthy(name: str, group: str, what: str, after: float, days: float = 61) -> Example:
    target = always(fine(after), Certificate((days - 90, days)))
    return Example(name, group, UP, Reason.OK, f"{what}: answers as it should.", target, _OFTEN)


COMPANY = (
    _healthy("web", "shop", "The front page", 0.04),
    _healthy("cart", "shop", "The shopping cart", 0.06),
    _healthy("stock", "shop", "What is in stock", 0.03),
    _healthy("images", "shop", "Pictures of what is sold", 0.02),
    Example(
        "checkout", "shop", THEN_DOWN, Reason.REFUSED,
        "Takes payments. Twelve seconds after the start its process ends, and nobody listens on the port any more.",
        at_first(12, fine(0.05), None, _GOOD), _OFTEN,
    ),
    Example(
        "prices", "shop", THEN_DOWN, Reason.UNEXPECTED_STATUS,
        "Knows what everything costs. After ten seconds it answers 503: down for maintenance.",
        at_first(10, fine(0.08), answering("down for maintenance\n", "503 Service Unavailable"), _GOOD), _OFTEN,
    ),
    Example(
        "search", "shop", THEN_DEGRADED, Reason.OK,
        "Finds things. After six seconds it still answers, but slower than expect.latency allows.",
        at_first(6, fine(0.05), fine(0.35), _GOOD), _OFTEN + 'expect.latency = "200ms"',
    ),
    Example(
        "reviews", "shop", FLAPPING, Reason.UNEXPECTED_STATUS,
        "What buyers think. It is up for seven seconds and down for five, again and again.",
        Target(((7, fine(0.04)), (5, _BUSY)), _GOOD), _OFTEN,
    ),
    _healthy("accounts", "identity", "Who is a customer", 0.05),
    Example(
        "login", "identity", DEGRADED, Reason.OK,
        "Lets people in. It works, but its certificate ends in five days, within tls.expiry_warning.",
        always(fine(0.03), Certificate((-85, 5.3))), _OFTEN,
    ),
    Example(
        "vpn", "identity", DOWN, Reason.TLS_CERTIFICATE_EXPIRED,
        "Lets colleagues in. Its certificate ended yesterday; the dates are known all the same.",
        always(fine(0.03), Certificate((-91, -1.2))), _OFTEN,
    ),
    _healthy("mail-out", "mail", "Sends mail", 0.06, 33),
    _healthy("lists", "mail", "Mailing lists", 0.09, 33),
    _healthy("webmail", "mail", "Mail in the browser", 0.12, 33),
    Example(
        "mail-in", "mail", THEN_DOWN, Reason.RESPONSE_TIMEOUT,
        "Receives mail. After eight seconds it takes requests and never says a word.",
        at_first(8, fine(0.05), _SILENT, _GOOD), _OFTEN + 'timeout.read = "600ms"',
    ),
)  # fmt: skip
"""The examples of a page on a rather bad day."""


def _fault(
    reason: Reason, name: str, what: str, target: Target | None = None, *, keys: str = "", url: str = ""
) -> Example:
    return Example(name, reason.outcome.value, DOWN, reason, what, target, keys, url)


ANSWERS = (
    _fault(Reason.UNEXPECTED_STATUS, "error-500", "Answers 500 to everything.",
           always(answering("it is broken\n", "500 Internal Server Error"))),
    _fault(Reason.UNEXPECTED_HEADER, "wrong-header", "Says that its JSON is HTML.",
           always(answering('{"status": "ok"}\n', kind="text/html")),
           keys='expect.headers = { Content-Type = { contains = "json" } }'),
    _fault(Reason.UNEXPECTED_BODY, "wrong-body", "Answers 200 with a page that says «error».",
           always(answering("error: no database\n")), keys='expect.body = { not_contains = "error" }'),
    _fault(Reason.UNEXPECTED_BODY, "wrong-json", "Answers JSON, in which the queue is much too long.",
           always(answering('{"queue": {"depth": 4711}}\n', kind="application/json")),
           keys='expect.json = { "$.queue.depth" = { less_than = 100 } }'),
    _fault(Reason.UNEXPECTED_HTTP_VERSION, "old-http", "Answers in HTTP/1.0.",
           always(Script((b"HTTP/1.0 200 OK\r\n\r\nwelcome to 1996\n",))), keys='expect.http_version = ["1.1"]'),
    _fault(Reason.BODY_TOO_LARGE, "large-body", "Sends more than max_body, and all of it would be needed.",
           always(answering("a line of a very long log\n" * 500)),
           keys='max_body = "1KiB"\nexpect.body = { contains = "end" }'),
    _fault(Reason.INVALID_CONTENT, "not-json", "Answers HTML where JSON is asked for.",
           always(answering("<h1>Please log in</h1>\n", kind="text/html")), keys='expect.json = { "$.status" = "ok" }'),
    _fault(Reason.TOO_MANY_REDIRECTS, "redirect-loop", "Redirects to itself, for ever.",
           always(Script((answer("", "302 Found", more="Location: /\r\n"),))), keys="max_redirects = 3"),
    _fault(Reason.FORBIDDEN_REDIRECT, "downgrade", "An https address that redirects to http.",
           always(Script((answer("", "301 Moved Permanently", more="Location: http://downgrade.example.com/\r\n"),)),
                  _GOOD)),
)  # fmt: skip
"""An answer came, and it is not the expected one."""

CONNECTIONS = (
    _fault(Reason.DNS_NOT_FOUND, "no-such-name", "A name that does not exist (NXDOMAIN).",
           url="https://no-such-name.example.com/"),
    _fault(Reason.DNS_FAILED, "broken-zone", "A name whose server answers SERVFAIL.",
           url="https://broken-zone.example.com/"),
    _fault(Reason.REFUSED, "closed-port", "A port on which nobody listens.", always(None)),
    _fault(Reason.UNREACHABLE, "no-route", "An address that no packet can be sent to.", url="http://127.255.255.255/"),
    _fault(Reason.RESET, "reset", "Cuts the connection with a reset when it is asked.", always(Script(end=End.RESET))),
    _fault(Reason.DISCONNECTED, "cut-off", "Announces 100 bytes, sends 22 and hangs up.", always(Script((_HALF,)))),
    _fault(Reason.INVALID_RESPONSE, "not-http", "An SSH server on the port of a web server.",
           always(Script((b"SSH-2.0-OpenSSH_9.2\r\n",), End.HOLD, asked=False))),
    _fault(Reason.PROXY_FAILED, "proxy-refuses", "A proxy that does not let the check through.",
           always(answering("not allowed\n", "403 Forbidden")), keys='proxy = "http://{proxied}"',
           url="https://proxy-refuses.example.com/"),
    _fault(Reason.TLS_CERTIFICATE_EXPIRED, "expired", "A certificate that ended a month ago.",
           always(fine(0.01), Certificate((-120, -30)))),
    _fault(Reason.TLS_CERTIFICATE_NOT_YET_VALID, "not-yet-valid", "A certificate that begins in two days.",
           always(fine(0.01), Certificate((2, 90)))),
    _fault(Reason.TLS_HOSTNAME_MISMATCH, "wrong-host", "A certificate for somebody else.",
           always(fine(0.01), Certificate(host="somebody-else.example.net"))),
    _fault(Reason.TLS_UNTRUSTED, "untrusted", "A certificate of an authority that nobody knows.",
           always(fine(0.01), Certificate(trusted=False))),
    _fault(Reason.TLS_HANDSHAKE_FAILED, "plain-on-tls", "Speaks plain HTTP on a port that should speak TLS.",
           always(Script((answer("", "400 Bad Request"),), asked=False)), url="https://plain-on-tls.example.com/"),
    _fault(Reason.ALPN_REFUSED, "other-protocol", "Speaks TLS, and offers no HTTP/1.1 in it.",
           always(Script((b"\x15\x03\x03\x00\x02\x02\x78",), asked=False)), url="https://other-protocol.example.com/"),
    _fault(Reason.ADDRESS_DENIED, "denied-address", "The metadata service of a cloud, which deny_addresses forbids.",
           url="http://169.254.169.254/latest/meta-data/"),
)  # fmt: skip
"""No usable answer, and no limit passed."""

TIMEOUTS = (
    _fault(Reason.DNS_TIMEOUT, "silent-dns", "A name whose server says nothing.", url="https://silent-dns.example.com/"),
    _fault(Reason.CONNECT_TIMEOUT, "full-queue", "A port whose accept queue is full: packets stay unanswered.",
           Target(((inf, _DEAF),), full=True)),
    _fault(Reason.TLS_TIMEOUT, "silent-tls", "Accepts the connection and leaves the TLS handshake unanswered.",
           always(_DEAF), url="https://silent-tls.example.com/"),
    _fault(Reason.RESPONSE_TIMEOUT, "silent", "Reads the request and never answers.", always(_SILENT)),
    _fault(Reason.READ_TIMEOUT, "stalled-body", "Stalls in the middle of the body.",
           always(Script((_HALF,), End.HOLD))),
    _fault(Reason.TOTAL_TIMEOUT, "dripped", "Sends its body byte by byte, and so never falls silent.",
           always(Script((_HALF, *((b".", 0.1) * 60)), End.HOLD))),
)  # fmt: skip
"""A limit passed."""

UNEXPECTED = (
    _fault(Reason.UNEXPECTED_DATA, "wrong-service", "An SSH server where a mail server should greet.",
           always(Script((b"SSH-2.0-OpenSSH_9.2\r\n",), asked=False)), keys='tcp.dialogue = [{ expect = "^220 " }]',
           url="tcp://wrong-service.example.com:25"),
    _fault(Reason.UNEXPECTED_CERTIFICATE, "ending", "A certificate that ends tomorrow, where a week is wanted.",
           always(fine(0.01), Certificate((-89, 1.3))), keys='tls.expiry_warning = { within = "7d", down = true }'),
)  # fmt: skip
"""An answer came over another protocol than HTTP, or a certificate, and it is not the expected one."""

OTHERS = (
    Example(
        "no-such-source", "states", UNKNOWN, Reason.LOCAL_RESOURCES,
        "To be asked from an address that this machine does not have. That is our own fault, so it counts for nothing.",
        always(fine(0.01)), 'source_address = "192.0.2.9"',
    ),
    Example(
        "once-a-day", "states", UNKNOWN, None,
        "Runs once a day, so its first result is still to come.",
        always(fine(0.01)), 'interval = "1d"',
    ),
    Example(
        "switched-off", "states", PAUSED, None,
        "Is not checked at all: enabled = false.",
        always(fine(0.01)), "enabled = false",
    ),
)  # fmt: skip
"""States that say nothing about a target."""

EXAMPLES = (*COMPANY, *ANSWERS, *CONNECTIONS, *TIMEOUTS, *UNEXPECTED, *OTHERS)
GROUPS = tuple(dict.fromkeys(example.group for example in EXAMPLES))
