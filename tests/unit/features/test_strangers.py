"""Who may add whom to a conversation, with fake storage."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import cast

import pytest

from chat_mvp.errors import ConflictError, ForbiddenError, RateLimitedError
from chat_mvp.features.conversations.strangers import Strangers
from chat_mvp.limits import (
    MAX_CONVERSATIONS,
    MAX_UNSEEN_FROM_ONE_STRANGER,
    MAX_UNSEEN_FROM_STRANGERS,
    MAX_UNSEEN_IN_ALL,
    MAX_UNSEEN_RESERVED,
)
from chat_mvp.security.budgets import BUDGETS, RateLimits
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations


class Storage:
    """``listed``: who has the adder in their contacts; ``opened``: who opened a direct conversation with them."""

    def __init__(self) -> None:
        self.listed: set[str] = set()
        self.opened: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.unseen: list[tuple[str, str, int]] = []
        self.reads = 0

    async def fetch_owners(self, owner_ids: Iterable[str], _: str) -> set[str]:
        return self.listed & set(owner_ids)

    async def fetch_openers_of_direct(self, _: str, others: Iterable[str]) -> set[str]:
        return self.opened & set(others)

    async def count_of(self, _: Iterable[str]) -> Counter[str]:
        return self.counts

    async def count_unseen(self, _: Iterable[str]) -> list[tuple[str, str, int]]:
        await asyncio.sleep(0)
        return self.unseen


class House:
    def __init__(self, *, enabled: bool = True) -> None:
        self.storage = Storage()
        self.strangers = Strangers(
            contacts=cast("Contacts", self.storage),
            conversations=cast("Conversations", self.storage),
            rate_limits=RateLimits(enabled=enabled, clock=lambda: 1_000.0),
            enabled=enabled,
        )

    async def add(self, *others: str, by: str = "eve") -> frozenset[str]:
        async with self.strangers.adding(by, others) as strangers:
            return strangers


@pytest.fixture
def house() -> House:
    return House()


async def test_only_the_user_decides_who_is_a_stranger(house: House) -> None:
    house.storage.listed, house.storage.opened = {"ann"}, {"bob"}
    assert await house.add("ann", "bob", "cat") == {"cat"}


async def test_a_person_for_whom_too_many_wait_is_added_by_no_stranger(house: House) -> None:
    house.storage.unseen = [("ann", f"stranger {n}", 100) for n in range(MAX_UNSEEN_IN_ALL // 100)]
    with pytest.raises(ForbiddenError):
        await house.add("ann", "bob")
    assert await house.add("bob") == {"bob"}
    house.storage.listed = {"ann"}
    assert await house.add("ann") == frozenset()


async def test_a_few_accounts_cannot_lock_others_out(house: House) -> None:
    attackers = [("ann", f"stranger {n}", 100) for n in range(MAX_UNSEEN_FROM_STRANGERS // 100)]
    house.storage.unseen = [*attackers, ("ann", "bob", MAX_UNSEEN_RESERVED - 1)]
    assert await house.add("ann", by="bob") == {"ann"}
    with pytest.raises(ForbiddenError):
        await house.add("ann", by="stranger 0")
    house.storage.unseen = [*attackers, ("ann", "bob", MAX_UNSEEN_RESERVED)]
    with pytest.raises(ForbiddenError):
        await house.add("ann", by="bob")


async def test_one_account_alone_cannot_lock_others_out(house: House) -> None:
    house.storage.unseen = [("ann", "eve", MAX_UNSEEN_FROM_ONE_STRANGER)]
    with pytest.raises(ForbiddenError):
        await house.add("ann")
    assert await house.add("ann", by="bob") == {"ann"}


async def test_those_that_are_on_their_way_count(house: House) -> None:
    house.storage.unseen = [("ann", "eve", MAX_UNSEEN_FROM_ONE_STRANGER - 1)]
    results = await asyncio.gather(*(house.add("ann") for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(result, ForbiddenError) for result in results) <= 1
    assert await house.add("ann") == {"ann"}, "those that were refused count no longer"


async def test_one_account_adds_only_so_many(house: House) -> None:
    burst = BUDGETS["add_stranger"].burst
    for start in range(0, burst, 1_000):
        await house.add(*(f"person {number}" for number in range(start, start + 1_000)))
    with pytest.raises(RateLimitedError):
        await house.add("one more")
    house.storage.listed = {"a friend"}
    assert await house.add("a friend") == frozenset()


async def test_a_person_is_in_so_many_conversations_and_no_more(house: House) -> None:
    house.storage.listed = {"ann"}
    house.storage.counts["ann"] = MAX_CONVERSATIONS
    with pytest.raises(ForbiddenError):
        await house.add("ann")
    with pytest.raises(ForbiddenError):
        await house.strangers.check_may_write_first("eve", "ann")
    with pytest.raises(ConflictError):
        await house.strangers.check_may_found("ann")
    house.storage.counts["ann"] -= 1
    await house.add("ann")
    await house.strangers.check_may_found("ann")


async def test_first_messages_to_strangers(house: House) -> None:
    for number in range(BUDGETS["first_message"].burst):
        await house.strangers.check_may_write_first("eve", f"person {number}")
    with pytest.raises(RateLimitedError):
        await house.strangers.check_may_write_first("eve", "one more")
    house.storage.listed = {"a friend"}
    await house.strangers.check_may_write_first("eve", "a friend")


async def test_a_team_of_fifty_puts_everyone_into_a_hundred_groups(house: House) -> None:
    team = [f"person {number}" for number in range(49)]
    for number in range(100):
        house.storage.unseen = [(name, "boss", number) for name in team]
        await house.strangers.check_may_found("boss")
        assert await house.add(*team, by="boss") == set(team)


async def test_limits_that_are_off_allow_everything() -> None:
    house = House(enabled=False)
    house.storage.unseen = [("ann", "eve", 10_000)]
    house.storage.counts["ann"] = 100_000
    assert await house.add("ann") == frozenset()
    await house.strangers.check_may_found("ann")
    await house.strangers.check_may_write_first("eve", "ann")
