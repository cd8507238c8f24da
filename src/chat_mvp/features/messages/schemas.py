"""Bodies of the message routes."""

from typing import Annotated

from msgspec import Meta, Struct

from chat_mvp.limits import MAX_ATTACHMENTS
from chat_mvp.protocol import ClientMessageId, Id, Message, Priority, ReceiptState, Text


class SendBody(Struct, kw_only=True):
    """A new message for the conversation in the path."""

    client_message_id: ClientMessageId
    text: Text = ""
    attachments: Annotated[list[Id], Meta(max_length=MAX_ATTACHMENTS)] = []
    reply_to: Id | None = None
    thread_root: Id | None = None
    priority: Priority = "normal"


class EditBody(Struct, kw_only=True):
    """A new text for the caller's own message."""

    text: Text


class MessagePage(Struct, kw_only=True):
    """Messages in ascending order of ``seq``. Pages are requested by ``seq``, so ``next`` is always null."""

    items: list[Message]
    next: str | None = None


class PinnedList(Struct, kw_only=True):
    """All pinned messages of a conversation, the newest first. They fit on one page, so ``next`` is always null."""

    items: list[Message]
    next: str | None = None


class ChangePage(Struct, kw_only=True):
    """Messages by ascending ``rev``, and the conversation's current ``rev``. ``next`` is set while there are more."""

    items: list[Message]
    next: str | None
    rev: int


class TimedPage(Struct, kw_only=True):
    """Messages created or changed after a time, and the time for the next request.

    ``next`` is set while there are more.
    """

    items: list[Message]
    next: str | None
    server_time: str


class Edit(Struct, kw_only=True):
    """An earlier text of a message, and when it was replaced."""

    text: str
    at: str


class EditList(Struct, kw_only=True):
    """All earlier texts that are kept, oldest first."""

    items: list[Edit]
    next: str | None = None


class MemberReceipt(Struct, kw_only=True):
    """How far one of the other members has received and read a message."""

    user_id: Id
    state: ReceiptState
    at: str | None


class ReceiptList(Struct, kw_only=True):
    """How far each of the other members has received and read a message."""

    items: list[MemberReceipt]
