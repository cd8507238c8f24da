"""Every frame that the server sends."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from chat_mvp.protocol.objects import (
    Conversation,
    ConversationPatch,
    ConversationState,
    Limits,
    Member,
    Message,
    PresenceState,
    User,
)
from chat_mvp.protocol.values import AckStatus, Id, Ref, ShownPresence, Time


class ServerFrame(Struct, kw_only=True, tag_field="type"):
    """Base of every frame that the server sends."""


class AnswerFrame(ServerFrame, kw_only=True):
    """Base of the frames that may answer a request. ``ref`` is that of the request."""

    ref: Ref | UnsetType = UNSET


class Ready(AnswerFrame, tag="ready", kw_only=True):
    """The connection is accepted. The missed events follow, then ``drained``, then live events.

    ``conversations`` are the most recently active ones. ``more`` is sent, and true, when ``ready.conversations``
    frames follow.
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
    """The next page of the conversations of ``ready``. ``more`` says whether another page follows."""

    conversations: list[ConversationState]
    more: bool


class MessageNew(ServerFrame, tag="message.new", kw_only=True):
    """A new message. ``queued`` is true when it waited in the recipient's queue."""

    message: Message
    queued: bool


class MessageAck(AnswerFrame, tag="message.ack", kw_only=True):
    """The message is stored durably. ``status`` is ``sent`` if a recipient was connected, otherwise ``queued``."""

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
    """A message after it was pinned or unpinned, for all members who see it."""

    message: Message


class MessageChanged(ServerFrame, tag="message.changed", kw_only=True):
    """While catching up: an older message that changed after the ``rev`` that the client knew."""

    message: Message


class Receipt(ServerFrame, tag="receipt", kw_only=True):
    """The delivered and read marks of a member. They only grow."""

    conversation_id: Id
    user_id: Id
    delivered_seq: int
    read_seq: int


class Drained(ServerFrame, tag="drained", kw_only=True):
    """Every missed event has been sent. ``count`` is how many messages came from the queue."""

    count: int


class ConversationReset(ServerFrame, tag="conversation.reset", kw_only=True):
    """The client missed too much to receive it one by one. It must fetch the newest page again."""

    conversation_id: Id
    rev: int
    last_seq: int


class ConversationJoined(ServerFrame, tag="conversation.joined", kw_only=True):
    """The caller is now a member of this conversation."""

    conversation: Conversation


class ConversationUpdated(ServerFrame, tag="conversation.updated", kw_only=True):
    """The name, description or settings of a conversation changed, or the caller's own settings in it.

    ``conversation`` holds the fields that changed.
    """

    conversation: ConversationPatch


class ConversationLeft(ServerFrame, tag="conversation.left", kw_only=True):
    """The caller is no longer a member: they left, were removed, or the conversation was deleted."""

    conversation_id: Id


class MemberJoined(ServerFrame, tag="member.joined", kw_only=True):
    """A member joined. Sent to those who were members before."""

    conversation_id: Id
    member: Member


class MemberUpdated(ServerFrame, tag="member.updated", kw_only=True):
    """The role of a member changed."""

    conversation_id: Id
    member: Member


class MemberLeft(ServerFrame, tag="member.left", kw_only=True):
    """A member left or was removed. Sent to the remaining members."""

    conversation_id: Id
    user_id: Id


class UserUpdated(ServerFrame, tag="user.updated", kw_only=True):
    """The display name, avatar or bio of a user changed.

    Sent to everyone who shares a conversation or a contact with the user.
    """

    user: User


class BlockUpdated(ServerFrame, tag="block.updated", kw_only=True):
    """The user blocked another user, or lifted the block. Sent to the user's own devices only."""

    user: User
    blocked: bool


class Typing(ServerFrame, tag="typing", kw_only=True):
    """A member started or stopped typing."""

    conversation_id: Id
    user_id: Id
    state: Literal["start", "stop"]


class Presence(AnswerFrame, tag="presence", kw_only=True):
    """The presence or status text of a user changed."""

    user_id: Id
    state: ShownPresence
    last_seen: Time | None
    status_text: str


class PresenceSnapshot(AnswerFrame, tag="presence.snapshot", kw_only=True):
    """The presence of every user to whom this connection is subscribed."""

    items: list[PresenceState]


class TokenExpiring(ServerFrame, tag="token.expiring", kw_only=True):
    """The access token expires soon. Without a new one the server closes the connection with 4401."""

    expires_in: int


class TokenAccepted(AnswerFrame, tag="token.accepted", kw_only=True):
    """The new access token is valid and replaces the old one."""

    expires_in: int


class Pong(AnswerFrame, tag="pong", kw_only=True):
    """Answer to ``ping``."""

    server_time: Time


class Error(AnswerFrame, tag="error", kw_only=True):
    """A request was refused or failed. ``code`` is stable; ``detail`` is a text for the user."""

    code: str
    detail: str
    retry_after_ms: int | UnsetType = UNSET


class Bye(ServerFrame, tag="bye", kw_only=True):
    """The server is about to close the connection. ``code`` says whether to reconnect, ``reconnect_after_ms`` when."""

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
    | UserUpdated
    | BlockUpdated
    | Typing
    | Presence
    | PresenceSnapshot
    | TokenExpiring
    | TokenAccepted
    | Pong
    | Error
    | Bye
)
