"""The clock follows the database, and clocks that differ are logged once, and once more when they agree again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from structlog.testing import capture_logs

from chat_mvp.clock import Clock
from chat_mvp.errors import UnavailableError
from chat_mvp.ops.timekeeping import WORST_ANSWER_S, Timekeeper

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class World:
    """A machine, its database, and how far their clocks are ahead; time passes when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.database_off_s = self.host_off_s = 0.0
        self.answer_takes_s = 0.0
        self.answers = True
        self.clock = Clock(self.host_now(), elapsed=lambda: self.seconds)
        self.keeper = Timekeeper(self.clock, self.fetch_time, host_now=self.host_now, elapsed=lambda: self.seconds)

    def host_now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds + self.host_off_s)

    async def fetch_time(self) -> datetime:
        if not self.answers:
            raise UnavailableError("The database cannot answer just now.")
        self.seconds += self.answer_takes_s / 2
        moment = NOON + timedelta(seconds=self.seconds + self.database_off_s)
        self.seconds += self.answer_takes_s / 2
        return moment

    async def minutes(self, count: int) -> list[dict[str, Any]]:
        """Let minutes pass, each with a look at the database, and return what was logged."""
        with capture_logs() as logged:
            for _ in range(count):
                self.seconds += 60
                await self.keeper.follow()
        return [dict(entry) for entry in logged]

    def wrong_by_s(self) -> float:
        return (self.clock() - NOON).total_seconds() - self.seconds


async def started(world: World) -> World:
    await world.keeper.start()
    return world


async def test_a_machine_that_is_wrong_at_the_start_dates_nothing_wrongly() -> None:
    world = World()
    world.host_off_s = 3_600
    with capture_logs() as logged:
        await started(world)
    assert world.wrong_by_s() == 0
    assert [(it["event"], it["host_ahead_s"]) for it in logged] == [("clocks_apart", 3_600)]
    world.keeper.close()


async def test_clocks_that_jump_are_noticed_once_and_again_when_they_are_right() -> None:
    world = await started(World())
    world.host_off_s = world.database_off_s = 3_600  # one machine, whose clock was set
    logged = await world.minutes(10)
    assert [it["event"] for it in logged] == ["clocks_apart"]
    assert 3_500 < logged[0]["database_ahead_s"] <= 3_600
    assert 0 < world.wrong_by_s() <= 60
    world.host_off_s = world.database_off_s = 0
    assert [it["event"] for it in await world.minutes(20)] == ["clocks_agree"]
    assert abs(world.wrong_by_s()) < 0.01
    world.keeper.close()


async def test_a_host_whose_clock_alone_jumps_does_not_drag_it() -> None:
    world = await started(World())
    world.host_off_s = -3_600
    assert [it["event"] for it in await world.minutes(5)] == ["clocks_apart"]
    assert world.wrong_by_s() == 0
    assert -3_601 < world.keeper.host_ahead_s < -3_599
    world.keeper.close()


async def test_a_database_that_does_not_answer_changes_nothing() -> None:
    world = await started(World())
    world.answers = False
    assert await world.minutes(5) == []
    assert world.wrong_by_s() == 0
    world.keeper.close()


async def test_the_time_an_answer_takes_does_not_count() -> None:
    world = await started(World())
    world.answer_takes_s = 0.8
    await world.minutes(5)
    assert abs(world.wrong_by_s()) < 0.002
    world.answer_takes_s, world.database_off_s = 2 * WORST_ANSWER_S, 30
    await world.minutes(5)
    assert abs(world.wrong_by_s()) < 0.002, "an answer that came late says nothing"
    world.keeper.close()
