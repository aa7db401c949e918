"""Overviews as on-call meets them, from a first start to a bad night."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from monitor.live.ledger import Ledger, Record
from monitor.live.view import ConfigView, MonitorView, Overview, view_check
from monitor.model.answer import Hop
from monitor.model.clock import Moment
from monitor.model.outcome import Reason
from monitor.model.request import Expect, Rule
from monitor.model.result import Attempt, Certificate, Phases, Result
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec, Limits
from monitor.rules.due import DueTimes
from monitor.secrets.secret import Secret
from monitor.stats.result_log import History
from monitor.stats.tally import Tally, bucket_of
from monitor.stats.windows import SLOT
from tests.flat import changed, flat_result, flat_spec

NOW = Moment(1_794_578_602.0, 500_000.0)
DAY = 86400.0
MONITOR = MonitorSpec()


def monitor_view(title: str = "eu-west", **more: object) -> MonitorView:
    """The monitor, healthy unless said otherwise."""
    config = ConfigView("/etc/monitor/checks.toml", NOW.wall - 3 * DAY)
    view = MonitorView("1.4.0", title, NOW.wall - 9 * DAY, "127.0.0.1:8420", config)
    return replace(view, **more)  # type: ignore[arg-type]


def spec(name: str, group: str = "", **more: object) -> CheckSpec:
    """A check of a host named like it."""
    url = f"https://{name[:30].lower()}.example.com/health"
    made = flat_spec(name, url, url, group=group, interval=10.0)
    return changed(made, **more)  # type: ignore[arg-type]


def certificates(days: float) -> tuple[Certificate, ...]:
    """A leaf and its issuer; the leaf ends in so many days."""
    now = NOW.wall
    leaf = Certificate(
        now - 30 * DAY,
        now + days * DAY,
        "CN=shop.example.com",
        "CN=Example Issuing CA 3,O=Example Trust Services,C=DE",
        ("shop.example.com", "www.shop.example.com"),
    )
    issuer = Certificate(
        now - 900 * DAY,
        now + 2000 * DAY,
        "CN=Example Issuing CA 3,O=Example Trust Services,C=DE",
        "CN=Example Root,O=Example Trust Services,C=DE",
    )
    return (leaf, issuer)


def fine(check: CheckSpec, at: float, took: float, days: float = 61.0) -> Result:
    """A success."""
    shares = (0.01, 0.13, 0.22, 0.6, 0.04)
    return flat_result(
        check.name,
        at,
        Reason.OK,
        f"200 in {took * 1000:.0f} ms",
        took,
        Phases(*(took * share for share in shares)),
        status_code=200,
        http_version="1.1",
        remote_address="198.51.100.7:443",
        content_length=512,
        body_bytes=512,
        tls_version="TLSv1.3",
        certificates=certificates(days),
        attempts=(Attempt("198.51.100.7:443", None, took * 0.13),),
    )


def refused(check: CheckSpec, at: float) -> Result:
    """A refused connection."""
    return Result(
        check.name,
        at,
        Reason.REFUSED,
        "the connection to 198.51.100.7:443 was refused",
        0.0014,
        Phases(0.001, 0.0004),
        attempts=(
            Attempt("[2001:db8::7]:443", "no route to host", 0.0001),
            Attempt("198.51.100.7:443", "refused", 0.0004),
        ),
    )


def late(check: CheckSpec, at: float, waited: float = 5.0) -> Result:
    """No answer in time."""
    return Result(
        check.name,
        at,
        Reason.RESPONSE_TIMEOUT,
        f"no byte of the answer in {waited} s; connected in 12 ms to 198.51.100.9:443",
        waited + 0.033,
        Phases(0.001, 0.012, 0.02, waited),
        remote_address="198.51.100.9:443",
        tls_version="TLSv1.2",
        certificates=certificates(61),
        attempts=(Attempt("198.51.100.9:443", None, 0.012),),
    )


def wrong(check: CheckSpec, at: float) -> Result:
    """An answer after redirects, but not the expected one."""
    base = check.target
    return flat_result(
        check.name,
        at,
        Reason.UNEXPECTED_STATUS,
        "status 503 instead of 2xx, after 2 redirects",
        0.31,
        Phases(0.002, 0.03, 0.06, 0.21, 0.008),
        status_code=503,
        http_version="1.1",
        remote_address="198.51.100.8:443",
        redirects=2,
        tls_version="TLSv1.3",
        certificates=certificates(61),
        hops=(
            Hop("GET", base, 301),
            Hop("GET", base + "/", 302),
            Hop("GET", base + "/login?next=***", 503),
        ),
    )


def stalled(check: CheckSpec, at: float) -> Result:
    """The monitor's own trouble."""
    return Result(
        check.name,
        at,
        Reason.MONITOR_STALLED,
        "the monitor stood still for 3.2 s while this ran",
        3.4,
    )


Made = Callable[[CheckSpec, float], Result]


