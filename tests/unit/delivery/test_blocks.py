"""Blocks in memory equal those in the database, whatever is set and lifted, and in whatever order it is read."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.storage.contacts import BlockPair, Contacts

PEOPLE = ("ann", "bob", "cat")
PAIRS = [(one, other) for one in PEOPLE for other in PEOPLE if one != other]


class BlockLists(Contacts):
    """Block lists in memory. Reading them takes as many turns of the event loop as ``turns``."""

    def __init__(self, turns: int) -> None:
        self.pairs: set[BlockPair] = set()
        self._turns = turns

    async def fetch_blocks(self, user_id: str) -> set[BlockPair]:
        found = {pair for pair in self.pairs if user_id in pair}
        for _ in range(self._turns):
            await asyncio.sleep(0)
        return found


async def check(turns: int, steps: list[tuple[BlockPair, bool] | str]) -> None:
    contacts = BlockLists(turns)
    blocks = Blocks(contacts.fetch_blocks)
    readers = []
    for step in steps:
        if isinstance(step, str):
            readers.append(asyncio.create_task(blocks.fetch(step)))
        else:
            pair, blocked = step
            (contacts.pairs.add if blocked else contacts.pairs.discard)(pair)
            blocks.changed(*pair, blocked)
        await asyncio.sleep(0)
    await asyncio.gather(*readers)
    for person in PEOPLE:
        apart = {other for pair in contacts.pairs if person in pair for other in pair} - {person}
        assert blocks.known(person) in (None, apart)
        assert await blocks.fetch(person) == apart
        assert {other for other in PEOPLE if blocks.may_part(person, other)} == apart


@given(
    turns=st.integers(0, 3),
    steps=st.lists(st.tuples(st.sampled_from(PAIRS), st.booleans()) | st.sampled_from(PEOPLE), max_size=12),
)
def test_memory_and_database_agree(turns: int, steps: list[tuple[BlockPair, bool] | str]) -> None:
    asyncio.run(check(turns, steps))


async def test_what_is_not_in_memory_parts_everyone() -> None:
    assert Blocks(BlockLists(0).fetch_blocks).may_part("ann", "bob")
