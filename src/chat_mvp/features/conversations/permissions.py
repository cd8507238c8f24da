"""Permissions in a conversation. Each function raises an error if the member may not do it, and returns nothing."""

from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import CannotMessageError, ConflictError, ForbiddenError, ValidationError
from chat_mvp.protocol import Role
from chat_mvp.storage.records import MembershipRecord

_MANAGERS: frozenset[Role] = frozenset({"owner", "admin"})


def check_may_post(roster: Roster, member: MembershipRecord) -> None:
    """Check that a member may write: everyone may, unless the pair has a block or only admins may write."""
    if roster.blocked:
        raise CannotMessageError
    if roster.conversation.post == "admins" and member.role not in _MANAGERS:
        raise ForbiddenError("Only admins may write in this conversation.")


def check_may_manage(roster: Roster, member: MembershipRecord) -> None:
    """Check for an admin or owner of a group or channel: they may change its name, settings and members."""
    check_not_direct(roster)
    if member.role not in _MANAGERS:
        raise ForbiddenError("Only admins and owners may do this.")


def check_may_own(roster: Roster, member: MembershipRecord) -> None:
    """Check for an owner of a group or channel: only owners may change roles and delete it."""
    check_not_direct(roster)
    if member.role != "owner":
        raise ForbiddenError("Only owners may do this.")


def check_may_remove(roster: Roster, actor: MembershipRecord, other: MembershipRecord) -> None:
    """Check that the actor may remove the other: admins may remove members, owners may remove everyone."""
    check_may_manage(roster, actor)
    if other.role in _MANAGERS and actor.role != "owner":
        raise ForbiddenError("Only owners may remove admins and owners.")


def check_may_leave(roster: Roster, member: MembershipRecord) -> None:
    """Check that a member may leave: everyone may, except the last owner while there are other members."""
    check_not_direct(roster)
    if member.role == "owner" and len(roster.members) > 1 and not _has_other_owner(roster, member):
        raise ConflictError("You are the last owner. Make another member an owner before you leave.")


def check_may_change_role(roster: Roster, actor: MembershipRecord, other: MembershipRecord, role: Role) -> None:
    """Check that the actor may change the role of the other: only owners may, and one owner must remain."""
    check_may_own(roster, actor)
    if other.role == "owner" and role != "owner" and not _has_other_owner(roster, other):
        raise ConflictError("A conversation needs an owner. Make another member an owner first.")


def check_limit_on_members(roster: Roster, limit: int | None) -> None:
    """Refuse a new limit on members that is below the number of members."""
    count = len(roster.members)
    if limit is not None and limit < count and limit != roster.conversation.max_participants:
        detail = f"must be at least {count:,}, the number of members"
        raise ValidationError(f"max_participants {detail}.", fields={"max_participants": detail})


def check_not_direct(roster: Roster) -> None:
    """Refuse a direct conversation, which has no name, no roles, and always the same two members."""
    if roster.conversation.kind == "direct":
        raise ForbiddenError("This is not possible in a direct conversation.")


def _has_other_owner(roster: Roster, member: MembershipRecord) -> bool:
    return any(other.role == "owner" and other is not member for other in roster.members.values())
