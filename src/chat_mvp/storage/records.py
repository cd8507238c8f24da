"""The results of storage: plain typed records with ids as strings and times with a time zone, never documents."""

from datetime import datetime
from typing import NamedTuple

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
    """A user in another user's list; ``listed`` in the contact list, ``blocked`` in the block list, or both."""

    owner_id: str
    other_id: str
    listed: bool
    nickname: str | None
    blocked: bool
    blocked_at: datetime | None
    created_at: datetime


class SeqRange(NamedTuple):
    """Consecutive messages of one conversation: ``after < seq <= up_to``."""

    conversation_id: str
    after: int
    up_to: int

    @property
    def size(self) -> int:
        """Return the number of messages, 0 if ``up_to`` is not above ``after``."""
        return max(0, self.up_to - self.after)

    def above(self, seq: int) -> "SeqRange":
        """Return the part of the range above ``seq``."""
        return self._replace(after=max(self.after, seq))


class OwedRange(Struct, frozen=True):
    """The messages of a conversation that wait for each recipient until they confirm them: ``after < seq <= up_to``.

    ``up_to`` is ``None`` while the conversation is small, so that new messages wait too. Messages up to ``after`` were
    sent before this range began: they wait only if they have an entry in the queue.
    """

    after: int = 0
    up_to: int | None = None


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
    public_after_seq: int = 0
    """The last message before the conversation became public. 0 if it was created as public.

    Unused while it is private.
    """
    owed: OwedRange | None = None
    """Which messages wait for their recipients. ``None`` in a conversation of an older version: see ``OwedRange``."""


class Marks(Struct, frozen=True):
    """How far a user has received and read a conversation, and since when."""

    delivered_seq: int
    read_seq: int
    delivered_at: datetime | None = None
    read_at: datetime | None = None


class MembershipRecord(Struct, kw_only=True):
    """The membership of one user in one conversation."""

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
    """When ``delivered_seq`` reached its value."""
    read_at: datetime | None = None
    unread_from: int | None = None
    """The first message that the user wants to count as unread. Valid while ``read_seq`` is ``unread_from_read``."""
    unread_from_read: int | None = None
    added_by: str | None = None
    """Who added the user without being known to them. Written once and counted in the database, never read."""
    hidden_seq: int | None = None
    """The user never sees messages up to this one. Set when they join. Older versions did not store it."""

    frozen_marks: Marks | None = None
    """The marks that the others see while newer ones are withheld from them. ``None`` while nothing is withheld."""

    def visible_marks(self) -> Marks:
        """Return the marks that the others see."""
        return self.frozen_marks or self.own_marks()

    def own_marks(self) -> Marks:
        """Return the current marks."""
        return Marks(self.delivered_seq, self.read_seq, self.delivered_at, self.read_at)

    def hides_up_to(self, conversation: ConversationRecord) -> int:
        """Return the ``seq`` of the last message that the user may not see."""
        if self.hidden_seq is not None:
            return self.hidden_seq
        # The rule of older versions. Making the conversation public shows no more messages either.
        return (
            min(self.joined_seq, conversation.public_after_seq)
            if conversation.visibility == "public"
            else self.joined_seq
        )

    def marked_unread_from(self) -> int | None:
        """Return where the messages begin that the user marked as unread, or ``None`` if reading has ended the mark."""
        return self.unread_from if self.unread_from_read == self.read_seq else None


class SummaryRecord(Struct, kw_only=True, frozen=True):
    """The fields of a conversation and of a user's membership that a connect needs."""

    id: str
    rev: int
    last_seq: int
    activity_at: datetime
    updated_at: str
    """When the conversation or the user's own settings there last changed, as it is sent to clients."""
    member_count: int
    direct_key: str | None
    joined_seq: int
    delivered_seq: int
    read_seq: int
    owed: OwedRange | None = None
    """See ``ConversationRecord``."""

    @property
    def confirmed_seq(self) -> int:
        """Return the ``seq`` up to which nothing waits.

        A user who left a direct conversation and came back has an older mark.
        """
        return max(self.delivered_seq, self.joined_seq)


class MessageRecord(Struct, kw_only=True):
    """A message with the fields that only the server has."""

    message: Message
    made_rev: int
    status: str
