"""The rules of messages: what is checked before something goes to the writer."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from chat_mvp.delivery.batch import NewMessage
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import FetchUsers, Rosters
from chat_mvp.delivery.waiting import outcome
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import CannotMessageError, NotFoundError, UnavailableError, ValidationError
from chat_mvp.features.messages.operations import (
    DeleteMessage,
    EditMessage,
    Pin,
    RaiseMarks,
    React,
    Refuse,
    SendMessage,
)
from chat_mvp.features.messages.texts import check_emoji, check_text, mentioned_names
from chat_mvp.protocol import Message, Priority, User
from chat_mvp.storable import check_storable
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import direct_key
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import MessageRecord
from chat_mvp.storage.users import Users

Sent = Callable[[MessageRecord, bool], None]
Changed = Callable[[Message], None]


class Asker(Struct, frozen=True):
    """Who asks: ``connection_id`` is the WebSocket it came by, none over HTTP."""

    user_id: str
    connection_id: str | None = None


class Draft(Struct, kw_only=True, frozen=True):
    """A message as it was asked for; one of ``conversation_id`` and ``to`` (a person) says where it goes."""

    client_message_id: str
    text: str
    conversation_id: str | None = None
    to: str | None = None
    attachments: tuple[str, ...] = ()
    reply_to: str | None = None
    thread_root: str | None = None
    priority: Priority = "normal"


class MessageService:
    """Sends and changes messages."""

    def __init__(
        self,
        *,
        writer: Writer,
        rosters: Rosters,
        receipts: Receipts,
        messages: Messages,
        users: Users,
        contacts: Contacts,
        fetch_users: FetchUsers,
        check_may_write_first: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """Write through ``writer``; ``check_may_write_first(user_id, other_id)`` raises when one may not."""
        self._writer = writer
        self._rosters = rosters
        self._receipts = receipts
        self._messages = messages
        self._users = users
        self._contacts = contacts
        self._fetch_users = fetch_users
        self._check_may_write_first = check_may_write_first

    # ------------------------------------------------------------------------------------------------------ writing

    def send(self, asker: Asker, draft: Draft, *, done: Sent, refuse: Refuse) -> Awaitable[None] | None:
        """Check a draft and hand it to the writer, which calls ``done(record, duplicate)`` or ``refuse`` later.

        Returns an awaitable only where something must be looked up first: a person who was never written to, or names
        that the text mentions. Raises what is wrong with the draft itself.
        """
        _check_draft(asker, draft)
        key = direct_key(asker.user_id, draft.to) if draft.to is not None else None
        is_new_pair = key is not None and self._rosters.direct_id(key) is None
        if is_new_pair or "@" in draft.text:
            return self._look_up_and_send(asker, draft, key, done=done, refuse=refuse)
        self._submit(asker, draft, key, people={}, mentions=(), done=done, refuse=refuse)
        return None

    def edit(
        self, asker: Asker, message_id: str, text: str, *, done: Changed, refuse: Refuse
    ) -> Awaitable[None] | None:
        """Check a new text and hand it to the writer; as ``send`` otherwise."""
        check_text(text)
        if "@" in text:
            return self._look_up_and_edit(asker, message_id, text, done=done, refuse=refuse)
        self._submit_edit(asker, message_id, text, (), done=done, refuse=refuse)
        return None

    def delete(self, asker: Asker, message_id: str, *, done: Changed, refuse: Refuse) -> None:
        """Hand a deletion to the writer."""
        operation = DeleteMessage(
            message_id,
            asker.user_id,
            connection_id=asker.connection_id,
            done=done,
            refuse=refuse,
        )
        self._writer.submit(operation)

    def react(
        self,
        asker: Asker,
        message_id: str,
        emoji: str,
        *,
        present: bool,
        done: Changed,
        refuse: Refuse,
    ) -> None:
        """Hand a reaction, or its end, to the writer."""
        check_emoji(emoji)
        operation = React(
            message_id,
            asker.user_id,
            emoji,
            present=present,
            connection_id=asker.connection_id,
            done=done,
            refuse=refuse,
        )
        self._writer.submit(operation)

    def pin(self, asker: Asker, message_id: str, *, pinned: bool, done: Changed, refuse: Refuse) -> None:
        """Hand a pin, or its end, to the writer."""
        operation = Pin(
            message_id,
            asker.user_id,
            pinned=pinned,
            connection_id=asker.connection_id,
            done=done,
            refuse=refuse,
        )
        self._writer.submit(operation)

    def raise_marks(
        self,
        user_id: str,
        connection_id: str,
        conversation_id: str,
        *,
        delivered: int = 0,
        read: int = 0,
        refuse: Refuse,
    ) -> None:
        """Hand a person's marks to the writer, unless they stand there already."""
        roster = self._rosters.get(conversation_id)
        member = roster.member(user_id) if roster is not None else None
        if member is not None and delivered <= member.delivered_seq and read <= member.read_seq:
            return

        def again() -> None:
            try:
                self.raise_marks(user_id, connection_id, conversation_id, delivered=delivered, read=read, refuse=refuse)
            except UnavailableError as error:
                refuse(error)

        self._writer.submit(
            RaiseMarks(
                conversation_id,
                user_id,
                delivered=delivered,
                read=read,
                connection_id=connection_id,
                receipts=self._receipts,
                again=again,
                refuse=refuse,
            ),
        )

    # ------------------------------------------------------------------------------------------- writing and waiting

    async def send_and_wait(self, asker: Asker, draft: Draft) -> tuple[Message, bool]:
        """Send, and return the stored message and whether it was a repetition."""

        def begin(done: Callable[[tuple[Message, bool]], None], refuse: Refuse) -> Awaitable[None] | None:
            return self.send(asker, draft, done=lambda record, again: done((record.message, again)), refuse=refuse)

        return await outcome(begin)

    async def edit_and_wait(self, asker: Asker, message_id: str, text: str) -> Message:
        """Edit, and return the message as it is now."""
        return await outcome(lambda done, refuse: self.edit(asker, message_id, text, done=done, refuse=refuse))

    async def delete_and_wait(self, asker: Asker, message_id: str) -> Message:
        """Delete, and return the message as it is now."""
        return await outcome(lambda done, refuse: self.delete(asker, message_id, done=done, refuse=refuse))

    async def react_and_wait(self, asker: Asker, message_id: str, emoji: str, *, present: bool) -> Message:
        """Set or take back a reaction, and return the message as it is now."""
        return await outcome(
            lambda done, refuse: self.react(asker, message_id, emoji, present=present, done=done, refuse=refuse),
        )

    async def pin_and_wait(self, asker: Asker, message_id: str, *, pinned: bool) -> Message:
        """Pin or unpin, and return the message as it is now."""
        return await outcome(lambda done, refuse: self.pin(asker, message_id, pinned=pinned, done=done, refuse=refuse))

    # ------------------------------------------------------------------------------------------------------ internal

    async def _look_up_and_send(
        self,
        asker: Asker,
        draft: Draft,
        key: str | None,
        *,
        done: Sent,
        refuse: Refuse,
    ) -> None:
        people: Mapping[str, User] = {}
        if key is not None and draft.to is not None:
            people = await self._people_of_new_pair(asker, draft, key)
        mentions = await self._mentions(draft.text)
        self._submit(asker, draft, key, people=people, mentions=mentions, done=done, refuse=refuse)

    async def _people_of_new_pair(self, asker: Asker, draft: Draft, key: str) -> Mapping[str, User]:
        other = draft.to or ""
        await self._rosters.load_direct([key])
        if self._rosters.direct_id(key) is not None:
            return {}
        if await self._messages.fetch_sent([(asker.user_id, draft.client_message_id)]):
            return {}
        people = await self._fetch_users([asker.user_id, other])
        if len(people) < 2:  # noqa: PLR2004  (both of them)
            raise NotFoundError("There is nobody with this id.")
        if await self._contacts.fetch_blocked_pairs(asker.user_id, [other]):
            raise CannotMessageError
        await self._check_may_write_first(asker.user_id, other)
        return people

    async def _look_up_and_edit(
        self,
        asker: Asker,
        message_id: str,
        text: str,
        *,
        done: Changed,
        refuse: Refuse,
    ) -> None:
        self._submit_edit(asker, message_id, text, await self._mentions(text), done=done, refuse=refuse)

    async def _mentions(self, text: str) -> tuple[str, ...]:
        names = mentioned_names(text) if "@" in text else []
        return tuple(sorted(await self._users.fetch_ids_by_usernames(names))) if names else ()

    def _submit(
        self,
        asker: Asker,
        draft: Draft,
        key: str | None,
        *,
        people: Mapping[str, User],
        mentions: tuple[str, ...],
        done: Sent,
        refuse: Refuse,
    ) -> None:
        new = NewMessage(
            id=new_id(),
            sender_id=asker.user_id,
            client_message_id=draft.client_message_id,
            text=draft.text,
            priority=draft.priority,
            reply_to=draft.reply_to,
            thread_root=draft.thread_root,
            mentions=mentions,
        )
        self._writer.submit(
            SendMessage(
                new,
                conversation_id=draft.conversation_id,
                direct_key=key,
                people=people,
                connection_id=asker.connection_id,
                done=done,
                refuse=refuse,
            ),
        )

    def _submit_edit(
        self,
        asker: Asker,
        message_id: str,
        text: str,
        mentions: tuple[str, ...],
        *,
        done: Changed,
        refuse: Refuse,
    ) -> None:
        operation = EditMessage(
            message_id,
            asker.user_id,
            text,
            mentions,
            connection_id=asker.connection_id,
            done=done,
            refuse=refuse,
        )
        self._writer.submit(operation)


def _check_draft(asker: Asker, draft: Draft) -> None:
    if (draft.conversation_id is None) == (draft.to is None):
        detail = "Give a conversation_id or a person in to, one of the two."
        raise ValidationError(detail, fields={"conversation_id": "or to, one of the two"})
    if draft.to == asker.user_id:
        raise ValidationError("You cannot write to yourself.", fields={"to": "is yourself"})
    check_storable({"client_message_id": draft.client_message_id})
    if draft.attachments:
        raise NotFoundError("There is no such attachment.")
    check_text(draft.text)
