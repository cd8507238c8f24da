"""Operations on one group, one after the other or all in one batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from chat_mvp.delivery.batch import NewMessage, Operation
from chat_mvp.errors import ChatError
from chat_mvp.features.conversations.operations import (
    AddMember,
    ChangeConversation,
    ChangeRole,
    ConversationOperation,
    DeleteConversation,
    LeaveDirect,
    MakeConversation,
    RemoveMember,
)
from chat_mvp.features.conversations.schemas import ConversationChanges
from chat_mvp.features.messages.operations import DeleteMessage, EditMessage, Pin, RaiseMarks, React, SendMessage
from chat_mvp.features.messages.sync import AskMoment
from chat_mvp.protocol import Role, User
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord
from chat_mvp.times import utc_now
from tests.unit.delivery.conftest import ANSWER_WITHIN_S, Answer, FutureAnswer, Harness

Outcome = bool | int | type[ChatError]
"""Whether anything changed, the sequence number of the message, or the error of a refusal."""


class Actions:
    """Submits operations and collects their outcomes. The first of ``people`` owns the group."""

    def __init__(self, harness: Harness, people: Sequence[User], group: str) -> None:
        self.harness = harness
        self.people = people
        self.group = group
        self._asked: list[asyncio.Future[Outcome]] = []

    async def make(self, *members: User) -> None:
        """Create the group with its owner and these members."""
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
            created_by=self.people[0].id,
            created_at=now,
            updated_at=now,
            activity_at=now,
            last_seq=0,
            rev=0,
            direct_key=None,
        )
        self.ask(MakeConversation, record, self.people[0], members, strangers=())
        assert await self.outcomes() == [True]

    async def hold_up(self) -> Answer:
        """Hold a batch in flight until ``outcomes``: operations submitted before that go into the next batch."""
        self.harness.commit.failures.append("slow")
        self.harness.commit.held_up.clear()
        self.harness.commit.gate.clear()
        answer = self.harness.send("held up")
        await self.harness.commit.held_up.wait()
        return answer

    async def outcomes(self) -> list[Outcome]:
        """Release the batches, and return the outcomes in the order of the operations."""
        self.harness.commit.gate.set()
        asked, self._asked = self._asked, []
        done = asyncio.get_running_loop().create_future()
        self.harness.writer.submit(AskMoment(reply=FutureAnswer(done)))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await done
            return [await _outcome(answer) for answer in asked]

    async def refused(self) -> list[Outcome]:
        """Return what comes of what was asked, without waiting for the writer to answer anything else."""
        asked, self._asked = self._asked, []
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return [await _outcome(answer) for answer in asked]

    # --- members

    def add(self, person: User, *, by: User) -> None:
        self.ask(AddMember, self.group, by, person, "member", is_stranger=False)

    def remove(self, person: User, *, by: User) -> None:
        self.ask(RemoveMember, self.group, by, person)

    def give_role(self, person: User, role: Role, *, by: User) -> None:
        self.ask(ChangeRole, self.group, by, person, role)

    def leave_direct(self, conversation_id: str, leaver: str, people: dict[str, User]) -> None:
        self.ask(LeaveDirect, conversation_id, people[leaver], people)

    def confirm(self, person: User, seq: int, *, read: int = 0) -> None:
        answer = self._answer()
        operation = RaiseMarks(
            self.group,
            person.id,
            delivered=seq,
            read=read,
            is_hidden=lambda _: False,
            reply=FutureAnswer(answer),
        )
        self.harness.writer.submit(operation)

    # --- the conversation

    def rename(self, name: str, *, by: User) -> None:
        self.change(ConversationChanges(name=name), by=by)

    def change(self, changes: ConversationChanges, *, by: User) -> None:
        self.ask(ChangeConversation, self.group, by, changes)

    def delete(self, *, by: User) -> None:
        self.ask(DeleteConversation, self.group, by)

    # --- messages

    def write(self, text: str, *, by: User, message_id: str | None = None) -> None:
        answer = self._answer()
        operation = SendMessage(
            NewMessage(id=message_id or new_id(), sender_id=by.id, client_message_id=text, text=text),
            conversation_id=self.group,
            direct_key=None,
            people={},
            reply=FutureAnswer(answer, lambda sent: sent.record.message.seq),
        )
        self.harness.writer.submit(operation)

    def edit(self, message_id: str, text: str, *, by: User) -> None:
        self._change(EditMessage, message_id, by.id, text, ())

    def erase(self, message_id: str, *, by: User) -> None:
        self._change(DeleteMessage, message_id, by.id)

    def react(self, message_id: str, emoji: str, *, present: bool, by: User) -> None:
        self._change(React, message_id, by.id, emoji, present=present)

    def pin(self, message_id: str, *, pinned: bool, by: User) -> None:
        self._change(Pin, message_id, by.id, pinned=pinned)

    # --- what is stored

    async def members(self) -> list[tuple[str, int, int, str]]:
        """Return who is stored as a member, from where on, how far they confirmed, and as what."""
        query = {"conversation_id": ObjectId(self.group)}
        found = await self.harness.database.collections["memberships"].find(query, sort=[("_id", 1)]).to_list(None)
        return [(str(it["user_id"]), it["joined_seq"], it["delivered_seq"], it["role"]) for it in found]

    async def waiting(self, conversation_id: str, user_id: str) -> list[int]:
        """Return the sequence numbers of a person's queued messages."""
        query = {"_id.recipient_id": ObjectId(user_id), "_id.conversation_id": ObjectId(conversation_id)}
        found = await self.harness.database.collections["message_queue"].find(query, sort=[("_id", 1)]).to_list(None)
        return [it["_id"]["seq"] for it in found]

    # --- asking

    def ask(self, kind: type[ConversationOperation], *what: Any, **more: Any) -> None:
        answer = self._answer()
        self.harness.writer.submit(kind(*what, **more, reply=FutureAnswer(answer)))

    def _change(self, kind: Any, *what: Any, **more: Any) -> None:
        answer = self._answer()
        operation: Operation = kind(
            *what,
            **more,
            reply=FutureAnswer(answer, lambda message: message.rev),
        )
        self.harness.writer.submit(operation)

    def _answer(self) -> asyncio.Future[Outcome]:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        return answer


async def _outcome(answer: asyncio.Future[Outcome]) -> Outcome:
    try:
        return await answer
    except ChatError as error:
        return type(error)
