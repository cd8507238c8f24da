"""Who may change a message. Each function returns nothing when it may be done, and raises otherwise."""

from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import CannotMessageError, ConflictError, ForbiddenError
from chat_mvp.limits import MAX_PINNED_MESSAGES
from chat_mvp.protocol import Message
from chat_mvp.storage.records import MembershipRecord


def check_not_deleted(message: Message) -> None:
    """Refuse to change what was deleted."""
    if message.deleted_at is not None:
        raise ConflictError("This message was deleted.")


def check_may_edit(message: Message, member: MembershipRecord) -> None:
    """People edit their own texts."""
    if message.sender_id != member.user_id or message.kind != "text":
        raise ForbiddenError("You can edit only your own messages.")
    check_not_deleted(message)


def check_may_delete(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """People delete their own messages; admins and owners delete anybody's, except in a direct conversation."""
    own = message.sender_id == member.user_id and message.kind == "text"
    manages = member.role in {"owner", "admin"} and roster.conversation.kind != "direct"
    if not own and not manages:
        raise ForbiddenError("You can delete only your own messages.")


def check_may_react(roster: Roster, message: Message) -> None:
    """Anyone in the conversation reacts, unless a block stands between the two of a direct one."""
    if roster.blocked:
        raise CannotMessageError
    check_not_deleted(message)


def check_may_pin(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """Both pin in a direct conversation, unless a block stands between them; elsewhere admins and owners do."""
    check_may_unpin(roster, message, member)
    if roster.blocked:
        raise CannotMessageError
    if not message.pinned and roster.conversation.pinned_count >= MAX_PINNED_MESSAGES:
        raise ConflictError(f"A conversation has at most {MAX_PINNED_MESSAGES} pinned messages.")


def check_may_unpin(roster: Roster, message: Message, member: MembershipRecord) -> None:
    """Whoever pins may unpin, whatever stands between the two of a direct conversation."""
    if roster.conversation.kind != "direct" and member.role not in {"owner", "admin"}:
        raise ForbiddenError("Only admins and owners pin messages here.")
    check_not_deleted(message)


def can_see(roster: Roster, member: MembershipRecord, seq: int) -> bool:
    """Return whether the member may see the message with this sequence number."""
    return roster.shows(member, seq)
