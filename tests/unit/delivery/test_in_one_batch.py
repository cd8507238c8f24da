"""Several things done to the same person or conversation in one batch: each as if it had been alone."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId

from chat_mvp.delivery.batch import Batch
from chat_mvp.errors import ChatError, InternalError, NotFoundError
from chat_mvp.features.conversations.direct import new_membership
from chat_mvp.features.conversations.operations import (
    AddMember,
    ChangeRole,
    ConversationOperation,
    DeleteConversation,
    LeaveDirect,
    MakeConversation,
    RemoveMember,
)
from chat_mvp.features.messages.operations import RaiseMarks
from chat_mvp.protocol import User
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord
from chat_mvp.times import utc_now
from tests.unit.delivery.conftest import ANSWER_WITHIN_S, Answer, Desk, user

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Impossible(ConversationOperation):
    """Gives a member a second place, which the database does not allow."""

    def apply(self, batch: Batch) -> None:
        roster, actor = self._find(batch)
        again = new_membership(batch, roster.conversation, actor.user_id, role="member")
        batch.writes.new_memberships[again.id] = again
        batch.change_conversation(roster)
        self._finish(batch, changed=True)


class Doings:
    """What is asked for while another batch is on its way, so that it is one batch."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ann, self.bob, self.cat = (user(new_id()) for _ in range(3))
        self.group = new_id()
        self._asked: list[asyncio.Future[bool]] = []

    async def make(self) -> None:
        """Make a group of Ann, who owns it, and Bob."""
        now = utc_now()
        record = ConversationRecord(
            id=self.group,
            kind="group",
            name="A room",
            description="",
            visibility="private",
            avatar_url=None,
            max_participants=None,
            post="members",
            member_count=0,
            created_by=self.ann.id,
            created_at=now,
            updated_at=now,
            activity_at=now,
            last_seq=0,
            rev=0,
            direct_key=None,
        )
        self._ask(MakeConversation, record, self.ann, [self.bob])
        assert await self.outcomes() == [True]

    async def hold_up(self) -> Answer:
        """Have a batch under way which takes until ``let_go``."""
        self.desk.commit.trouble.append("slow")
        self.desk.commit.held_up.clear()
        self.desk.commit.gate.clear()
        answer = self.desk.send("held up")
        await self.desk.commit.held_up.wait()
        return answer

    def add(self, person: User) -> None:
        self._ask(AddMember, self.group, self.ann, person, "member")

    def promote(self, person: User) -> None:
        self._ask(ChangeRole, self.group, self.ann, person, "admin")

    def remove(self, person: User) -> None:
        self._ask(RemoveMember, self.group, self.ann, person)

    def delete(self) -> None:
        self._ask(DeleteConversation, self.group, self.ann)

    def leave_direct(self, conversation_id: str, people: dict[str, User]) -> None:
        self._ask(LeaveDirect, conversation_id, people[self.desk.people[1]], people)

    def do_the_impossible(self) -> None:
        self._ask(Impossible, self.group, self.ann)

    def confirm(self, person: User, seq: int) -> None:
        self.desk.writer.submit(
            RaiseMarks(
                self.group,
                person.id,
                delivered=seq,
                read=0,
                connection_id="own",
                receipts=self.desk.receipts,
                again=lambda: None,
                refuse=lambda _: None,
            )
        )

    async def outcomes(self) -> list[bool | type[ChatError]]:
        """Let the database go on, and return what came of each: whether it changed anything, or why it was refused."""
        self.desk.commit.gate.set()
        asked, self._asked = self._asked, []
        async with asyncio.timeout(ANSWER_WITHIN_S):
            came = await asyncio.gather(*asked, return_exceptions=True)
        return [type(it) if isinstance(it, ChatError) else bool(it) for it in came]

    async def members(self) -> list[tuple[str, int, int, str]]:
        """Return who is stored as a member, from where on, how far they confirmed, and as what."""
        query = {"conversation_id": ObjectId(self.group)}
        found = await self.desk.database.collections["memberships"].find(query, sort=[("_id", 1)]).to_list(None)
        return [(str(it["user_id"]), it["joined_seq"], it["delivered_seq"], it["role"]) for it in found]

    async def waiting(self, conversation_id: str, user_id: str) -> list[int]:
        """Return the numbers of the messages that wait for somebody."""
        query = {"_id.recipient_id": ObjectId(user_id), "_id.conversation_id": ObjectId(conversation_id)}
        found = await self.desk.database.collections["message_queue"].find(query, sort=[("_id", 1)]).to_list(None)
        return [it["_id"]["seq"] for it in found]

    def _ask(self, kind: type[ConversationOperation], *what: Any) -> None:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self.desk.writer.submit(kind(*what, done=answer.set_result, refuse=answer.set_exception))


