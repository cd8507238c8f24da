"""Several operations on the same person or conversation in one batch: each has the same result as alone."""

import pytest
import pytest_asyncio
from bson import ObjectId

from chat_mvp.delivery.batch import Batch
from chat_mvp.errors import InternalError, NotFoundError
from chat_mvp.features.conversations.direct import new_membership
from chat_mvp.features.conversations.operations import ConversationOperation
from chat_mvp.storage.ids import new_id
from tests.unit.delivery.actions import Actions
from tests.unit.delivery.conftest import Harness, user

ANN, BOB, CAT = (user(new_id()) for _ in range(3))

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Impossible(ConversationOperation):
    """Gives a member a second place, which the database does not allow."""

    def apply(self, batch: Batch) -> None:
        roster, actor = self._find(batch)
        again = new_membership(batch, roster.conversation, actor.user_id, role="member")
        batch.writes.new_memberships[again.id] = again
        batch.change_conversation(roster)
        self._finish(batch, changed=True)


@pytest_asyncio.fixture(loop_scope="module")
async def actions(harness: Harness) -> Actions:
    actions = Actions(harness, [ANN, BOB, CAT], new_id())
    await actions.make(BOB)
    actions.write("second", by=ANN)
    assert await actions.outcomes() == [2]
    return actions


async def test_a_member_is_removed_and_added_again(actions: Actions) -> None:
    held_up = await actions.hold_up()
    before = actions.harness.writer.batches
    actions.write("third", by=ANN)
    actions.confirm(BOB, 2)
    actions.remove(BOB, by=ANN)
    actions.add(BOB, by=ANN)
    actions.write("sixth", by=ANN)
    assert await actions.outcomes() == [3, True, True, True, 6]
    await held_up.message()
    assert actions.harness.writer.batches == before + 3, (
        "one was held up, one was this, and the last asked for the time"
    )
    assert await actions.members() == [(ANN.id, 0, 0, "owner"), (BOB.id, 4, 4, "member")]
    # "… added Bob", which is the first they see, and what was said since.
    assert await actions.waiting(actions.group, BOB.id) == [5, 6]


async def test_a_user_is_added_and_removed_again(actions: Actions) -> None:
    await actions.hold_up()
    actions.add(CAT, by=ANN)
    actions.give_role(CAT, "admin", by=ANN)
    actions.write("hello", by=ANN)
    actions.remove(CAT, by=ANN)
    assert await actions.outcomes() == [True, True, 5, True]
    assert [who for who, *_ in await actions.members()] == [ANN.id, BOB.id]
    assert await actions.waiting(actions.group, CAT.id) == []


async def test_a_member_is_removed_added_and_removed_again(actions: Actions) -> None:
    await actions.hold_up()
    actions.remove(BOB, by=ANN)
    actions.add(BOB, by=ANN)
    actions.give_role(BOB, "admin", by=ANN)
    actions.remove(BOB, by=ANN)
    assert await actions.outcomes() == [True, True, True, True]
    assert [who for who, *_ in await actions.members()] == [ANN.id]
    assert await actions.waiting(actions.group, BOB.id) == []


async def test_a_member_who_is_removed_twice_leaves_once(actions: Actions) -> None:
    await actions.hold_up()
    actions.give_role(BOB, "admin", by=ANN)
    actions.remove(BOB, by=ANN)
    actions.remove(BOB, by=ANN)
    assert await actions.outcomes() == [True, True, NotFoundError]
    assert [who for who, *_ in await actions.members()] == [ANN.id]


async def test_a_deleted_conversation_takes_nothing_more(actions: Actions) -> None:
    await actions.hold_up()
    actions.delete(by=ANN)
    actions.write("late", by=BOB)
    actions.add(CAT, by=ANN)
    assert await actions.outcomes() == [True, NotFoundError, NotFoundError]
    assert await actions.members() == []


async def test_what_comes_after_a_direct_conversation_was_left_waits(actions: Actions) -> None:
    harness = actions.harness
    (first, _) = await harness.send("before").message()
    await actions.hold_up()
    actions.leave_direct(first.conversation_id, harness.people[1], {person: user(person) for person in harness.people})
    after = harness.write(first.conversation_id, "after")
    assert await actions.outcomes() == [True]
    (message, _) = await after.message()
    assert await actions.waiting(first.conversation_id, harness.people[1]) == [message.seq]


async def test_what_was_removed_behind_its_back_is_found_out(actions: Actions) -> None:
    """As another process would; marks of a place that is not there are not stored as if it were."""
    await actions.harness.database.collections["memberships"].delete_one({"user_id": ObjectId(BOB.id)})
    actions.give_role(BOB, "admin", by=ANN)
    assert await actions.outcomes() == [NotFoundError]


async def test_what_is_at_odds_with_what_is_stored_harms_only_itself(actions: Actions) -> None:
    await actions.hold_up()
    actions.write("one", by=ANN)
    actions.ask(Impossible, actions.group, ANN)
    actions.write("other", by=BOB)
    assert await actions.outcomes() == [3, InternalError, 4]
    assert len(await actions.members()) == 2
