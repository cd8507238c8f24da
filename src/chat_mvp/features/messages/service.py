"""The rules of messages: the checks before an operation goes to the writer."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from chat_mvp.delivery.batch import NewMessage
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.reply import FutureReply, Reply, await_reply
from chat_mvp.delivery.rosters import FetchUsers, Rosters
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import CannotMessageError, NotFoundError, ValidationError
from chat_mvp.features.messages.mentions import mentioned_names
from chat_mvp.features.messages.operations import (
    DeleteMessage,
    EditMessage,
    Pin,
    React,
    SendMessage,
    Sent,
    SpendText,
)
from chat_mvp.features.messages.permissions import can_see
from chat_mvp.features.messages.texts import check_text, checked_emoji
from chat_mvp.protocol import Message, Priority, User
from chat_mvp.storable import check_storable
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import direct_key
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.users import Users


class Draft(Struct, kw_only=True, frozen=True):
    """A message as the client requested it. Either ``conversation_id`` or ``to`` (a user) names its target."""

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
        messages: Messages,
        users: Users,
        contacts: Contacts,
        fetch_users: FetchUsers,
        blocks: Blocks,
        check_may_write_first: Callable[[str, str], Awaitable[None]],
        spend_text: SpendText,
    ) -> None:
        """Write through ``writer``.

        ``check_may_write_first(user_id, other_id)`` raises when the user may not start a conversation with the other.
        ``spend_text(user_id, size)`` raises when the user has sent too many bytes of text.
        """
        self._writer = writer
        self._rosters = rosters
        self._messages = messages
        self._users = users
        self._contacts = contacts
        self._fetch_users = fetch_users
        self._blocks = blocks
        self._check_may_write_first = check_may_write_first
        self._spend_text = spend_text

    # ------------------------------------------------------------------------------------------------------ writing

    def send(self, user_id: str, draft: Draft, *, reply: Reply[Sent]) -> Awaitable[None] | None:
        """Check a draft and pass it to the writer, which answers through ``reply`` later.

        Returns an awaitable only if something must be looked up first: a user to whom nothing was sent yet, or names
        that the text mentions. Raises the errors of the draft itself.
        """
        _check_draft(user_id, draft)
        self._spend_text(user_id, len(draft.text.encode()))
        key = direct_key(user_id, draft.to) if draft.to is not None else None
        is_new_pair = key is not None and self._rosters.direct_id(key) is None
        if is_new_pair or "@" in draft.text:
            return self._look_up_and_send(user_id, draft, key, reply=reply)
        self._submit(user_id, draft, key, people={}, mentions=(), reply=reply)
        return None

    def edit(self, user_id: str, message_id: str, text: str, *, reply: Reply[Message]) -> Awaitable[None] | None:
        """Check a new text and pass it to the writer. Otherwise like ``send``."""
        check_text(text)
        self._spend_text(user_id, len(text.encode()))
        if "@" in text:
            return self._look_up_and_edit(user_id, message_id, text, reply=reply)
        self._submit_edit(user_id, message_id, text, (), reply=reply)
        return None

    def delete(self, user_id: str, message_id: str, *, reply: Reply[Message]) -> None:
        """Pass a deletion to the writer."""
        operation = DeleteMessage(
            message_id,
            user_id,
            reply=reply,
        )
        self._writer.submit(operation)

    def react(
        self,
        user_id: str,
        message_id: str,
        emoji: str,
        *,
        present: bool,
        reply: Reply[Message],
    ) -> None:
        """Pass a new or removed reaction to the writer."""
        operation = React(
            message_id,
            user_id,
            checked_emoji(emoji),
            present=present,
            reply=reply,
            spend_text=self._spend_text,
        )
        self._writer.submit(operation)

    def pin(self, user_id: str, message_id: str, *, pinned: bool, reply: Reply[Message]) -> None:
        """Pass a pin or unpin to the writer."""
        operation = Pin(
            message_id,
            user_id,
            pinned=pinned,
            reply=reply,
            spend_text=self._spend_text,
        )
        self._writer.submit(operation)

    async def send_and_wait(self, user_id: str, draft: Draft) -> tuple[Message, bool]:
        """Send, and return the stored message and whether the send was a repetition.

        ``NotFoundError`` for a repetition of a message that the sender may no longer see, because it may have changed
        since.
        """

        def begin(reply: FutureReply[Sent]) -> Awaitable[None] | None:
            return self.send(user_id, draft, reply=reply)

        # The status of the message depends on blocks, and the writer reads nothing from the database for this.
        await self._blocks.fetch(user_id)
        sent = await await_reply(begin)
        message = sent.record.message
        if sent.is_duplicate:
            roster = await self._rosters.fetch(message.conversation_id)
            member = None if roster is None else roster.member(user_id)
            if roster is None or member is None or not can_see(roster, member, message.seq):
                raise NotFoundError(
                    "You have left the conversation of the message with this client_message_id. Use a new one."
                )
        return message, sent.is_duplicate

    # ------------------------------------------------------------------------------------------------------ internal

    async def _look_up_and_send(
        self,
        user_id: str,
        draft: Draft,
        key: str | None,
        *,
        reply: Reply[Sent],
    ) -> None:
        people: Mapping[str, User] = {}
        if key is not None and draft.to is not None:
            people = await self._people_of_new_pair(user_id, draft, key)
        mentions = await self._mentions(draft.text)
        self._submit(user_id, draft, key, people=people, mentions=mentions, reply=reply)

    async def _people_of_new_pair(self, user_id: str, draft: Draft, key: str) -> Mapping[str, User]:
        other = draft.to or ""
        await self._rosters.load_direct([key])
        if self._rosters.direct_id(key) is not None:
            return {}
        if await self._messages.fetch_sent([(user_id, draft.client_message_id)]):
            return {}
        people = await self._fetch_users([user_id, other])
        if len(people) < 2:  # noqa: PLR2004  (both users)
            raise NotFoundError("There is no user with this id.")
        if await self._contacts.fetch_blocked_pairs(user_id, [other]):
            raise CannotMessageError
        await self._check_may_write_first(user_id, other)
        return people

    async def _look_up_and_edit(
        self,
        user_id: str,
        message_id: str,
        text: str,
        *,
        reply: Reply[Message],
    ) -> None:
        self._submit_edit(user_id, message_id, text, await self._mentions(text), reply=reply)

    async def _mentions(self, text: str) -> tuple[str, ...]:
        names = mentioned_names(text) if "@" in text else []
        return tuple(sorted(await self._users.fetch_ids_by_usernames(names))) if names else ()

    def _submit(
        self,
        user_id: str,
        draft: Draft,
        key: str | None,
        *,
        people: Mapping[str, User],
        mentions: tuple[str, ...],
        reply: Reply[Sent],
    ) -> None:
        new = NewMessage(
            id=new_id(),
            sender_id=user_id,
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
                reply=reply,
            ),
        )

    def _submit_edit(
        self,
        user_id: str,
        message_id: str,
        text: str,
        mentions: tuple[str, ...],
        *,
        reply: Reply[Message],
    ) -> None:
        operation = EditMessage(
            message_id,
            user_id,
            text,
            mentions,
            reply=reply,
            spend_text=self._spend_text,
        )
        self._writer.submit(operation)


def _check_draft(user_id: str, draft: Draft) -> None:
    if (draft.conversation_id is None) == (draft.to is None):
        detail = "Give either conversation_id or to (a user id)."
        raise ValidationError(detail, fields={"conversation_id": "or to, one of the two"})
    if draft.to == user_id:
        raise ValidationError("You cannot write to yourself.", fields={"to": "is yourself"})
    check_storable({"client_message_id": draft.client_message_id})
    if draft.attachments:
        raise NotFoundError("There is no such attachment.")
    check_text(draft.text)
