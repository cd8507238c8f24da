"""Who may do what in a conversation. Each function returns nothing when it may be done, and raises otherwise."""

from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import CannotMessageError, ConflictError, ForbiddenError
from chat_mvp.protocol import Role
from chat_mvp.storage.records import MembershipRecord

_MANAGERS: frozenset[Role] = frozenset({"owner", "admin"})


def check_may_post(roster: Roster, member: MembershipRecord) -> None:
    """Anyone in it may write, unless a block stands between a pair or only admins may."""
    if roster.blocked:
        raise CannotMessageError
    if roster.conversation.post == "admins" and member.role not in _MANAGERS:
        raise ForbiddenError("Only admins may write in this conversation.")


def check_may_manage(roster: Roster, member: MembershipRecord) -> None:
    """Admins and owners may change name, description, settings and members of what is not a direct conversation."""
    check_not_direct(roster)
    if member.role not in _MANAGERS:
        raise ForbiddenError("Only admins and owners may do this.")


def check_may_own(roster: Roster, member: MembershipRecord) -> None:
    """Only owners may change roles and delete the conversation."""
    check_not_direct(roster)
    if member.role != "owner":
        raise ForbiddenError("Only owners may do this.")


def check_may_remove(roster: Roster, actor: MembershipRecord, other: MembershipRecord) -> None:
    """Admins remove members; owners remove anybody."""
    check_may_manage(roster, actor)
    if other.role in _MANAGERS and actor.role != "owner":
        raise ForbiddenError("Only owners may remove admins and owners.")


def check_may_leave(roster: Roster, member: MembershipRecord) -> None:
    """Let go anybody but the last owner while others stay."""
    check_not_direct(roster)
    if member.role == "owner" and len(roster.members) > 1 and not _has_other_owner(roster, member):
        raise ConflictError("You are the last owner; name another before you leave.")


def check_may_change_role(roster: Roster, actor: MembershipRecord, other: MembershipRecord, role: Role) -> None:
    """Owners change roles, and one owner must remain."""
    check_may_own(roster, actor)
    if other.role == "owner" and role != "owner" and not _has_other_owner(roster, other):
        raise ConflictError("A conversation needs an owner; name another first.")


def check_not_direct(roster: Roster) -> None:
    """Refuse what makes no sense for two: names, roles, letting in and taking out."""
    if roster.conversation.kind == "direct":
        raise ForbiddenError("This cannot be done in a direct conversation.")


def _has_other_owner(roster: Roster, member: MembershipRecord) -> bool:
    return any(other.role == "owner" and other is not member for other in roster.members.values())
