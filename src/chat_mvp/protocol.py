"""The wire contract as types: every object, frame, limit and close code that leaves or enters the server.

This module alone names frames and their fields; OpenAPI, AsyncAPI and the web client's TypeScript are generated from
it. It imports msgspec only. Times are RFC 3339 strings in UTC with milliseconds (``2026-11-21T10:00:00.123Z``), ids
are 24 lower-case hexadecimal digits, lengths count Unicode code points.

Fields that are ``UNSET`` are left out on the wire; every other field is always sent.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

# ---------------------------------------------------------------------------------------------------------- limits

MAX_FRAME_BYTES = 128 * 1024
"""A longer client frame closes the connection with 1009."""
MAX_BODY_BYTES = 1024 * 1024
MAX_TEXT_CHARS = 10_000
MAX_KNOWN = 3_000
"""Conversations a client may name in ``connect``."""
MAX_RESUME_CHANGES = 500
"""More missed changes of one conversation than this are answered with ``conversation.reset``."""
MAX_SUBSCRIBED_PRESENCES = 200
MAX_ATTACHMENTS = 20
MAX_EMOJIS_PER_MESSAGE = 20
MAX_PINNED_MESSAGES = 100
"""In one conversation."""
MAX_CONNECTIONS_PER_ACCOUNT = 20
MAX_SMALL_CONVERSATION = 64
"""Up to this many members, receipts are told and ``others_…`` marks are computed."""
CONNECT_TIMEOUT_S = 5.0
TYPING_TIMEOUT_S = 6.0
MAX_BAD_FRAMES_PER_MINUTE = 10
MAX_WAITING_FRAMES = 1_000
MAX_WAITING_BYTES = 1024 * 1024
TOKEN_WARNING_S = 60

# ----------------------------------------------------------------------------------------------------- close codes

CLOSE_GOING_AWAY = 1001
CLOSE_TOO_LARGE = 1009
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
CLOSE_PROTOCOL_VIOLATION = 4400
CLOSE_UNAUTHENTICATED = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429

SUBPROTOCOL_JSON = "chat.v1.json"
SUBPROTOCOL_MSGPACK = "chat.v1.msgpack"

# ---------------------------------------------------------------------------------------------------- value types

# The length is said apart, because "$" lets a line break pass behind the pattern.
Id = Annotated[
    str,
    Meta(pattern="^[0-9a-f]{24}$", min_length=24, max_length=24, description="24 hexadecimal digits"),
]
Time = Annotated[str, Meta(description="RFC 3339 in UTC with milliseconds", examples=["2026-11-21T10:00:00.123Z"])]
Ref = Annotated[str, Meta(max_length=64)] | int
ClientMessageId = Annotated[str, Meta(min_length=1, max_length=64)]
Mark = Annotated[int, Meta(ge=0, le=2**53)]
Emoji = Annotated[str, Meta(min_length=1, max_length=32)]

ConversationKind = Literal["direct", "group", "channel"]
Visibility = Literal["public", "private"]
Role = Literal["owner", "admin", "member"]
Priority = Literal["normal", "high"]
MessageKind = Literal["text", "system"]
Notify = Literal["all", "mentions", "none"]
ChosenPresence = Literal["online", "away", "dnd", "invisible"]
ShownPresence = Literal["online", "away", "dnd", "offline"]
AckStatus = Literal["sent", "queued"]
ReceiptState = Literal["queued", "delivered", "read"]

# --------------------------------------------------------------------------------------------------------- objects


class User(Struct, kw_only=True):
    """A person as everybody may see them."""

    id: Id
    username: str
    display_name: str
    avatar_url: str | None
    bio: str
    created_at: Time


class OwnUser(User, kw_only=True):
    """A person as they see themselves; ``profile`` and ``settings`` are theirs to fill."""

    email: str
    email_verified: bool
    role: Literal["member", "admin"]
    status_text: str
    profile: dict[str, object]
    settings: dict[str, object]


class Contact(Struct, kw_only=True):
    """Somebody in one's contact list, under a name of one's own choosing."""

    user: User
    nickname: str | None
    created_at: Time


class PresenceState(Struct, kw_only=True):
    """Whether somebody is there; ``offline`` also stands for invisible and for blocked."""

    user_id: Id
    state: ShownPresence
    last_seen: Time | None
    status_text: str


class Attachment(Struct, kw_only=True):
    """A file that belongs to a message."""

    id: Id
    name: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    url: str
    thumbnail_url: str | None


class ThreadSummary(Struct, kw_only=True):
    """How many replies a message has in its thread, and the sequence number of the newest."""

    count: int
    last_seq: int


class Reaction(Struct, kw_only=True):
    """One emoji and everybody who set it, in the order they did."""

    emoji: str
    count: int
    user_ids: list[Id]


class Message(Struct, kw_only=True):
    """A message in its present state, the same for everyone. A deleted one keeps its place without its text."""

    id: Id
    conversation_id: Id
    seq: int
    rev: int
    sender_id: Id
    client_message_id: str
    kind: MessageKind
    text: str
    priority: Priority
    attachments: list[Attachment]
    reply_to: Id | None
    thread_root: Id | None
    thread: ThreadSummary | None
    mentions: list[Id]
    reactions: list[Reaction]
    pinned: bool
    created_at: Time
    edited_at: Time | None
    deleted_at: Time | None


class ConversationSettings(Struct, kw_only=True):
    """What a group or channel has decided for itself: ``post`` says who may write."""

    post: Literal["members", "admins"] = "members"


class OwnMembership(Struct, kw_only=True):
    """The caller's own place in a conversation.

    ``unread_from`` is there only while the person wants everything from that number on to count as unread.
    """

    role: Role
    joined_at: Time
    joined_seq: int
    delivered_seq: int
    read_seq: int
    unread: int
    muted_until: Time | None
    pinned: bool
    archived: bool
    draft: str
    notify: Notify
    unread_from: int | UnsetType = UNSET


class Conversation(Struct, kw_only=True):
    """A conversation as one of its members sees it. ``peer`` is the other person of a direct one."""

    id: Id
    kind: ConversationKind
    name: str | None
    description: str
    visibility: Visibility
    avatar_url: str | None
    max_participants: int | None
    settings: ConversationSettings
    member_count: int
    created_by: Id
    created_at: Time
    updated_at: Time
    last_seq: int
    rev: int
    last_message: Message | None
    others_delivered_seq: int | None
    others_read_seq: int | None
    me: OwnMembership
    peer: User | UnsetType = UNSET


class Member(Struct, kw_only=True):
    """Somebody in a conversation, with the marks of what reached them."""

    user: User
    role: Role
    joined_at: Time
    delivered_seq: int
    read_seq: int


class ConversationState(Struct, kw_only=True):
    """One line of ``ready``: what a client needs to know whether its copy of a conversation is fresh."""

    id: Id
    rev: int
    updated_at: Time
    last_seq: int
    delivered_seq: int
    read_seq: int
    unread: int
    others_delivered_seq: int | None
    others_read_seq: int | None


class Limits(Struct, kw_only=True):
    """What a client must stay below."""

    frame_bytes: int
    text_chars: int
    sends_per_s: int | None


# ------------------------------------------------------------------------------------------- frames from the client


class ClientFrame(Struct, kw_only=True, tag_field="type"):
    """What every frame from a client may carry: a reference that its answer repeats."""

    ref: Ref | None = None


class Connect(ClientFrame, tag="connect", kw_only=True):
    """The first frame: who is there, and what they already have."""

    token: str | None = None
    device_id: Annotated[str, Meta(max_length=128)] | None = None
    known: Annotated[dict[Id, Mark], Meta(max_length=MAX_KNOWN)] | None = None
    epoch: Annotated[str, Meta(max_length=64)] | None = None


class MessageSend(ClientFrame, tag="message.send", kw_only=True):
    """A new message, to a conversation or (``to``) to a person directly."""

    client_message_id: ClientMessageId
    conversation_id: Id | None = None
    to: Id | None = None
    text: str = ""
    attachments: Annotated[list[Id], Meta(max_length=MAX_ATTACHMENTS)] = []
    reply_to: Id | None = None
    thread_root: Id | None = None
    priority: Priority = "normal"


class MessageEdit(ClientFrame, tag="message.edit", kw_only=True):
    """Another text for an own message."""

    message_id: Id
    text: str


class MessageDelete(ClientFrame, tag="message.delete", kw_only=True):
    """Take the content of a message away; its place stays."""

    message_id: Id


class ReactionAdd(ClientFrame, tag="reaction.add", kw_only=True):
    """Set one's own reaction."""

    message_id: Id
    emoji: Emoji


