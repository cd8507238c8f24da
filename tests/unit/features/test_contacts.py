import pytest
from msgspec import UNSET

from chat_mvp.errors import ConflictError, NotFoundError, ValidationError
from chat_mvp.events.types import BlockChanged
from chat_mvp.features.contacts.service import ContactService
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.documents import ContactDocument
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.users import Users
from tests.unit.features.conftest import MemoryRecorder, make_user, new_costly_work


class House:
    """A contact service, and what it published."""

    def __init__(self, users: Users, recorder: MemoryRecorder) -> None:
        self.users = users
        self.contacts = Contacts()
        self.told: list[tuple[str, str, str, bool]] = []
        self.service = ContactService(
            contacts=self.contacts,
            directory=UserDirectory(users),
            on_contact_changed=self._tell,
            recorder=recorder,
            costly_work=new_costly_work(),
            max_contacts=10,
            max_blocked=10,
        )

        recorder.local_events.on(BlockChanged, self._hear)

    async def _tell(self, owner: str, other: str, is_so: bool) -> None:
        self.told.append(("contact", owner, other, is_so))

    def _hear(self, event: BlockChanged) -> None:
        self.told.append(("block", event.owner_id, event.other_id, event.blocked))

    async def listed(self, owner: str) -> dict[str, str | None]:
        items, _ = await self.service.fetch_page(owner, blocked=False, after=None, limit=50)
        return {item.user.id: item.nickname for item in items}

    async def blocked(self, owner: str) -> set[str]:
        items, _ = await self.service.fetch_page(owner, blocked=True, after=None, limit=50)
        return {item.user.id for item in items}


@pytest.fixture
def house(users: Users, recorder: MemoryRecorder) -> House:
    return House(users, recorder)


@pytest.fixture
async def people(users: Users) -> tuple[str, str, str]:
    return await make_user(users, "ann"), await make_user(users, "bob"), await make_user(users, "cat")


async def test_a_change_is_recorded_once(house: House, people: tuple[str, str, str], recorder: MemoryRecorder) -> None:
    ann, bob, _ = people
    for _ in range(2):
        await house.service.add(ann, bob, nickname=UNSET)
    for _ in range(2):
        await house.service.block(ann, bob)
    for _ in range(2):
        await house.service.unblock(ann, bob)
    for _ in range(2):
        await house.service.remove(ann, bob)
    assert house.told == [
        ("contact", ann, bob, True),
        ("block", ann, bob, True),
        # Once more, because the first request may have failed after it was stored.
        ("block", ann, bob, True),
        ("block", ann, bob, False),
        ("contact", ann, bob, False),
    ]
    assert recorder.recorded == [
        BlockChanged(owner_id=ann, other_id=bob, blocked=True),
        BlockChanged(owner_id=ann, other_id=bob, blocked=False),
    ]
    assert await ContactDocument.count() == 0, "nothing is kept of a pair that says nothing"


async def test_a_nickname_stays_until_it_is_changed(house: House, people: tuple[str, str, str]) -> None:
    ann, bob, _ = people
    first = await house.service.add(ann, bob, nickname="Bobby")
    again = await house.service.add(ann, bob, nickname=UNSET)
    assert again == first
    assert (await house.service.add(ann, bob, nickname="Robert")).nickname == "Robert"
    assert await house.listed(ann) == {bob: "Robert"}
    for nothing in (None, "", "  "):
        await house.service.add(ann, bob, nickname="Bobby")
        assert (await house.service.add(ann, bob, nickname=nothing)).nickname is None


async def test_lists_and_blocks_do_not_touch_each_other(house: House, people: tuple[str, str, str]) -> None:
    ann, bob, cat = people
    await house.service.block(ann, bob)
    assert await house.listed(ann) == {}
    await house.service.add(ann, bob, nickname="Bobby")
    assert await house.blocked(ann) == {bob}
    await house.service.remove(ann, bob)
    assert await house.blocked(ann) == {bob}
    await house.service.add(ann, bob, nickname=UNSET)
    assert await house.listed(ann) == {bob: None}, "a nickname goes with its contact"
    await house.service.unblock(ann, bob)
    assert await house.listed(ann) == {bob: None}
    assert await house.listed(bob) == {}
    assert await house.blocked(cat) == set()


async def test_unknown_users_and_oneself(house: House, people: tuple[str, str, str]) -> None:
    ann, *_ = people
    for action in (house.service.block, house.service.unblock, house.service.remove):
        with pytest.raises(NotFoundError):
            await action(ann, new_id())
    with pytest.raises(NotFoundError):
        await house.service.add(ann, new_id(), nickname=UNSET)
    with pytest.raises(ValidationError):
        await house.service.add(ann, ann, nickname=UNSET)
    with pytest.raises(ValidationError):
        await house.service.block(ann, ann)
    assert house.told == []
    assert await ContactDocument.count() == 0


async def test_pages_follow_each_other(house: House, people: tuple[str, str, str]) -> None:
    ann, *_ = people
    others = [await make_user(house.users, f"other{number}") for number in range(5)]
    for other in others:
        await house.service.add(ann, other, nickname=UNSET)
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        items, after = await house.service.fetch_page(ann, blocked=False, after=after, limit=2)
        seen += [item.user.id for item in items]
    assert seen == sorted(others)
    assert after is None


async def test_what_the_engine_asks(house: House, people: tuple[str, str, str]) -> None:
    ann, bob, cat = people
    await house.service.block(ann, bob)
    await house.service.add(ann, cat, nickname=UNSET)
    await house.service.block(cat, ann)
    assert await house.contacts.fetch_contact_ids(ann) == {cat}
    assert await house.contacts.fetch_blocked_pairs(ann, [bob, cat, new_id()]) == {bob, cat}
    assert await house.contacts.fetch_blocked_pairs(bob, [cat, ann]) == {ann}
    assert await house.contacts.fetch_blocked_pairs(bob, [cat]) == set()
    assert await house.contacts.fetch_blocked_pairs(bob, []) == set()


async def test_lists_have_an_end(house: House, users: Users, people: tuple[str, str, str]) -> None:
    ann, bob, cat = people
    dan = await make_user(users, "dan")
    others = [await make_user(users, f"other {number}") for number in range(8)]
    for other in (bob, cat, *others):
        await house.service.add(ann, other, nickname=None)
        await house.service.block(ann, other)
    with pytest.raises(ConflictError):
        await house.service.add(ann, dan, nickname=None)
    with pytest.raises(ConflictError):
        await house.service.block(ann, dan)
    await house.service.add(ann, bob, nickname="who is in it already")
    await house.service.remove(ann, bob)
    await house.service.add(ann, dan, nickname=None)
