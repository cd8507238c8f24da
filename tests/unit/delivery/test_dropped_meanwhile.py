"""A roster that is dropped while a batch with changes of it is on its way: what is read again must not be from before.

A block drops the roster of a pair at any time, and so does a direct conversation that was just made.
"""

import pytest

from chat_mvp.delivery.rosters import Roster
from chat_mvp.storage.conversations import direct_key
from chat_mvp.storage.ids import new_id
from tests.unit.delivery.conftest import Desk, user
from tests.unit.delivery.doings import Doings

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def roster(desk: Desk, conversation_id: str) -> Roster:
    """Return what the server believes of the conversation, as whoever asks next gets it."""
    found = await desk.rosters.fetch(conversation_id)
    assert found is not None
    return found


@pytest.mark.parametrize("trouble", ["slow", "flushing"])
async def test_who_leaves_while_a_block_is_set_has_left(desk: Desk, trouble: str) -> None:
    (message,) = await desk.stored()
    direct, leaver = message.conversation_id, desk.people[0]
    doings = Doings(desk, [user(person) for person in desk.people], new_id())
    desk.commit.trouble.append(trouble)
    doings.leave_direct(direct, leaver, {person: user(person) for person in desk.people})
    await desk.commit.held_up.wait()
    desk.rosters.forget_direct(direct_key(*desk.people))
    assert (await roster(desk, direct)).member(leaver) is not None, "it is not stored yet"
    assert await doings.outcomes() == [True]
    assert (await roster(desk, direct)).member(leaver) is None


async def test_who_leaves_behind_another_batch_while_a_block_is_set_has_left(desk: Desk) -> None:
    (message,) = await desk.stored()
    direct, leaver = message.conversation_id, desk.people[0]
    await desk.write(direct, "known").message()
    doings = Doings(desk, [user(person) for person in desk.people], new_id())
    await doings.hold_up()
    doings.leave_direct(direct, leaver, {person: user(person) for person in desk.people})
    desk.rosters.forget_direct(direct_key(*desk.people))
    await roster(desk, direct)
    assert await doings.outcomes() == [True]
    assert (await roster(desk, direct)).member(leaver) is None
