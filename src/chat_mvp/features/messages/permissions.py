"""Permissions for messages. Each function raises an error if the user may not do it, and returns nothing."""

from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import CannotMessageError, ConflictError, ForbiddenError
from chat_mvp.limits import MAX_PINNED_MESSAGES
from chat_mvp.protocol import Message
from chat_mvp.storage.records import MembershipRecord


def check_not_deleted(message: Message) -> None:
    """Refuse to change a deleted message."""
    if message.deleted_at is not None:
        raise ConflictError("This message was deleted.")


def check_may_edit(message: Message, member: MembershipRecord) -> None:
    """Check that the message is the user's own text."""
    if message.sender_id != member.user_id or message.kind != "text":
        raise ForbiddenError("You can edit only your own messages.")
    check_not_deleted(message)


def check_may_delete(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """Check that the user may delete the message.

    Users may delete their own messages. Admins and owners may delete every message, except in a direct conversation.
    """
    own = message.sender_id == member.user_id and message.kind == "text"
    manages = member.role in {"owner", "admin"} and roster.conversation.kind != "direct"
    if not own and not manages:
        raise ForbiddenError("You can delete only your own messages.")


def check_may_react(roster: Roster, message: Message) -> None:
    """Check that a member may react: everyone may, unless the pair of a direct conversation has a block."""
    if roster.blocked:
        raise CannotMessageError
    check_not_deleted(message)


def check_may_pin(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """Check that a member may pin messages.

    In a direct conversation both users may, unless there is a block between them. Elsewhere admins and owners may.
    """
    check_may_unpin(roster, message, member)
    if roster.blocked:
        raise CannotMessageError
    if not message.pinned and roster.conversation.pinned_count >= MAX_PINNED_MESSAGES:
        raise ConflictError(f"A conversation has at most {MAX_PINNED_MESSAGES} pinned messages.")


def check_may_unpin(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """Check that a member may unpin: everyone who may pin may unpin, also when there is a block."""
    if roster.conversation.kind != "direct" and member.role not in {"owner", "admin"}:
        raise ForbiddenError("Only admins and owners can pin messages here.")
    check_not_deleted(message)


def can_see(roster: Roster, member: MembershipRecord, seq: int) -> bool:
    """Return whether the member may see the message with this sequence number."""
    return roster.shows(member, seq)
