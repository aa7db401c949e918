"""The public page as outsiders meet it, from a quiet afternoon to a bad night."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from monitor.history.archive import Announcement
from monitor.live.ledger import Ledger
from monitor.live.view import Overview
from monitor.model.incident import Incident, incident_id
from monitor.model.maintenance import MaintenanceSpec
from monitor.model.outcome import Reason
from monitor.model.settings import PublicSpec
from monitor.rules.maintenance import plans
from monitor.stats.rollups import Stretch
from monitor.stats.tally import Tally
from tests.web import gallery
from tests.web.conftest import FakeService
from tests.web.gallery import DAY, NOW
from tests.web.past import LaidOut

PUBLIC = PublicSpec(enabled=True, groups=("shop", "mail"), title="Example Shop status")
TODAY = int(NOW.wall) // 86400 * 86400
NAMES = ("shop-web", "shop-api", "shop-cart", "shop-search", "mail-in", "mail-out", "webmail")


def days(seed: int, length: int = 90) -> Iterator[Stretch]:
    """So many days up to now, mostly good ones."""
    for ago in range(length - 1, -1, -1):
        whole = NOW.wall - TODAY if ago == 0 else DAY
        roll = (ago * 37 + seed * 101) % 97
        down = {3: 240.0, 5: 2400.0, 11: 4 * 3600.0}.get(roll + 45 * (seed % 3), 0.0) if ago else 0.0
        degraded = whole * 0.3 if roll == 20 and ago else 0.0
        planned = 7200.0 if roll == 40 else 0.0
        lost = whole * 0.4 if roll == 50 else 0.0
        good = whole - down - degraded - planned - lost
        yield Stretch(86400, TODAY - ago * 86400, Tally(up=good, degraded=degraded, down=down, maintenance=planned))


def incident(check: str, ago: float, lasted: float | None, reason: Reason = Reason.REFUSED) -> Incident:
    """One that began so many seconds ago."""
    began = NOW.wall - ago
    ended = None if lasted is None else began + lasted
    return Incident(
        incident_id(check, began), check, began, reason, "the connection to 198.51.100.7 was refused", ended
    )


def past(*names: str) -> LaidOut:
    """Ninety days of these checks, and some incidents of the last two weeks."""
    return LaidOut(
        minutes={name: list(days(seed)) for seed, name in enumerate(names)},
        logged=[
            incident("shop-api", 11 * DAY + 9000, 240),
            incident("mail-in", 4 * DAY + 4000, 2400),
            incident("shop-cart", 4 * DAY + 40_000, 14_400),
            incident("mail-in", 4 * DAY + 45_000, 61),
        ],
    )


def lived(
    lives: Mapping[str, tuple[tuple[int, gallery.Made], ...]], planned: tuple[MaintenanceSpec, ...] = ()
) -> Overview:
    """The shop and its mail, and a group that is nobody's business, with these lives."""
    specs = [gallery.spec(name, "mail" if "mail" in name else "shop", latency=0.8) for name in NAMES]
    specs.append(gallery.spec("ledger-db", "internal"))
    ledger = Ledger()
    before = NOW._replace(wall=NOW.wall - 7200, steady=NOW.steady - 7200)
    ledger.apply(specs, gallery.MONITOR, before, plans(planned, specs))
    for index, record in enumerate(ledger):
        gallery.past(record, *lives.get(record.spec.name, ((30, gallery.wave(index)),)))
    return gallery.viewed(ledger)


def quiet() -> FakeService:
    """Nothing is wrong."""
    return FakeService(lived({}), shown=PUBLIC, archive=past(*NAMES))


def night() -> FakeService:
    """Two services are down, and one is slow."""
    lives = {
        "shop-api": ((60, gallery.wave(1)), (132, gallery.refused)),
        "mail-in": ((60, gallery.wave(2)), (18, gallery.late)),
        "shop-search": ((60, lambda check, at: gallery.fine(check, at, 1.9)),),
    }
    service = FakeService(lived(lives), shown=PUBLIC, archive=past(*NAMES))
    for check in service.view.checks:
        for one in check.incidents:
            service.archive.logged.append(one)
            today = service.archive.minutes[one.check][-1].tally
            today.down = NOW.wall - one.started_at
            today.up -= today.down
    return service


def announced() -> FakeService:
    """Maintenance is under way, more is to come, and both are announced."""
    planned = (
        MaintenanceSpec("database upgrade", NOW.wall - 1800, 5400, groups=("mail",)),
        MaintenanceSpec("switch", NOW.wall + 2 * DAY, 3 * 3600, checks=("shop-*",)),
    )
    service = FakeService(lived({}, planned), shown=PUBLIC, archive=past(*NAMES))
    service.archive.said = [
        Announcement(
            "a2", "We move the mail servers to new machines. Mail that is sent meanwhile arrives later; none is lost.",
            "anna", NOW.wall - 3600, NOW.wall + 3600, ("mail", "internal"),
        ),
        Announcement("a1", "Over the holidays the shop answers questions within two days.", "bob", NOW.wall - 3 * DAY),
        Announcement("a0", "The ledger is being copied.", "bob", NOW.wall - DAY, None, ("internal",)),
    ]  # fmt: skip
    return service


def away() -> FakeService:
    """Two services are down, and the past cannot be read."""
    service = night()
    service.archive.away = "the database at /var/lib/monitor/monitor.db is locked"
    return service


def young() -> FakeService:
    """The monitor began a week ago."""
    service = quiet()
    service.archive = LaidOut(minutes={name: list(days(seed, 7)) for seed, name in enumerate(NAMES)})
    return service


def strange() -> FakeService:
    """Names, groups, descriptions and announcements as long and as strange as they may be."""
    service = FakeService(gallery.extremes(), shown=PublicSpec(enabled=True, groups=("*",), descriptions=True))
    service.archive = past(*(check.name for check in service.view.checks))
    service.archive.logged = [incident(check.name, 3 * DAY, 90_000) for check in service.view.checks]
    said = "<b>Ä</b> " + "x" * 300 + "\nSecond line."
    service.archive.said = [Announcement("a", said, "", NOW.wall - 400 * DAY, NOW.wall + 400 * DAY)]
    return service


SCENES: dict[str, Callable[[], FakeService]] = {
    "quiet": quiet,
    "night": night,
    "announced": announced,
    "away": away,
    "young": young,
    "strange": strange,
}
