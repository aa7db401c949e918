"""What is told of the past is what was seen: across kills, stops, removals, names and steps of the clock."""

from __future__ import annotations

import pytest
from msgspec import structs
from sqlalchemy import select

from monitor.history.archive import IncidentQuery
from monitor.history.tables import check_events
from monitor.model.outcome import State
from monitor.model.spec import CheckSpec
from monitor.stats.tally import Tally
from tests.history.living import MONITOR, START, Life, World, spec

HOUR = 3600.0


async def total(life: Life, name: str = "a", start: float = START - 48 * HOUR, end: float = START + 48 * HOUR) -> Tally:
    await life.write()
    return (await life.keeper.archive.totals([name], start, end))[name]


def reload(life: Life, *specs: CheckSpec) -> None:
    for transition in life.ledger.apply(specs, MONITOR, life.clock()):
        life.bus.transition(transition)
    life.keeper.use(life.keeper._writer.pruning._spec)


# time


async def test_a_process_that_was_stopped_and_then_killed_saw_nothing_meanwhile(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        await first.write()
        world.clock.forward(25)  # SIGSTOP
        first.take_good("a")
        await first.write()
    world.clock.forward(5)
    async with world.life(spec("a")) as second:
        assert (await total(second)).known == pytest.approx(20, abs=2)


async def test_a_pause_before_a_kill_is_no_time_in_a_state(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        reload(first, spec("a", enabled=False))
        await first.write()
        first.wait(20)
        first.keeper._journal.pressing = True  # something else is saved, and shows that the process lives
        await first.write()
    async with world.life(spec("a", enabled=False)) as second:
        assert second.record("a").standing.since == START + 30
        tally = await total(second)
        assert tally.known == pytest.approx(20, abs=1)
        assert tally.paused >= 19


async def test_the_time_between_two_killed_processes_is_unknown(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        await first.write()
    world.clock.forward(25)
    async with world.life(spec("a"), killed=True) as second:
        second.live("a", 2, every=5)
        await second.write()
    world.clock.forward(5)
    async with world.life(spec("a")) as third:
        assert (await total(third)).known == pytest.approx(20 + 10, abs=2)


@pytest.mark.parametrize("step", [3 * HOUR, -2 * HOUR, -START])
async def test_an_incident_is_as_long_as_the_target_was_down_whatever_the_clock_does(world: World, step: float) -> None:
    async with world.life(spec("a", down_after=1)) as life:
        life.live("a", 3)
        life.live("a", 1, failing=True)
        life.wait(5)
        life.ledger.presence.seen(world.clock.forward(0, wall=step))
        life.wait(5)
        life.take_good("a")
        await life.write()
        (one,) = await life.keeper.archive.incidents(IncidentQuery())
        assert one.ended_at is not None
        assert one.ended_at - one.started_at == pytest.approx(10, abs=1)


@pytest.mark.parametrize("step", [-1800.0, -90.0, -2 * HOUR, 1800.0])
async def test_results_after_a_step_of_the_clock_count(world: World, step: float) -> None:
    async with world.life(spec("a")) as life:
        await life.last("a", 60)
        life.ledger.presence.seen(world.clock.forward(0, wall=step))
        await life.last("a", 30)
        now = world.clock().wall
        lately = await total(life, start=now - 290, end=now)
        assert lately.runs >= 28
        assert lately.availability == 1.0
        assert (await total(life)).runs == 90
        assert (await total(life)).known == pytest.approx(890, abs=15)


async def test_a_clock_that_runs_ahead_prunes_nothing(world: World) -> None:
    async with world.life(spec("a")) as first:
        await first.last("a", 60)
        first.live("a", 3, failing=True)
        first.live("a", 1)
    world.clock.forward(0, wall=10 * 365 * 86400.0)
    async with world.life(spec("a")) as second:
        for _ in range(3):
            second.live("a", 1)
            await second.save()
            for _ in range(4):  # a round of one check
                await second.prune()
    world.clock.forward(0, wall=-10 * 365 * 86400.0)
    async with world.life(spec("a")) as third:
        tally = await total(third)
        assert tally.runs >= 64
        assert len(await third.keeper.archive.incidents(IncidentQuery())) == 1


# identity


async def test_a_check_that_is_removed_while_down_and_put_back_has_one_incident_at_a_time(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as life:
        life.live("a", 3, failing=True)
        reload(life, spec("b"))
        await life.write()
        life.wait(20)
        reload(life, spec("a"), spec("b"))
        life.live("a", 2, failing=True)
        await life.write()
        assert len(await life.keeper.archive.incidents(IncidentQuery(ongoing=True))) == 1
        life.live("a", 1)
    async with world.life(spec("a"), spec("b")) as second:
        assert await second.keeper.archive.incidents(IncidentQuery(ongoing=True)) == []
        assert len(await second.keeper.archive.incidents(IncidentQuery())) == 2


async def test_a_check_that_comes_back_has_its_past(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as first:
        first.live("a", 6)
        await first.save()
        reload(first, spec("b"))
        await first.write()
        first.wait(20)
        reload(first, spec("a"), spec("b"))
        first.live("a", 2)
        assert (await total(first)).runs == 8
        assert (await total(first)).known == pytest.approx(50 + 10, abs=1), "nobody looked in between"
    async with world.life(spec("b")) as second:
        second.live("b", 2)
    async with world.life(spec("a"), spec("b")) as third:
        assert (await total(third)).runs == 8
        third.live("a", 2)
        assert (await total(third)).runs == 10


@pytest.mark.parametrize("killed", [False, True])
async def test_an_incident_goes_with_its_check_to_another_name(world: World, killed: bool) -> None:
    async with world.life(spec("a"), spec("b"), killed=killed) as first:
        first.live("a", 3, failing=True)
        await first.write()
        reload(first, spec("new", was=("a",)), spec("b"))
        first.live("new", 1, failing=True)
        await first.write()
        (one,) = await first.keeper.archive.incidents(IncidentQuery(["new"]))
        assert one.check == "new"
    async with world.life(spec("new", was=("a",)), spec("b")) as second:
        standing = second.record("new").standing
        assert standing.state is State.DOWN
        assert (standing.incident and standing.incident.id) == one.id
        second.live("new", 1)
        await second.write()
        (over,) = await second.keeper.archive.incidents(IncidentQuery())
        assert (over.id, over.check, over.ended_at) == (one.id, "new", world.clock().wall)


async def test_a_name_that_another_check_had_once_brings_nothing_along(world: World) -> None:
    """b is renamed onto a, which was removed: the past of b goes with it, that of the old a stays its own."""
    async with world.life(spec("a"), spec("b")) as life:
        life.live("a", 3, failing=True)
        life.live("a", 1)
        life.live("b", 5)
        await life.save()
        reload(life, spec("b"))
        await life.write()
        reload(life, spec("a", was=("b",)))
        life.live("a", 1)
        tally = await total(life)
        assert tally.runs == 6
        assert tally.failures == 0
    async with world.life(spec("a", was=("b",))) as second:
        assert (await total(second)).runs == 6
        assert second.record("a").incidents == ()


@pytest.mark.parametrize("how", ["reload", "restart"])
async def test_what_ended_while_the_monitor_was_off_is_over_when_the_check_comes_back(world: World, how: str) -> None:
    async with world.life(spec("a"), spec("b")) as first:
        first.live("a", 3)
        first.live("a", 3, failing=True)
    ended = world.clock().wall
    world.clock.forward(5)
    async with world.life(spec("b")) as second:
        second.live("b", 1)
        if how == "reload":
            reload(second, spec("a"), spec("b"))
            await second.write()
            await check_is_new(second, ended)
    if how == "restart":
        async with world.life(spec("a"), spec("b")) as third:
            await check_is_new(third, ended)


async def check_is_new(life: Life, ended: float) -> None:
    assert (life.record("a").standing.state, life.record("a").standing.incident) == (State.UNKNOWN, None)
    life.live("a", 1)
    tally = await total(life)
    assert (tally.runs, round(tally.known)) == (7, 50), "nobody looked after its end"
    (one,) = await life.keeper.archive.incidents(IncidentQuery())
    assert (one.check, one.ended_at, one.ended_by) == ("a", ended, "removal")


async def test_the_past_of_a_removed_check_is_whole_until_it_comes_back_and_then(world: World) -> None:
    async with world.life(spec("a"), spec("b"), killed=True) as first:
        first.live("a", 8)
        reload(first, spec("b"))
        for _ in range(2):
            tally = await total(first)
            assert (tally.runs, round(tally.known)) == (8, 70), "it is in no open minute, hour or day"
        reload(first, spec("a"), spec("b"))
        first.live("a", 2)
        tally = await total(first)
        assert (tally.runs, round(tally.known)) == (10, 80), "nothing is known of it before its next result"
        found = await first.keeper.archive.stretches("a", START - 60, START + 3600, 3600)
        assert sum(one.tally.runs for one in found) == 10
        await first.save()
    async with world.life(spec("a"), spec("b")) as second:
        await second.last("a", 400)
        assert (await total(second)).runs == 410
        found = await second.keeper.archive.stretches("a", START - 86400, START + 7200, 86400)
        assert sum(one.tally.runs for one in found) == 410


async def test_a_check_that_was_removed_comes_back_under_another_name(world: World) -> None:
    async with world.life(spec("a"), spec("b")) as life:
        life.live("a", 3, failing=True)
        life.live("a", 3)
        await life.save()
        reload(life, spec("b"))
        await life.write()
        life.wait(20)
        reload(life, spec("new", was=("a",)), spec("b"))
        life.live("new", 2)
        assert (await total(life, "new")).runs == 8
        (one,) = await life.keeper.archive.incidents(IncidentQuery(["new"]))
        assert one.check == "new"
        rows = await life.keeper._database.rows(select(check_events).order_by(check_events.c.at))
        assert [(row.event, row.name) for row in rows if row.name != "b"] == [
            ("created", "a"), ("removed", "a"), ("returned", "new"),
        ]  # fmt: skip


@pytest.mark.parametrize("how", ["reload", "restart"])
async def test_one_change_may_rename_a_check_onto_one_that_it_removes(world: World, how: str) -> None:
    async with world.life(spec("a"), spec("b"), killed=True) as first:
        first.live("b", 3, failing=True)
        first.live("a", 3)
        await first.write()
        incident = first.record("b").standing.incident
        assert incident is not None
        if how == "reload":
            reload(first, spec("a", was=("b",)))
            assert first.record("a").standing.incident == structs.replace(incident, check="a")
            await first.write()
    for specs in ([spec("a", was=("b",))], [spec("a", was=("b",))], [spec("a")]):
        async with world.life(*specs, killed=True) as life:
            assert life.record("a").standing.incident == structs.replace(incident, check="a")
            tally = await total(life)
            assert (tally.runs, tally.failures) == (3, 3)


async def test_an_incident_ends_at_the_last_sign_of_life_also_after_the_clock_was_put_back(world: World) -> None:
    async with world.life(spec("a"), spec("b"), killed=True) as first:
        first.live("a", 3)
        first.live("a", 3, failing=True)
        await first.write()
        first.ledger.presence.seen(world.clock.forward(0, wall=-2 * HOUR))
        first.wait(7)
        first.live("b", 1, every=1)
        first.record("a").age(world.clock())
        await first.write()
        killed = world.clock().wall
    world.clock.forward(600)
    async with world.life(spec("b")) as second:
        await second.write()
        (one,) = await second.keeper.archive.incidents(IncidentQuery())
        assert (one.ended_at, one.ended_by) == (killed, "removal")


async def test_a_check_of_a_reload_is_known_as_soon_as_its_incident(world: World) -> None:
    """A kill before the check was saved left its incident with nobody, and it was told as over."""
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 1)
        await first.write()
        reload(first, spec("a"), spec("new"))
        first.live("new", 3, failing=True)
        await first.write()
        incident = first.record("new").standing.incident
    async with world.life(spec("a"), spec("new")) as second:
        assert second.record("new").standing.incident == incident
        second.live("new", 1)
        await second.write()
        assert len(await second.keeper.archive.incidents(IncidentQuery())) == 1


async def test_two_checks_that_swap_their_names_keep_their_pasts(world: World) -> None:
    async with world.life(spec("a"), spec("b"), killed=True) as first:
        first.live("a", 3, failing=True)
        first.live("b", 5)
        await first.write()
        incident = first.record("a").standing.incident
        reload(first, spec("c", was=("a",)), spec("b"))
        reload(first, spec("c"), spec("a", was=("b",)))
        reload(first, spec("b", was=("c",)), spec("a"))
        await first.write()
    async with world.life(spec("a"), spec("b")) as second:
        found = second.record("b").standing.incident
        assert found is not None
        assert incident is not None
        assert (found.id, found.check) == (incident.id, "b")
        assert (await total(second, "a")).failures == 0
        assert (await total(second, "b")).runs == 3


async def test_a_check_that_is_renamed_while_the_database_is_away_keeps_its_past(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 5)
        await first.save()
        await first.keeper._database.close()
        first.keeper._opened_at = 1e12  # no turn opens it
        reload(first, spec("new", was=("a",)))
        reload(first, spec("new"))
        first.live("new", 3)
        first.keeper._opened_at = -1e9
        await first.write()
        await first.save()
        assert (await total(first, "new")).runs == 8
    async with world.life(spec("new")) as second:
        assert (await total(second, "new")).runs == 8


async def test_what_nobody_watches_any_more_goes_after_its_time(world: World) -> None:
    async with world.life(spec("a"), spec("b"), days=30 * 86400.0, hours=86400.0, minutes=HOUR) as life:
        await life.last("a", 20)
        reload(life, spec("b"))
        await life.write()
        for days, left in ((29, ["a", "b"]), (2, ["b"])):
            life.ledger.presence.seen(world.clock.forward(days * 86400))
            life.live("b", 1)
            await life.save()
            for _ in range(4):  # a round of two checks
                await life.prune()
            assert await life.checks() == left


# limits


async def test_a_check_every_100_ms_loses_no_results(world: World) -> None:
    async with world.life(spec("a", interval=0.1), results=1000) as life:
        for _ in range(10):
            life.live("a", 24, every=0.1)  # two seconds and a half, after which a turn comes late
            await life.write()
        found = await life.keeper.archive.results("a", 1000)
        assert len(found) == 240


async def test_the_evidence_of_old_incidents_is_in_the_database_and_not_in_memory(world: World) -> None:
    async with world.life(spec("a", down_after=1)) as life:
        for _ in range(5):
            life.live("a", 1, failing=True)
            life.live("a", 1)
            await life.write()
        kept = life.record("a").incidents
        assert [one.first is not None for one in kept] == [True, False, False, False, False]
        for one in kept:
            stored = await life.keeper.archive.incident(one.id)
            assert stored is not None
            assert stored.first is not None
            assert stored.first.evidence is not None


async def test_a_stretch_that_ended_while_the_database_was_away_is_kept(world: World) -> None:
    async with world.life(spec("a"), killed=True) as first:
        first.live("a", 3)
        await first.write()
        await first.keeper._database.close()
        first.keeper._opened_at = 1e12  # no turn opens it
        first.live("a", 3)
        await first.write()
        world.clock.forward(60)  # SIGSTOP
        first.ledger.presence.seen(world.clock())
        await first.write()
        first.keeper._opened_at = -1e9
        first.live("a", 1)
        await first.write()
        found = await first.keeper.archive.outages(START, START + 3600)
        assert [(one.started_at - START, one.ended_at - START) for one in found] == [(60, 120)]
    async with world.life(spec("a")) as second:
        found = await second.keeper.archive.outages(START, START + 3600)
        assert [(one.started_at - START, one.ended_at - START) for one in found] == [(60, 120)]
