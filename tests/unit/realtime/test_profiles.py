import asyncio
from collections.abc import AsyncIterator, Collection

import pytest
from msgspec import structs

from chat_mvp.delivery.bus import MemoryBus, Publication
from chat_mvp.errors import UnavailableError
from chat_mvp.protocol import User, UserUpdated
from chat_mvp.realtime.profiles import ATTEMPTS, AUDIENCE_AT_ONCE, ProfileUpdates
from chat_mvp.supervision import Supervisor
from tests.support.waiting import eventually

ANN = User(id="ann", username="ann", display_name="Ann", avatar_url=None, bio="", created_at="")
BOB = structs.replace(ANN, id="bob", username="bob")


class House:
    """Profile updates with a database that answers when ``gate`` is open, and fails as often as ``failures`` says."""

    def __init__(self) -> None:
        self.sent: list[Publication] = []
        self.known = {"bob", "cat"}
        self.blocked: set[str] = set()
        self.connected = ["ann", "bob", "cat", "dan"]
        self.asked: list[set[str]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()
        bus = MemoryBus()
        bus.subscribe(self.sent.append)
        self.updates = ProfileUpdates(
            fetch_acquaintances=self._fetch,
            fetch_blocked=self._fetch_blocked,
            connected=lambda: self.connected,
            bus=bus,
            max_waiting=2,
            retry_after_s=0,
        )

    async def _fetch(self, user_id: str, among: Collection[str]) -> set[str]:
        self.asked.append(set(among))
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise UnavailableError("not now")
        return self.known - {user_id}

    async def _fetch_blocked(self, user_id: str) -> frozenset[str]:
        return frozenset(self.blocked)

    async def until_sent(self, count: int) -> None:
        async def probe() -> bool:
            return len(self.sent) >= count

        await eventually(probe)

    def names(self) -> list[str]:
        return [it.frame.user.display_name for it in self.sent if isinstance(it.frame, UserUpdated)]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    house.updates.start(Supervisor())
    yield house
    await house.updates.stop()


async def settle() -> None:
    await asyncio.sleep(0.03)


async def test_it_goes_to_acquaintances_and_to_own_devices(house: House) -> None:
    house.updates.send(ANN)
    await settle()
    (publication,) = house.sent
    assert sorted(publication.audience) == ["ann", "bob", "cat"]
    assert publication.frame == UserUpdated(user=ANN)
    assert house.asked == [{"bob", "cat", "dan"}]


async def test_a_block_that_comes_while_it_is_prepared_counts(house: House) -> None:
    house.gate.clear()
    house.updates.send(ANN)
    await settle()
    house.blocked.add("bob")
    house.gate.set()
    await settle()
    assert sorted(house.sent[0].audience) == ["ann", "cat"]


async def test_of_several_changes_the_last_one_is_sent(house: House) -> None:
    house.gate.clear()
    house.updates.send(BOB)
    await settle()
    for name in ("A", "B", "C"):
        house.updates.send(structs.replace(ANN, display_name=name))
    house.gate.set()
    await house.until_sent(2)
    await settle()
    assert house.names() == ["Ann", "C"]


async def test_more_than_may_wait_are_not_sent(house: House) -> None:
    house.gate.clear()
    house.updates.send(ANN)
    await settle()
    for number in range(4):
        house.updates.send(structs.replace(ANN, id=str(number), display_name=str(number)))
    house.updates.send(structs.replace(ANN, id="1", display_name="again"))
    house.gate.set()
    await house.until_sent(3)
    await settle()
    assert house.names() == ["Ann", "0", "again"]


async def test_a_database_that_cannot_answer_is_asked_again(house: House) -> None:
    house.failures = ATTEMPTS - 1
    house.updates.send(ANN)
    await settle()
    assert house.names() == ["Ann"]
    house.failures = ATTEMPTS
    house.updates.send(BOB)
    await settle()
    assert house.failures == 0
    house.updates.send(ANN)
    await settle()
    assert [it.frame for it in house.sent] == [UserUpdated(user=ANN)] * 2, "the other one was given up"


async def test_a_large_audience_is_sent_in_pieces(house: House) -> None:
    house.known = {f"user {number}" for number in range(2 * AUDIENCE_AT_ONCE)}
    house.connected = list(house.known)
    house.updates.send(ANN)
    await settle()
    assert [len(it.audience) for it in house.sent] == [AUDIENCE_AT_ONCE, AUDIENCE_AT_ONCE, 1]
    assert {user_id for it in house.sent for user_id in it.audience} == house.known | {"ann"}


async def test_without_other_connected_users_nothing_is_read(house: House) -> None:
    house.connected = ["ann"]
    house.updates.send(ANN)
    await settle()
    assert house.asked == []
    assert house.sent[0].audience == ("ann",)