class ReactionRemove(ClientFrame, tag="reaction.remove", kw_only=True):
    """Take one's own reaction back."""

    message_id: Id
    emoji: Emoji


class Delivered(ClientFrame, tag="delivered", kw_only=True):
    """This device has everything up to ``seq``."""

    conversation_id: Id
    seq: Mark


class Read(ClientFrame, tag="read", kw_only=True):
    """The person has seen everything up to ``seq``."""

    conversation_id: Id
    seq: Mark


class TypingSet(ClientFrame, tag="typing", kw_only=True):
    """The person began or stopped writing."""

    conversation_id: Id
    state: Literal["start", "stop"]


class PresenceSet(ClientFrame, tag="presence.set", kw_only=True):
    """How the person wants to be seen."""

    state: ChosenPresence
    status_text: Annotated[str, Meta(max_length=140)] | None = None


class PresenceSubscribe(ClientFrame, tag="presence.subscribe", kw_only=True):
    """Whose presence to tell, beside contacts and direct peers; replaces the earlier list."""

    user_ids: Annotated[list[Id], Meta(max_length=MAX_SUBSCRIBED_PRESENCES)]


class TokenRefresh(ClientFrame, tag="token", kw_only=True):
    """A fresh access token for a connection that goes on."""

    token: str


class Ping(ClientFrame, tag="ping", kw_only=True):
    """Ask whether anybody is there."""


AnyClientFrame = (
    Connect
    | MessageSend
    | MessageEdit
    | MessageDelete
    | ReactionAdd
    | ReactionRemove
    | Delivered
    | Read
    | TypingSet
    | PresenceSet
    | PresenceSubscribe
    | TokenRefresh
    | Ping
)

# ------------------------------------------------------------------------------------------- frames from the server


class ServerFrame(Struct, kw_only=True, tag_field="type"):
    """Base of every frame that the server sends."""


class AnswerFrame(ServerFrame, kw_only=True):
    """A frame that may answer a request; ``ref`` is that request's."""

    ref: Ref | UnsetType = UNSET


class Ready(AnswerFrame, tag="ready", kw_only=True):
    """The connection stands; what follows is what was missed, then ``drained``, then live events."""

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
