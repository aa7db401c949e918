"""Nothing of what only the team may know is in anything that outsiders get: planted, asked for, and not found."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from aiohttp import ClientSession
from msgspec import structs

from monitor.history.archive import Announcement, Outage
from monitor.live.ledger import Ledger
from monitor.live.view import CheckView
from monitor.model.answer import Hop, HttpAnswer, HttpFigures, TcpAnswer, TcpFigures
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.maintenance import MaintenanceSpec
from monitor.model.outcome import Reason
from monitor.model.request import Expect, Rule
from monitor.model.result import Attempt, Certificate, Ending, Evidence, Phases, Result
from monitor.model.settings import PublicSpec
from monitor.model.spec import CheckSpec
from monitor.rules.maintenance import plans
from monitor.web.access import Access
from tests.flat import changed, flat_result
from tests.web import gallery, public_scenes
from tests.web.conftest import Begin, FakeService
from tests.web.gallery import NOW
from tests.web.test_access import rules

MARK = "zqx"
"""Is in nothing else, whatever its case."""
PATHS = (
    *("/public", "/public.json", "/public/feed.atom"),
    *("/badge/shop-api.svg", "/badge/shop-api.svg?show=uptime", "/badge/shop-api.svg?show=latency&days=7"),
    *("/badge/shop-web.svg", "/badge/mail-out.svg?show=latency"),
    *("/badge/zqx-hidden.svg", "/badge/nothing.svg", "/badge/shop-api.svg?show=zqy", "/public/zqy"),
)
NUMBERS = ("8675", "503", "4242")
"""Of ports, statuses and sizes; no text of the page has them."""


def planted(reason: Reason = Reason.UNEXPECTED_STATUS, at: float = NOW.wall - 2) -> Result:
    """A result with a mark in every field."""
    certificate = Certificate(at - 1, at + 86400 * 200, f"CN={MARK}-subject", f"CN={MARK}-issuer", (f"{MARK}.example",))
    return flat_result(
        check="shop-api",
        started_at=at,
        reason=reason,
        detail=f"{MARK}-detail: status 503 from 198.51.100.7:8675",
        duration=0.31,
        phases=Phases(0.002, 0.03, 0.06, 0.21, 0.008),
        status_code=503,
        http_version=f"{MARK}-version",
        remote_address=f"{MARK}-address:8675",
        redirects=4242,
        content_length=4242,
        body_bytes=4242,
        tls_version=f"{MARK}-tls",
        certificates=(certificate,),
        attempts=(Attempt(f"{MARK}-attempt:8675", f"{MARK}-error", 0.1),),
        hops=(Hop(f"{MARK}-method", f"https://{MARK}-hop.example.com/", 503),),
        evidence=Evidence(((f"{MARK}-header", f"{MARK}-value"),), f"{MARK}-body", True),
        notes=(f"{MARK}-note",),
        verified=(certificate,),
        endings=(Ending(f"{MARK}-ending", at - 1, at + 86400 * 200),),
        client_ending=Ending(f"{MARK}-client", at - 1, at + 86400 * 200),
        tls_cipher=f"{MARK}-cipher",
    )


def marked(spec: CheckSpec) -> CheckSpec:
    """A check with a mark in everything that may hold one, but its name and group."""
    return changed(
        spec,
        url=f"https://{MARK}-url.example.com:8675/",
        target=f"https://{MARK}-target.example.com:8675/",
        labels=((f"{MARK}_label", f"{MARK}-label-value"),),
        description=f"{MARK}-description",
        runbook=f"https://{MARK}-runbook.example.com/",
        headers=((f"{MARK}-header", f"{MARK}-header-value"),),
        proxy=f"http://{MARK}-proxy.example.com:8675",
        resolver=(f"{MARK}-resolver:8675",),
        connect_to=(f"{MARK}-connect-to", 8675),
        source_address=f"{MARK}-source",
        latency=0.8,
        expect=Expect(body=(Rule("contains", f"{MARK}-expected"),)),
        secrets=frozenset({f"{MARK}-secret"}),
        was=(f"{MARK}-former-name",),
    )


def acknowledged() -> Acknowledgement:
    return Acknowledgement(f"{MARK}-who", f"{MARK}-note", NOW.wall - 60)


def told(incident: Incident) -> Incident:
    """With a mark in every field but its times."""
    return structs.replace(
        incident, detail=f"{MARK}-incident-detail", first=planted(), acknowledged=acknowledged(), reason=Reason.RESET,
        ended_by=f"{MARK}-ended-by",
    )  # fmt: skip


@pytest.fixture
def service() -> FakeService:
    """A service that has a mark everywhere, and shows some of its checks to everybody."""
    service = public_scenes.night()
    specs = [*(marked(c.spec) for c in service.view.checks), marked(gallery.spec(f"{MARK}-hidden", f"{MARK}-group"))]
    ledger = Ledger()
    window = MaintenanceSpec(f"{MARK}-window", NOW.wall - 60, 3600, checks=("mail-out",))
    later = MaintenanceSpec(f"{MARK}-later", NOW.wall + 60, 3600, checks=("*",))
    ledger.apply(specs, gallery.MONITOR, NOW._replace(wall=NOW.wall - 7200, steady=NOW.steady - 7200),
                 plans((window, later), specs))  # fmt: skip
    for record in ledger:
        fails = record.spec.name in ("shop-api", f"{MARK}-hidden")
        reason = Reason.UNEXPECTED_STATUS if fails else Reason.OK
        gallery.past(record, (30, lambda _, at, reason=reason: planted(reason, at)))
        record.acknowledge(acknowledged())
        record.incidents = tuple(map(told, record.incidents))
    config = replace(service.view.monitor.config, path=f"/etc/{MARK}/checks.toml", error=f"{MARK}-problem")
    monitor = gallery.monitor_view(
        f"{MARK}-title", version=f"{MARK}-monitor", listen=f"{MARK}-listen:8675", config=config,
        troubles=(f"{MARK}-trouble",),
    )  # fmt: skip
    service.view = gallery.viewed(ledger, monitor)
    archive = service.archive
    archive.logged = [*map(told, archive.logged), told(public_scenes.incident(f"{MARK}-hidden", 500, 60))]
    archive.found = {"shop-api": [planted()]}
    archive.missed = [Outage(NOW.wall - 5000, NOW.wall - 4000)]
    archive.said = [
        Announcement(
            f"{MARK}-id", "We know, and work on it.", f"{MARK}-by", NOW.wall - 60, None, ("shop", f"{MARK}-g")
        ),
        Announcement("x", f"{MARK}-announcement", "x", NOW.wall - 60, None, (f"{MARK}-group",)),
    ]
    return service


async def everything(session: ClientSession) -> str:
    """All that outsiders get, with the headers."""
    texts = []
    for path in PATHS:
        for accept in ("text/html", "application/json", "*/*"):
            async with session.get(path, headers={"Accept": accept}) as answer:
                texts.append(f"{answer.headers}\n{await answer.text()}")
    return "\n".join(texts)


@pytest.mark.parametrize("away", [None, f"the database at {MARK}-place is locked"])
async def test_nothing_that_was_planted_is_found_outside(begin: Begin, service: FakeService, away: str | None) -> None:
    server = await begin(access=Access(rules()))
    service.archive.away = away
    async with ClientSession(f"http://{server.address}/") as session:
        found = await everything(session)
    assert "1 of 7 services is down, 1 is in planned maintenance" in found
    assert [line for line in found.splitlines() if MARK in line.lower().replace("zqx-hidden", "")] == []
    assert "zqx-hidden" not in found.lower()
    words = [reason.value for reason in Reason if reason is not Reason.OK and "_" in reason.value]
    assert [word for word in (*words, "refused", "monitor 1", "198.51.100") if word in found] == []
    visible = re.sub(r'(?s)<svg.*?</svg>|"[^"]*_seconds":[\d.]+|[0-9a-f-]{12,}|\d\d:\d\d\S*', "", found)
    assert [number for number in NUMBERS if re.search(rf"\b{number}\b", visible)] == []


async def test_what_was_planted_is_found_by_who_may_view(begin: Begin, service: FakeService) -> None:
    """Or the test above would prove nothing."""
    server = await begin()
    async with ClientSession(f"http://{server.address}/") as session:
        for path in ("/status", "/status.json", "/status/shop-api", "/feed.atom", "/badge/zqx-hidden.svg"):
            async with session.get(path) as answer:
                assert MARK in await answer.text(), path


async def test_descriptions_are_all_that_can_be_let_out(begin: Begin, service: FakeService) -> None:
    service.shown = replace(service.shown, descriptions=True)
    server = await begin(access=Access(rules()))
    async with ClientSession(f"http://{server.address}/") as session:
        found = set(re.findall(rf"{MARK}[\w-]*", await everything(session)))
    assert found == {f"{MARK}-description"}


def names(type_: Any) -> set[str]:
    return set(getattr(type_, "__struct_fields__", ())) or {field.name for field in fields(type_)}


def test_every_field_there_is_was_thought_of() -> None:
    """A new field of these has to be planted above, or be here because it can hold no text or is shown on purpose."""
    assert names(Result) == {
        "check", "started_at", "reason", "detail", "duration", "phases", "remote_address", "answer",
        "tls_version", "certificates", "attempts", "evidence", "notes", "verified", "endings", "client_ending",
        "tls_cipher",
    }  # fmt: skip
    assert names(HttpAnswer) == {"status", "version", "redirects", "hops", "figures"}
    assert names(HttpFigures) == {"content_length", "body_bytes"}
    assert names(TcpAnswer) == {"done", "steps", "figures"}
    assert names(TcpFigures) == {"received", "labels"}
    assert names(Incident) == {
        "id", "check", "started_at", "reason", "detail", "ended_at", "first", "acknowledged", "ended_by",
    }  # fmt: skip
    assert names(Announcement) == {"id", "text", "by", "starts", "ends", "groups"}
    assert names(PublicSpec) == {"enabled", "groups", "title", "history", "descriptions"}
    assert names(CheckView) == {
        "now", "steady", "spec", "standing", "last", "next_run_at", "history", "incidents", "last_success",
        "last_failure", "last_success_at", "reading", "plan", "past",
    }  # fmt: skip
