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
    """Another text for an own message."""

    text: Text


class MessagePage(Struct, kw_only=True):
    """Messages in ascending order of ``seq``; pages are asked for by ``seq``, so ``next`` is always null."""

    items: list[Message]
    next: str | None = None


class PinnedList(Struct, kw_only=True):
    """All pinned messages of a conversation, the newest first; they fit on one page, so ``next`` is always null."""

    items: list[Message]
    next: str | None = None


class ChangePage(Struct, kw_only=True):
    """Messages by ascending ``rev``, and the conversation's present one; ``next`` is there while more changed."""

    items: list[Message]
    next: str | None
    rev: int


class TimedPage(Struct, kw_only=True):
    """Messages made or changed after a time, and the time to ask from next; ``next`` is there while there are more."""

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
    """How far a message has come with one of the others."""

    user_id: Id
    state: ReceiptState
    at: str | None


class ReceiptList(Struct, kw_only=True):
    """How far a message has come with each of the others."""

    items: list[MemberReceipt]
