"""A roster that is dropped while a batch with changes of it is on its way: what is read again must not be from before.

A block drops the roster of a pair at any time, and so does a direct conversation that was just made.
"""

import pytest

from chat_mvp.delivery.rosters import Roster
from chat_mvp.storage.conversations import direct_key
from chat_mvp.storage.ids import new_id
from tests.unit.delivery.actions import Actions
from tests.unit.delivery.conftest import Harness, user

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def roster(harness: Harness, conversation_id: str) -> Roster:
    """Return what the server believes of the conversation, as whoever asks next gets it."""
    found = await harness.rosters.fetch(conversation_id)
    assert found is not None
    return found


@pytest.mark.parametrize("failure", ["slow", "flushing"])
async def test_who_leaves_while_a_block_is_set_has_left(harness: Harness, failure: str) -> None:
    (message,) = await harness.stored()
    direct, leaver = message.conversation_id, harness.people[0]
    actions = Actions(harness, [user(person) for person in harness.people], new_id())
    harness.commit.failures.append(failure)
    actions.leave_direct(direct, leaver, {person: user(person) for person in harness.people})
    await harness.commit.held_up.wait()
    harness.rosters.forget_direct(direct_key(*harness.people))
    assert (await roster(harness, direct)).member(leaver) is not None, "it is not stored yet"
    assert await actions.outcomes() == [True]
    assert (await roster(harness, direct)).member(leaver) is None


async def test_who_leaves_behind_another_batch_while_a_block_is_set_has_left(harness: Harness) -> None:
    (message,) = await harness.stored()
    direct, leaver = message.conversation_id, harness.people[0]
    await harness.write(direct, "known").message()
    actions = Actions(harness, [user(person) for person in harness.people], new_id())
    await actions.hold_up()
    actions.leave_direct(direct, leaver, {person: user(person) for person in harness.people})
    harness.rosters.forget_direct(direct_key(*harness.people))
    await roster(harness, direct)
    assert await actions.outcomes() == [True]
    assert (await roster(harness, direct)).member(leaver) is None