def wave(seed: int, base: float = 0.08) -> Callable[[CheckSpec, float], Result]:
    """Successes whose latency moves as real ones do."""

    def made(check: CheckSpec, at: float) -> Result:
        swing = math.sin(at / 37 + seed) + math.sin(at / 11 + seed * 3)
        spike = 3.0 if int(at / 10 + seed * 7) % 23 == 0 else 1.0
        return fine(check, at, base * (1.3 + swing * 0.25) * spike)

    return made


def past(record: Record, *stretches: tuple[int, Made]) -> Record:
    """Let a record live through stretches of so many results each, the last one ending now."""
    interval = record.spec.interval
    left = sum(count for count, _ in stretches)
    for count, made in stretches:
        for _ in range(count):
            left -= 1
            ago = left * interval + 2
            at = Moment(NOW.wall - ago, NOW.steady - ago)
            record.add(made(record.spec, at.wall), at)
    record.due_times = DueTimes(NOW.steady + 4, record.spec.interval)
    return record


def lived(record: Record, seed: int, outages: tuple[tuple[float, float], ...] = ()) -> Record:
    """Give it ninety days before those two hours, with outages that began so many hours ago and lasted so many."""
    recent, since = record.past.recent, NOW.wall - 7200
    for step, count in ((SLOT, 90), (86400, 91)):
        for number in range(count):
            start = (int(NOW.wall // step) - number) * step
            length = min(start + step, since) - start
            if length <= 0:
                continue
            down = sum(_overlap(start, start + length, ago, hours) for ago, hours in outages)
            took = 0.08 * (1.3 + 0.4 * math.sin(number / 9 + seed) + 0.2 * math.sin(number / 2 + seed * 3))
            tally = Tally(up=length - down, down=down, runs=10, duration_sum=10 * took, latencies={bucket_of(took): 10})
            if step == SLOT:
                recent.slots.add(start, (*(round(t * 10) for t in (tally.up, 0, down, 0)), tally.duration_sum, 10))
            else:
                recent.days.add(start, (tally.good, tally.down))
    return record


def _overlap(start: float, end: float, ago: float, hours: float) -> float:
    began = NOW.wall - ago * 3600
    return max(0.0, min(end, began + hours * 3600) - max(start, began))


def begun(*specs: CheckSpec) -> Ledger:
    """A ledger of these checks, configured two hours ago."""
    ledger = Ledger()
    ledger.apply(specs, MONITOR, Moment(NOW.wall - 7200, NOW.steady - 7200))
    for index, record in enumerate(ledger):
        record.due_times = DueTimes(NOW.steady + index % 30, record.spec.interval)
    return ledger


def viewed(ledger: Ledger, monitor: MonitorView | None = None) -> Overview:
    """What the service would show of it."""
    return Overview(NOW.wall, monitor or monitor_view(), tuple(view_check(record, NOW) for record in ledger))


# Scenes are values that nobody changes, and take a tenth of a second to seconds to make: each process makes them once.


@functools.cache
def evening() -> Overview:
    """A bad evening in a small shop: a bit of everything."""
    specs = [
        spec(
            "shop-api",
            "shop",
            labels=(("team", "payments"), ("tier", "1")),
            runbook="https://runbooks.example.com/shop",
            description="Takes orders. When it is down, nobody can pay.",
            latency=0.8,
            expect=Expect(
                ((200, 299),),
                body=(Rule("not_contains", "error"),),
                json=(
                    ("$.status", (Rule("equals", "ok"),)),
                    ("$.token", (Rule("equals", Secret("hunter2")),)),
                ),
            ),
        ),
        spec("mail-in", "mail", runbook="https://runbooks.example.com/mail"),
        spec("search", "shop", latency=0.8),
        spec("old-login", "shop", labels=(("team", "identity"),)),
        spec("img-cdn", "shop"),
        spec("batch-export", "shop"),
        *(spec(f"shop-{n}", "shop") for n in ("web", "cart", "stock", "prices")),
        *(spec(f"mail-{n}", "mail") for n in ("out", "lists", "webmail")),
        spec("reports", "", enabled=False, interval=300.0),
        spec("status-page", "", limits=Limits(1.5, 2, 4)),
    ]
    ledger = begun(*specs)
    lives: dict[str, tuple[tuple[int, Made], ...]] = {
        "shop-api": ((60, wave(1, 0.06)), (132, refused)),
        "mail-in": ((60, wave(2, 0.2)), (18, late)),
        "search": ((9, wave(3, 0.3)), (21, lambda c, at: fine(c, at, 1.9))),
        "old-login": ((30, lambda c, at: fine(c, at, 0.09, days=5.3)),),
        "img-cdn": ((29, wave(4)), (1, wrong)),
        "batch-export": ((20, wave(5)), (8, stalled)),
        "reports": (),
    }
    for index, record in enumerate(ledger):
        past(record, *lives.get(record.spec.name, ((30, wave(index + 10)),)))
        if record.spec.name not in ("reports", "shop-prices"):
            lived(record, index, ((9.0 + index, 0.4), (500.0, 2.0)) if index % 4 == 0 else ((60.0, 0.2),))
    gappy = ledger.get("mail-out")
    assert gappy is not None
    before, gappy.recent = gappy.recent.results()[::-1], History(MONITOR.recent_results)
    for i, result in enumerate(before):
        gappy.recent = gappy.recent.add(
            structs.replace(result, started_at=result.started_at - (600 if i < 12 else 0)),
        )
    unknown = ledger.get("batch-export")
    assert unknown is not None
    return viewed(ledger)


@functools.cache
def troubled() -> Overview:
    """The monitor itself is not well."""
    view = evening()
    config = replace(
        view.monitor.config,
        error="checks.toml:14: checks[2].interval: 5 s is shorter than timeout.total, 15 s (raise one, or lower the "
        "other)\nchecks.toml:31: checks[5].url: no host\nchecks.toml:40: checks[6].nmae: unknown key (name?)",
    )
    trouble = (
        "the monitor is overloaded: of the last minute's runs 31 were skipped, and 402 of 3,000 started more than a "
        "second late; raise intervals or add probe workers, see Sizing in docs/operating.md"
    )
    return replace(view, monitor=replace(view.monitor, config=config, troubles=(trouble,)))


CROWD = 1200


def many(count: int = 1000) -> Overview:
    """A thousand checks or another number up to `CROWD`, three of them down."""
    view = _crowd()
    return replace(view, checks=view.checks[:count])


@functools.cache
def _crowd() -> Overview:
    groups = ("shop", "mail", "search", "edge", "identity", "billing", "internal", "partners")
    ledger = begun(
        *(spec(f"{groups[i % 8]}-node-{i:04}", groups[i % 8], labels=(("zone", f"z{i % 3}"),)) for i in range(CROWD))
    )
    for index, record in enumerate(ledger):
        broken = {17: refused, 402: late, 803: wrong}.get(index)
        past(record, (12, wave(index)), *(((6, broken),) if broken else ()))
        lived(record, index, ((5.0, 0.3),) if index % 50 == 3 else ())
    return viewed(ledger)


@functools.cache
def busy() -> Overview:
    """Forty checks, all fine: one laptop screen."""
    groups = ("shop", "mail", "edge", "identity")
    ledger = begun(*(spec(f"{groups[i % 4]}-{i:02}", groups[i % 4]) for i in range(40)))
    for index, record in enumerate(ledger):
        lived(past(record, (30, wave(index))), index)
    return viewed(ledger)


@functools.cache
def all_down() -> Overview:
    """Every check fails."""
    ledger = begun(*(spec(f"service-{i}", "core") for i in range(12)))
    for index, record in enumerate(ledger):
        past(record, (20, wave(index)), (10, late if index % 2 else refused))
    return viewed(ledger)


@functools.cache
def empty() -> Overview:
    """Nothing is configured yet."""
    return viewed(begun())


@functools.cache
def first_start() -> Overview:
    """Everything is configured and nothing has run."""
    return viewed(begun(*(spec(f"node-{i:03}", f"rack-{i % 7}") for i in range(147))))


@functools.cache
def paused() -> Overview:
    """Few checks, fine, one of them paused."""
    ledger = begun(spec("homepage"), spec("checkout"), spec("legacy", enabled=False), spec("new"))
    for index, record in enumerate(ledger):
        if record.spec.enabled and record.spec.name != "new":
            past(record, (24, wave(index)))
    return viewed(ledger)


@functools.cache
def extremes() -> Overview:
    """Names, details and labels as long and as strange as they may be."""
    ledger = begun(
        spec(
            "a" * 60 + "-" + "b" * 39,
            "ein-sehr-langer-gruppenname-mit-vielen-worten",
            labels=tuple((f"label_{n}", "wert " * 8) for n in range(4)),
            description="Über <b>alles</b>: «日本語» & עברית\nSecond line.",
            runbook="https://runbooks.example.com/" + "x" * 80,
        ),
        spec("x" * 100, "<script>alert(1)</script>"),
        spec("ok.json", "日本語"),
    )
    long_ = "x" * 120 + " «Größe» <script>alert('1')</script> & " + "ü" * 38
    lives: tuple[Made, ...] = (
        lambda c, at: structs.replace(wrong(c, at), detail=long_[:200]),
        wave(1),
        wave(2),
    )
    for record, made in zip(ledger, lives, strict=True):
        past(record, (30, made))
    return viewed(ledger, monitor_view("Überwachung " + "lang" * 12))


SCENES: dict[str, Callable[[], Overview]] = {
    "evening": evening,
    "troubled": troubled,
    "many": many,
    "busy": busy,
    "all_down": all_down,
    "empty": empty,
    "first_start": first_start,
    "paused": paused,
    "extremes": extremes,
}