@pytest_asyncio.fixture(loop_scope="module")
async def doings(desk: Desk) -> Doings:
    doings = Doings(desk)
    await doings.make()
    await desk.write(doings.group, "second", by=doings.ann.id).message()
    return doings


async def test_somebody_is_let_out_and_in_again(doings: Doings) -> None:
    held_up = await doings.hold_up()
    before = doings.desk.writer.batches
    doings.desk.write(doings.group, "third", by=doings.ann.id)
    doings.confirm(doings.bob, 2)
    doings.remove(doings.bob)
    doings.add(doings.bob)
    after = doings.desk.write(doings.group, "sixth", by=doings.ann.id)
    assert await doings.outcomes() == [True, True]
    await held_up.message()
    assert (await after.message())[0].seq == 6
    assert doings.desk.writer.batches == before + 2
    assert await doings.members() == [(doings.ann.id, 0, 0, "owner"), (doings.bob.id, 4, 4, "member")]
    # "… added Bob", which is the first they see, and what was said since.
    assert await doings.waiting(doings.group, doings.bob.id) == [5, 6]


async def test_somebody_is_let_in_and_out_again(doings: Doings) -> None:
    await doings.hold_up()
    doings.add(doings.cat)
    doings.promote(doings.cat)
    doings.desk.write(doings.group, "hello", by=doings.ann.id)
    doings.remove(doings.cat)
    assert await doings.outcomes() == [True, True, True]
    assert [who for who, *_ in await doings.members()] == [doings.ann.id, doings.bob.id]
    assert await doings.waiting(doings.group, doings.cat.id) == []


async def test_somebody_is_let_out_in_and_out_again(doings: Doings) -> None:
    await doings.hold_up()
    doings.remove(doings.bob)
    doings.add(doings.bob)
    doings.promote(doings.bob)
    doings.remove(doings.bob)
    assert await doings.outcomes() == [True, True, True, True]
    assert [who for who, *_ in await doings.members()] == [doings.ann.id]
    assert await doings.waiting(doings.group, doings.bob.id) == []


async def test_who_is_let_out_twice_is_out_once(doings: Doings) -> None:
    await doings.hold_up()
    doings.promote(doings.bob)
    doings.remove(doings.bob)
    doings.remove(doings.bob)
    assert await doings.outcomes() == [True, True, NotFoundError]
    assert [who for who, *_ in await doings.members()] == [doings.ann.id]


async def test_a_deleted_conversation_takes_nothing_more(doings: Doings) -> None:
    await doings.hold_up()
    doings.delete()
    late = doings.desk.write(doings.group, "late", by=doings.bob.id)
    doings.add(doings.cat)
    assert await doings.outcomes() == [True, NotFoundError]
    assert isinstance(await late.error(), NotFoundError)
    assert await doings.members() == []


async def test_what_comes_after_a_direct_conversation_was_left_waits(doings: Doings) -> None:
    desk = doings.desk
    (first, _) = await desk.send("before").message()
    await doings.hold_up()
    doings.leave_direct(first.conversation_id, {person: user(person) for person in desk.people})
    after = desk.send("after")
    assert await doings.outcomes() == [True]
    assert await doings.waiting(first.conversation_id, desk.people[1]) == [(await after.message())[0].seq]


async def test_what_was_removed_behind_its_back_is_found_out(doings: Doings) -> None:
    """As another process would; marks of a place that is not there are not stored as if it were."""
    await doings.desk.database.collections["memberships"].delete_one({"user_id": ObjectId(doings.bob.id)})
    doings.promote(doings.bob)
    assert await doings.outcomes() == [NotFoundError]


async def test_what_is_at_odds_with_what_is_stored_harms_only_itself(doings: Doings) -> None:
    await doings.hold_up()
    neighbours = [doings.desk.write(doings.group, "one", by=doings.ann.id)]
    doings.do_the_impossible()
    neighbours.append(doings.desk.write(doings.group, "other", by=doings.bob.id))
    assert await doings.outcomes() == [InternalError]
    assert [(await answer.message())[0].seq for answer in neighbours] == [3, 4]
    assert len(await doings.members()) == 2
