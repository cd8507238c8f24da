"""Every frame that the server sends."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from chat_mvp.protocol.objects import Conversation, ConversationState, Limits, Member, Message, PresenceState
from chat_mvp.protocol.values import AckStatus, Id, Ref, ShownPresence, Time


class ServerFrame(Struct, kw_only=True, tag_field="type"):
    """Base of every frame that the server sends."""


class AnswerFrame(ServerFrame, kw_only=True):
    """A frame that may answer a request; ``ref`` is that request's."""

    ref: Ref | UnsetType = UNSET


class Ready(AnswerFrame, tag="ready", kw_only=True):
    """The connection stands; what follows is what was missed, then ``drained``, then live events.

    ``conversations`` are the most recently active ones; ``more`` is there, and true, when ``ready.conversations``
    follow.
    """

    connection_id: Id
    user_id: Id
    epoch: str
    server_time: Time
    heartbeat_s: float
    recovered: bool
    queued: int
    unread_notifications: int
    token_expires_in: int
    conversations: list[ConversationState]
    limits: Limits
    more: bool | UnsetType = UNSET


class ReadyConversations(ServerFrame, tag="ready.conversations", kw_only=True):
    """The next page of the conversations of ``ready``; ``more`` tells that another one follows."""

    conversations: list[ConversationState]
    more: bool


class MessageNew(ServerFrame, tag="message.new", kw_only=True):
    """A new message; ``queued`` when it waited in the recipient's queue."""

    message: Message
    queued: bool


class MessageAck(AnswerFrame, tag="message.ack", kw_only=True):
    """The message is stored durably; ``status`` tells whether anybody was there to receive it."""

    client_message_id: str
    message_id: Id
    conversation_id: Id
    seq: int
    rev: int
    created_at: Time
    status: AckStatus
    duplicate: bool


class MessageEdited(AnswerFrame, tag="message.edited", kw_only=True):
    """A message after an edit."""

    message: Message


class MessageDeleted(AnswerFrame, tag="message.deleted", kw_only=True):
    """A message after it was deleted."""

    message: Message


class MessageReaction(AnswerFrame, tag="message.reaction", kw_only=True):
    """A message after its reactions changed."""

    message: Message


class MessagePinned(ServerFrame, tag="message.pinned", kw_only=True):
    """A message after it was pinned or unpinned, for everybody in the conversation."""

    message: Message


class MessageChanged(ServerFrame, tag="message.changed", kw_only=True):
    """While catching up: an older message that is no longer what the client knew."""

    message: Message


class Receipt(ServerFrame, tag="receipt", kw_only=True):
    """Somebody's high-water marks; they only grow."""

    conversation_id: Id
    user_id: Id
    delivered_seq: int
    read_seq: int


class Drained(ServerFrame, tag="drained", kw_only=True):
    """Everything that waited has been sent; ``count`` of it came from the queue."""

    count: int


class ConversationReset(ServerFrame, tag="conversation.reset", kw_only=True):
    """Too much was missed to stream it: fetch the newest page again."""

    conversation_id: Id
    rev: int
    last_seq: int


class ConversationJoined(ServerFrame, tag="conversation.joined", kw_only=True):
    """A conversation one is a member of from now on."""

    conversation: Conversation


class ConversationUpdated(ServerFrame, tag="conversation.updated", kw_only=True):
    """A conversation's name, description, settings or own marks changed."""

    conversation: Conversation


class ConversationLeft(ServerFrame, tag="conversation.left", kw_only=True):
    """One is no longer in it: left, removed, or it was deleted."""

    conversation_id: Id


class MemberJoined(ServerFrame, tag="member.joined", kw_only=True):
    """Somebody new, told to those who were there."""

    conversation_id: Id
    member: Member


class MemberUpdated(ServerFrame, tag="member.updated", kw_only=True):
    """Somebody's role changed."""

    conversation_id: Id
    member: Member


class MemberLeft(ServerFrame, tag="member.left", kw_only=True):
    """Somebody left or was removed, told to those who stay."""

    conversation_id: Id
    user_id: Id


class Typing(ServerFrame, tag="typing", kw_only=True):
    """Somebody is writing, or no longer is."""

    conversation_id: Id
    user_id: Id
    state: Literal["start", "stop"]


class Presence(AnswerFrame, tag="presence", kw_only=True):
    """Somebody came, went, or changed how they are seen."""

    user_id: Id
    state: ShownPresence
    last_seen: Time | None
    status_text: str


class PresenceSnapshot(AnswerFrame, tag="presence.snapshot", kw_only=True):
    """The presence of everybody whose presence this connection is told."""

    items: list[PresenceState]


class TokenExpiring(ServerFrame, tag="token.expiring", kw_only=True):
    """The access token ends soon; without a fresh one the connection closes with 4401."""

    expires_in: int


class TokenAccepted(AnswerFrame, tag="token.accepted", kw_only=True):
    """The fresh token counts from now on."""

    expires_in: int


class Pong(AnswerFrame, tag="pong", kw_only=True):
    """Answer to ``ping``."""

    server_time: Time


class Error(AnswerFrame, tag="error", kw_only=True):
    """A request was refused or failed; ``code`` is stable, ``detail`` is for a person."""

    code: str
    detail: str
    retry_after_ms: int | UnsetType = UNSET


class Bye(ServerFrame, tag="bye", kw_only=True):
    """The server is about to close the connection, and says whether to come back and when."""

    code: int
    reason: str
    reconnect_after_ms: int


AnyServerFrame = (
    Ready
    | ReadyConversations
    | MessageNew
    | MessageAck
    | MessageEdited
    | MessageDeleted
    | MessageReaction
    | MessagePinned
    | MessageChanged
    | Receipt
    | Drained
    | ConversationReset
    | ConversationJoined
    | ConversationUpdated
    | ConversationLeft
    | MemberJoined
    | MemberUpdated
    | MemberLeft
    | Typing
    | Presence
    | PresenceSnapshot
    | TokenExpiring
    | TokenAccepted
    | Pong
    | Error
    | Bye
)
