"""What storage hands out: plain typed records with ids as strings and aware moments, never documents."""

from datetime import datetime

from msgspec import Struct

from chat_mvp.protocol import ChosenPresence, ConversationKind, Message, Notify, Role, Visibility


class UserRecord(Struct, kw_only=True, frozen=True):
    """An account as it is stored."""

    id: str
    username: str
    email: str
    email_verified: bool
    password_hash: str
    display_name: str
    avatar_url: str | None
    bio: str
    status_text: str
    role: str
    profile_json: str
    settings_json: str
    presence: ChosenPresence
    last_seen: datetime | None
    created_at: datetime


class AuthSessionRecord(Struct, kw_only=True, frozen=True):
    """One signed-in device."""

    id: str
    user_id: str
    device_name: str
    address: str
    token_hash: str
    spent_hash: str | None
    spent_at: datetime | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class ContactRecord(Struct, kw_only=True, frozen=True):
    """Somebody in a person's list; ``listed`` in the contact list, ``blocked`` in the block list, or both."""

    owner_id: str
    other_id: str
    listed: bool
    nickname: str | None
    blocked: bool
    blocked_at: datetime | None
    created_at: datetime


class ConversationRecord(Struct, kw_only=True):
    """A conversation and its counters."""

    id: str
    kind: ConversationKind
    name: str | None
    description: str
    visibility: Visibility
    avatar_url: str | None
    max_participants: int | None
    post: str
    member_count: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    activity_at: datetime
    last_seq: int
    rev: int
    direct_key: str | None
    pinned_count: int = 0


class MembershipRecord(Struct, kw_only=True):
    """One person in one conversation."""

    id: str
    conversation_id: str
    user_id: str
    role: Role
    visible: bool
    joined_at: datetime
    updated_at: datetime
    joined_seq: int
    delivered_seq: int
    read_seq: int
    muted_until: datetime | None
    pinned: bool
    archived: bool
    draft: str
    notify: Notify
    delivered_at: datetime | None = None
    """When ``delivered_seq`` came to where it is."""
    read_at: datetime | None = None
    unread_from: int | None = None
    """From where on the person wants messages to count as unread, as long as ``read_seq`` is ``unread_from_read``."""
    unread_from_read: int | None = None

    def marked_unread_from(self) -> int | None:
        """Return where the unread messages begin that were marked by hand; reading on has ended such a mark."""
        return self.unread_from if self.unread_from_read == self.read_seq else None


class SummaryRecord(Struct, kw_only=True, frozen=True):
    """The little of a conversation and of a person's membership in it that a connect needs."""

    id: str
    rev: int
    last_seq: int
    activity_at: datetime
    updated_at: datetime
    """When the conversation or the person's own settings there last changed."""
    member_count: int
    direct_key: str | None
    joined_seq: int
    delivered_seq: int
    read_seq: int

    @property
    def confirmed_seq(self) -> int:
        """Return up to where nothing waits: who left a direct conversation and came back keeps an older mark."""
        return max(self.delivered_seq, self.joined_seq)


class MessageRecord(Struct, kw_only=True):
    """A message with what only the server knows of it."""

    message: Message
    made_rev: int
    status: str
