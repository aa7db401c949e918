"""What the history promises, whichever database keeps it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from monitor.history.archive import Announcement, IncidentQuery
from monitor.history.tables import tallies
from monitor.model.incident import Acknowledgement, Incident
from monitor.model.outcome import Reason, State
from monitor.model.result import Result
from monitor.model.retention import HistorySpec
from tests.history.living import MONITOR, START, Life, World, bad, good, spec


def standing(life: object, name: str) -> tuple[object, ...]:
    record = life.record(name)  # type: ignore[attr-defined]
    now = record.standing
    incident = now.incident
    return (
        now.state, now.since, now.consecutive_failures, now.consecutive_successes, now.conclusive,
        incident and (incident.id, incident.started_at, incident.reason, incident.first, incident.acknowledged),
        record.last, record.last_success, record.last_failure, record.last_run_at, record.last_success_at,
        record.recent.results(),
    )  # fmt: skip


@pytest.mark.parametrize("killed", [False, True])
async def test_a_new_process_goes_on_where_the_one_before_ended(world: World, killed: bool) -> None:
    specs = spec("up"), spec("down"), spec("failing-once", down_after=3)
    async with world.life(*specs, killed=killed) as first:
        first.live("up", 5)
        first.live("down", 2)
        first.live("down", 4, failing=True)
        first.live("failing-once", 3)
        first.live("failing-once", 2, failing=True)
        incident = first.record("down").acknowledge(Acknowledgement("ana", "on it", world.clock().wall))
        assert incident is not None
        first.keeper.acknowledged(first.record("down"), incident)
        await first.write()
        before = [standing(first, s.name) for s in specs]
    world.clock.forward(20)
    async with world.life(*specs) as second:
        assert [standing(second, s.name) for s in specs] == before
        assert second.moved == [], "nothing flips, and nobody is paged anew"
        second.live("down", 1)
        assert second.record("down").standing.state is State.UP
        assert len(second.record("down").incidents) == 1


async def test_what_was_written_within_the_last_second_is_all_that_a_kill_costs(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 7)
        await first.write()
        first.live("a", 1, failing=True)
    async with world.life(spec("a")) as second:
        assert second.record("a").standing.consecutive_failures == 0
        assert len(second.record("a").recent) == 7


async def test_results_of_a_journal_are_counted_once(world: World) -> None:
    """Saved in between, so that a part of the journal is in what was saved, and a part is not."""
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 5)
        await first.write()
        first.live("a", 5)
        await first.save()
        first.live("a", 5)
        await first.write()
    async with world.life(spec("a")) as second:
        totals = await second.keeper.archive.totals(["a"], START, START + 3600)
        assert totals["a"].runs == 15
        assert totals["a"].up == pytest.approx(140, abs=1)


async def test_time_in_which_the_monitor_was_not_there_is_unknown(world: World) -> None:
    async with world.life(spec("a")) as first:
        first.live("a", 30)
    world.clock.forward(600)
    async with world.life(spec("a")) as second:
        second.live("a", 30)
        await second.write()
        end = world.clock().wall
        tally = (await second.keeper.archive.totals(["a"], START, end))["a"]
        assert tally.up == pytest.approx(590, abs=2)
        assert tally.availability == 1.0
        assert tally.coverage(end - START) == pytest.approx(590 / 1200, abs=0.01)
        (outage,) = await second.keeper.archive.outages(START, end)
        assert outage.ended_at - outage.started_at == pytest.approx(600, abs=2)


async def test_a_process_that_stood_still_has_not_looked(world: World) -> None:
    async with world.life(spec("a", interval=60.0)) as life:
        life.ledger.presence.seen(life.clock.forward(1))
        life.take(good("a", world.clock().wall))
        world.clock.forward(50)  # SIGSTOP: no sign of life meanwhile
        life.take(good("a", world.clock().wall))
        tally = (await life.keeper.archive.totals(["a"], START, world.clock().wall))["a"]
        assert tally.up < 2


async def test_stretches_are_the_same_before_and_after_they_are_written(world: World) -> None:
    async with world.life(spec("a")) as first:
        await first.last("a", 100)
        await first.last("a", 20, failing=True)
        await first.last("a", 300)
        end = world.clock().wall
        before = await first.keeper.archive.stretches("a", START, end, 60)
        hours = await first.keeper.archive.stretches("a", START, end, 3600)
    async with world.life(spec("a")) as second:
        assert await second.keeper.archive.stretches("a", START, end, 60) == before
        assert await second.keeper.archive.stretches("a", START, end, 3600) == hours
        assert sum(one.tally.runs for one in before) == sum(one.tally.runs for one in hours) == 420
        assert sum(one.tally.down for one in before) == pytest.approx(190, abs=1)


async def test_figures_of_minutes_hours_and_days_agree(world: World) -> None:
    async with world.life(spec("a", interval=60.0)) as life:
        await life.last("a", 60 * 50, every=60.0)
        end = world.clock().wall
        assert (await life.keeper.archive.totals(["a"], START, end))["a"].runs == 3000
        for step in (60, 3600, 7200, 86400):
            found = await life.keeper.archive.stretches("a", START, end, step)
            assert sum(one.tally.runs for one in found) == 3000
            assert all(one.start % one.step == 0 for one in found)
    async with world.life(spec("a", interval=60.0)) as second:
        assert (await second.keeper.archive.totals(["a"], START, end))["a"].runs == 3000


async def test_incidents_are_found_by_time_check_and_page(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as life:
        for _ in range(3):
            life.live("a", 3, failing=True)
            life.live("a", 3)
        life.live("b", 3, failing=True)
        await life.write()
        archive, end = life.keeper.archive, world.clock().wall
        found = await archive.incidents(IncidentQuery())
        assert [one.check for one in found] == ["b", "a", "a", "a"]
        assert [one.ended_at is None for one in found] == [True, False, False, False]
        assert [one.check for one in await archive.incidents(IncidentQuery(ongoing=True))] == ["b"]
        assert len(await archive.incidents(IncidentQuery(["a"], START, end))) == 3
        assert await archive.incidents(IncidentQuery(end=START)) == []
        first, second = (await archive.incidents(IncidentQuery(limit=2)))[:2]
        rest = await archive.incidents(IncidentQuery(limit=2, before=(second.started_at, second.id)))
        assert [first, second, *rest] == found
        alone = await archive.incident(rest[0].id)
        assert alone is not None
        assert alone.first is not None
        assert alone.first.evidence is not None
        assert alone.first.evidence.body == "no"
        assert await archive.incident("nothing") is None


def lost_sight(life: Life) -> Incident:
    """Three failures, and then nothing for long: unknown, and the incident goes on."""
    life.live("a", 3, failing=True)
    life.wait(100)
    transition = life.record("a").age(life.clock())
    assert transition is not None
    life.bus.transition(transition)
    standing = life.record("a").standing
    assert standing.state is State.UNKNOWN
    assert standing.incident is not None
    return standing.incident


async def test_an_incident_outlives_the_state_unknown(world: World) -> None:
    async with world.life(spec("a")) as life:
        incident = lost_sight(life)
        await life.write()
        assert await life.keeper.archive.incidents(IncidentQuery(ongoing=True)) == [incident]
        life.live("a", 1, failing=True)
        assert life.record("a").standing.incident is incident
        life.live("a", 1)
        await life.write()
        (one,) = await life.keeper.archive.incidents(IncidentQuery())
        assert (one.id, one.ended_at) == (incident.id, world.clock().wall)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("failing", [False, True])
async def test_a_restart_while_it_is_unknown_keeps_the_incident(world: World, killed: bool, failing: bool) -> None:
    async with world.life(spec("a"), killed=killed) as first:
        incident = lost_sight(first)
        await first.write()
    world.clock.forward(20)
    async with world.life(spec("a")) as second:
        standing = second.record("a").standing
        assert standing.state in (State.UNKNOWN, State.DOWN)  # the journal has it down, the next save unknown
        assert (standing.incident and standing.incident.id) == incident.id
        second.live("a", 1, failing=failing)
        standing = second.record("a").standing
        assert standing.state is (State.DOWN if failing else State.UP)
        await second.write()
        (one,) = await second.keeper.archive.incidents(IncidentQuery())
        assert (one.id, one.ended_at) == (incident.id, None if failing else world.clock().wall)
        assert standing.since == (incident.started_at if failing else world.clock().wall)


async def test_inconclusive_results_while_it_is_unknown_keep_the_incident(world: World) -> None:
    """They are in the journal, which a killed process leaves behind, with the state that followed."""
    async with world.life(spec("a"), killed=True) as first:
        incident = lost_sight(first)
        await first.save()
        first.take(Result("a", world.clock().wall, Reason.MONITOR_OFFLINE, "no network"))
        await first.write()
    async with world.life(spec("a")) as second:
        standing = second.record("a").standing
        assert (standing.state, standing.incident and standing.incident.id) == (State.UNKNOWN, incident.id)


async def test_the_incident_of_a_removed_check_is_over_at_once(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as life:
        life.live("a", 3, failing=True)
        await life.write()
        for transition in life.ledger.apply([spec("b")], MONITOR, world.clock()):
            life.bus.transition(transition)
        life.keeper.use(HistorySpec(location=world.location))
        await life.write()
        (one,) = await life.keeper.archive.incidents(IncidentQuery())
        assert (one.check, one.ended_at) == ("a", world.clock().wall)


async def test_an_incident_of_a_check_that_was_taken_away_does_not_last_for_ever(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as first:
        first.live("a", 3, failing=True)
    world.clock.forward(5)
    async with world.life(spec("b")) as second:
        await second.write()
        (one,) = await second.keeper.archive.incidents(IncidentQuery())
        assert one.check == "a"
        assert one.ended_at == pytest.approx(START + 30, abs=1)


async def test_a_renamed_check_keeps_its_past(world: World) -> None:
    async with world.life(spec("old")) as first:
        first.live("old", 3)
        first.live("old", 3, failing=True)
    async with world.life(spec("new", was=("old",)), killed=True) as second:
        assert second.record("new").standing.state is State.DOWN
        assert (await second.keeper.archive.totals(["new"], START, START + 100))["new"].runs == 6
        (one,) = await second.keeper.archive.incidents(IncidentQuery(["new"]))
        assert one.check in ("old", "new")
        second.live("new", 1)
        await second.write()
    async with world.life(spec("new")) as third:
        assert third.record("new").standing.state is State.UP
        assert (await third.keeper.archive.totals(["new"], START, START + 100))["new"].runs == 7


async def test_the_last_results_are_kept_and_failures_longer(world: World) -> None:
    async with world.life(spec("a"), results=20, failures=40) as life:
        await life.last("a", 30, failing=True)
        await life.last("a", 240)
        archive = life.keeper.archive
        found = await archive.results("a", 1000)
        assert found == sorted(found, key=lambda r: -r.started_at)
        assert len([r for r in found if r.failed]) >= 30
        assert 20 <= len([r for r in found if not r.failed]) <= 80, "pruned, and what is in memory besides"
        assert all(r.failed for r in await archive.results("a", 5, failed=True))
        older = await archive.results("a", 5, before=found[4].started_at)
        assert older == found[5:10]


async def test_what_is_older_than_it_is_kept_for_goes(world: World) -> None:
    async with world.life(spec("a"), minutes=3600.0, hours=7200.0, days=86400.0 * 3) as life:
        await life.last("a", 360 * 4)
        found = [tuple(row) for row in await life.keeper._database.rows(select(tallies.c.step, tallies.c.start))]
        oldest = {step: min(start for s, start in found if s == step) for step in (60, 3600)}
        assert oldest[60] >= world.clock().wall - 3600 - 60
        assert oldest[3600] >= world.clock().wall - 7200 - 3600


async def test_announcements_are_shown_until_they_are_over(world: World) -> None:
    now = world.clock().wall
    async with world.life(spec("a")) as first:
        await first.keeper.notices.announce(Announcement("x", "slow", "ana", now, now + 60))
        await first.keeper.notices.announce(Announcement("y", "for ever", "ana", now - 1))
        assert [one.id for one in first.keeper.notices.shown(now)] == ["x", "y"]
    async with world.life(spec("a")) as second:
        assert [one.id for one in second.keeper.notices.shown(now + 61)] == ["y"]
        assert await second.keeper.notices.withdraw("y", now + 70)
        assert not await second.keeper.notices.withdraw("y", now + 71)
        assert second.keeper.notices.shown(now + 71) == ()
        assert [one.id for one in await second.keeper.archive.announcements(now, now + 100)] == ["x", "y"]


async def test_a_second_process_is_told_that_another_one_writes(world: World) -> None:
    async with world.life(spec("a")) as first:
        first.live("a", 1)
        async with world.life(spec("a")) as second:
            assert not second.keeper._database.is_open
            assert second.keeper.trouble is None
            world.clock.forward(10)
            assert "another monitor writes" in str(second.keeper.trouble)


async def test_a_paused_check_follows_the_configuration(world: World) -> None:
    async with world.life(spec("a"), spec("b", enabled=False)) as first:
        first.live("a", 3, failing=True)
    async with world.life(spec("a", enabled=False), spec("b")) as second:
        assert second.record("a").standing.state is State.PAUSED
        assert second.record("a").standing.incident is None
        assert second.record("b").standing.state is State.UNKNOWN


async def test_inconclusive_results_are_nobodys_fault_after_a_restart_either(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 2)
        world.clock.forward(10)
        first.take(bad("a", world.clock().wall, Reason.MONITOR_OVERLOADED), runs=3)
        await first.write()
    async with world.life(spec("a")) as second:
        record = second.record("a")
        assert record.standing.state is State.UP
        assert record.last is not None
        assert record.last.reason is Reason.MONITOR_OVERLOADED
        assert (await second.keeper.archive.totals(["a"], START, START + 60))["a"].inconclusive == 3


async def test_what_is_announced_while_results_are_written_waits_its_turn(world: World) -> None:
    async with world.life(spec("a")) as life:
        life.live("a", 3)
        now = world.clock().wall
        said = (life.keeper.notices.announce(Announcement(f"{n}", "slow", "ana", now)) for n in range(5))
        await asyncio.gather(life.write(), *said)
        assert len(life.keeper.notices.shown(now)) == 5
        assert life.keeper.trouble is None
        assert life.keeper.meter.queue == 0
