"""Several operations on the same person or conversation in one batch: each has the same result as alone."""

import pytest
import pytest_asyncio
from bson import ObjectId

from chat_mvp.delivery.batch import Batch
from chat_mvp.errors import InternalError, NotFoundError
from chat_mvp.features.conversations.direct import new_membership
from chat_mvp.features.conversations.operations import ConversationOperation
from chat_mvp.storage.ids import new_id
from tests.unit.delivery.conftest import Desk, user
from tests.unit.delivery.doings import Doings

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
async def doings(desk: Desk) -> Doings:
    doings = Doings(desk, [ANN, BOB, CAT], new_id())
    await doings.make(BOB)
    doings.write("second", by=ANN)
    assert await doings.outcomes() == [2]
    return doings


async def test_a_member_is_removed_and_added_again(doings: Doings) -> None:
    held_up = await doings.hold_up()
    before = doings.desk.writer.batches
    doings.write("third", by=ANN)
    doings.confirm(BOB, 2)
    doings.remove(BOB, by=ANN)
    doings.add(BOB, by=ANN)
    doings.write("sixth", by=ANN)
    assert await doings.outcomes() == [3, True, True, True, 6]
    await held_up.message()
    assert doings.desk.writer.batches == before + 3, "one was held up, one was this, and the last asked for the time"
    assert await doings.members() == [(ANN.id, 0, 0, "owner"), (BOB.id, 4, 4, "member")]
    # "… added Bob", which is the first they see, and what was said since.
    assert await doings.waiting(doings.group, BOB.id) == [5, 6]


async def test_a_user_is_added_and_removed_again(doings: Doings) -> None:
    await doings.hold_up()
    doings.add(CAT, by=ANN)
    doings.give_role(CAT, "admin", by=ANN)
    doings.write("hello", by=ANN)
    doings.remove(CAT, by=ANN)
    assert await doings.outcomes() == [True, True, 5, True]
    assert [who for who, *_ in await doings.members()] == [ANN.id, BOB.id]
    assert await doings.waiting(doings.group, CAT.id) == []


async def test_a_member_is_removed_added_and_removed_again(doings: Doings) -> None:
    await doings.hold_up()
    doings.remove(BOB, by=ANN)
    doings.add(BOB, by=ANN)
    doings.give_role(BOB, "admin", by=ANN)
    doings.remove(BOB, by=ANN)
    assert await doings.outcomes() == [True, True, True, True]
    assert [who for who, *_ in await doings.members()] == [ANN.id]
    assert await doings.waiting(doings.group, BOB.id) == []


async def test_a_member_who_is_removed_twice_leaves_once(doings: Doings) -> None:
    await doings.hold_up()
    doings.give_role(BOB, "admin", by=ANN)
    doings.remove(BOB, by=ANN)
    doings.remove(BOB, by=ANN)
    assert await doings.outcomes() == [True, True, NotFoundError]
    assert [who for who, *_ in await doings.members()] == [ANN.id]


async def test_a_deleted_conversation_takes_nothing_more(doings: Doings) -> None:
    await doings.hold_up()
    doings.delete(by=ANN)
    doings.write("late", by=BOB)
    doings.add(CAT, by=ANN)
    assert await doings.outcomes() == [True, NotFoundError, NotFoundError]
    assert await doings.members() == []


async def test_what_comes_after_a_direct_conversation_was_left_waits(doings: Doings) -> None:
    desk = doings.desk
    (first, _) = await desk.send("before").message()
    await doings.hold_up()
    doings.leave_direct(first.conversation_id, desk.people[1], {person: user(person) for person in desk.people})
    after = desk.write(first.conversation_id, "after")
    assert await doings.outcomes() == [True]
    (message, _) = await after.message()
    assert await doings.waiting(first.conversation_id, desk.people[1]) == [message.seq]


async def test_what_was_removed_behind_its_back_is_found_out(doings: Doings) -> None:
    """As another process would; marks of a place that is not there are not stored as if it were."""
    await doings.desk.database.collections["memberships"].delete_one({"user_id": ObjectId(BOB.id)})
    doings.give_role(BOB, "admin", by=ANN)
    assert await doings.outcomes() == [NotFoundError]


async def test_what_is_at_odds_with_what_is_stored_harms_only_itself(doings: Doings) -> None:
    await doings.hold_up()
    doings.write("one", by=ANN)
    doings.ask(Impossible, doings.group, ANN)
    doings.write("other", by=BOB)
    assert await doings.outcomes() == [3, InternalError, 4]
    assert len(await doings.members()) == 2
