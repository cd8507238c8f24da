"""The objects of the wire: users, messages, conversations, and what stands in them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from chat_mvp.protocol.values import (
    ConversationKind,
    Id,
    MessageKind,
    Notify,
    Priority,
    Role,
    ShownPresence,
    Time,
    Visibility,
)


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
