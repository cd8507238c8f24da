"""The objects of the wire: users, messages, conversations and their parts."""

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
    """A user as everyone may see them."""

    id: Id
    username: str
    display_name: str
    avatar_url: str | None
    bio: str
    created_at: Time


class OwnUser(User, kw_only=True):
    """A user as they see themselves. ``profile`` and ``settings`` have no fixed fields; clients choose them."""

    email: str
    email_verified: bool
    role: Literal["member", "admin"]
    status_text: str
    profile: dict[str, object]
    settings: dict[str, object]


class Contact(Struct, kw_only=True):
    """A user in the caller's contact list, with the nickname that the caller chose for them."""

    user: User
    nickname: str | None
    created_at: Time


class PresenceState(Struct, kw_only=True):
    """The presence of a user. It is also ``offline`` for invisible users and between users with a block."""

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
    """One emoji and the users who reacted with it, the earliest first."""

    emoji: str
    count: int
    user_ids: list[Id]


class Message(Struct, kw_only=True):
    """A message in its current state, the same for every member. A deleted message keeps its ``seq`` but no text."""

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
    """Settings of a group or channel. ``post`` says who may send messages."""

    post: Literal["members", "admins"] = "members"


class OwnMembership(Struct, kw_only=True):
    """The caller's membership in a conversation.

    ``unread_from`` is set while the caller has marked messages as unread: every message from this ``seq`` counts.
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
    """A conversation as one of its members sees it. ``peer`` is the other user of a direct conversation."""

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


class OwnMembershipPatch(Struct, kw_only=True):
    """The changed settings of the caller in a conversation. ``unread_from`` is null when the mark was removed."""

    muted_until: Time | UnsetType | None = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    draft: str | UnsetType = UNSET
    notify: Notify | UnsetType = UNSET
    unread_from: int | UnsetType | None = UNSET


class ConversationPatch(Struct, kw_only=True):
    """The changed fields of a conversation. Fields that are left out keep their value.

    Of two values of ``updated_at`` the later one counts.
    """

    id: Id
    updated_at: Time
    name: str | UnsetType | None = UNSET
    description: str | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    avatar_url: str | UnsetType | None = UNSET
    max_participants: int | UnsetType | None = UNSET
    settings: ConversationSettings | UnsetType = UNSET
    member_count: int | UnsetType = UNSET
    me: OwnMembershipPatch | UnsetType = UNSET


class Member(Struct, kw_only=True):
    """A member of a conversation, with their delivered and read marks."""

    user: User
    role: Role
    joined_at: Time
    delivered_seq: int
    read_seq: int


class ConversationState(Struct, kw_only=True):
    """The state of a conversation in ``ready``, by which a client knows whether its copy is up to date."""

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
    """Limits that the server enforces. ``sends_per_s`` is null when sends are not limited."""

    frame_bytes: int
    text_chars: int
    sends_per_s: int | None
