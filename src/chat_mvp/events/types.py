"""The types of committed events.

The ``type`` of an event, its tag, is stored; a process that does not know it skips the event. Fields may be added with
a default value, and are never renamed. The objects inside are those of the wire (``chat_mvp.protocol``).
"""

from typing import Literal

from msgspec import Struct

from chat_mvp.protocol import (
    Conversation,
    ConversationKind,
    ConversationPatch,
    Id,
    Member,
    Message,
    User,
)


class Event(Struct, kw_only=True, tag_field="type"):
    """Base of all events."""


class MessageAdded(Event, tag="message.added"):
    """A message was stored. System messages, which announce changes of the conversation, are added too."""

    message: Message


class MessageChanged(Event, tag="message.changed"):
    """A message was edited or deleted, or its reactions or its pin changed. ``message`` is its state after that."""

    change: Literal["edited", "deleted", "reactions", "pinned"]
    message: Message


class MarksRaised(Event, tag="marks.raised"):
    """A member received or read more of a conversation. Marks only grow.

    ``withheld``: the other members must not know, because the member is invisible or there is a block.
    """

    conversation_id: Id
    user_id: Id
    delivered_seq: int
    read_seq: int
    withheld: bool = False


class ConversationCreated(Event, tag="conversation.created"):
    """A conversation was made. ``ConversationShown`` follows for each member who sees it."""

    conversation_id: Id
    kind: ConversationKind
    created_by: Id


class ConversationShown(Event, tag="conversation.shown"):
    """A user sees a conversation from now on: as a new member, or because the other user of a direct one wrote.

    ``conversation`` is what that user sees. ``added_by`` is the user who caused it.
    """

    user_id: Id
    conversation: Conversation
    added_by: Id | None = None


class ConversationHidden(Event, tag="conversation.hidden"):
    """A user left a direct conversation. They are still a member, but see only what comes later."""

    conversation_id: Id
    user_id: Id


class ConversationChanged(Event, tag="conversation.changed"):
    """The name, description, visibility, avatar or settings of a conversation changed.

    ``changed`` names the fields. ``conversation`` holds all fields that are the same for all members.
    """

    actor_id: Id
    changed: list[str]
    conversation: ConversationPatch


class OwnSettingsChanged(Event, tag="own_settings.changed"):
    """A member changed their own settings in a conversation. Only their own devices are notified.

    ``conversation`` holds the changed settings. A draft is not stored: events must not keep what was never sent.
    """

    user_id: Id
    conversation: ConversationPatch


class ConversationDeleted(Event, tag="conversation.deleted"):
    """A conversation was deleted. ``member_ids`` are those who saw it until then."""

    conversation_id: Id
    actor_id: Id
    member_ids: list[Id]


class MemberJoined(Event, tag="member.joined"):
    """A member was added to a group or channel that exists; ``ConversationShown`` tells them."""

    conversation_id: Id
    actor_id: Id
    member: Member


class MemberChanged(Event, tag="member.changed"):
    """A member has another role.

    ``joined_seq`` are the marks that members see who are kept apart from this one by a block.
    """

    conversation_id: Id
    actor_id: Id
    member: Member
    joined_seq: int


class MemberLeft(Event, tag="member.left"):
    """A member left (``actor_id`` is their own) or was removed."""

    conversation_id: Id
    actor_id: Id
    user_id: Id


class SessionEnded(Event, tag="session.ended"):
    """A signed-in device was signed out: its tokens count no more, and its connections close."""

    session_id: Id
    user_id: Id


class BlockChanged(Event, tag="block.changed"):
    """A user blocked another one, or lifted the block."""

    owner_id: Id
    other_id: Id
    blocked: bool


class ProfileChanged(Event, tag="profile.changed"):
    """The display name, avatar or bio of a user changed. ``user`` is what everyone may see of them after that."""

    user: User


AnyEvent = (
    MessageAdded
    | MessageChanged
    | MarksRaised
    | ConversationCreated
    | ConversationShown
    | ConversationHidden
    | ConversationChanged
    | OwnSettingsChanged
    | ConversationDeleted
    | MemberJoined
    | MemberChanged
    | MemberLeft
    | SessionEnded
    | BlockChanged
    | ProfileChanged
)
