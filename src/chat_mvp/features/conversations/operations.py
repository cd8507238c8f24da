"""The operations of the writer that change conversations and their members.

A change that members see comes with a system message, which also advances the counters of the conversation. So two
processes that change one conversation at once notice each other.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from chat_mvp.characters import isolated
from chat_mvp.delivery.batch import Batch, system_message
from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import CannotMessageError, FullError, NotFoundError
from chat_mvp.events.types import (
    ConversationChanged,
    ConversationHidden,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    OwnSettingsChanged,
)
from chat_mvp.features.conversations.direct import begin_direct, find_direct, new_membership, show_conversation
from chat_mvp.features.conversations.permissions import (
    check_limit_on_members,
    check_may_change_role,
    check_may_leave,
    check_may_manage,
    check_may_own,
    check_may_remove,
)
from chat_mvp.features.conversations.schemas import ConversationChanges
from chat_mvp.features.conversations.texts import described_change, with_article
from chat_mvp.features.conversations.views import member_view, own_patch, shared_patch
from chat_mvp.limits import MAX_MEMBERS
from chat_mvp.protocol import Role, User
from chat_mvp.storage.messages import SentKey
from chat_mvp.storage.records import ConversationRecord, MembershipRecord
from chat_mvp.storage.writes import DOCUMENT_BYTES

Changed = Reply[bool]
"""Answers whether anything changed."""


class ConversationOperation(ABC):
    """Base of the operations by which ``actor`` changes a conversation."""

    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    size = 2 * DOCUMENT_BYTES
    adds_data = True

    def __init__(self, conversation_id: str | None, actor: User, *, reply: Changed) -> None:
        """Answer through ``reply`` whether anything changed."""
        self.conversation_id = conversation_id
        self._actor = actor
        self.reply = reply

    @abstractmethod
    def apply(self, batch: Batch) -> None:
        """Check whether this may be done now, and do it."""

    def _find(self, batch: Batch) -> tuple[Roster, MembershipRecord]:
        return batch.roster_of_member(self.conversation_id or "", self._actor.id)

    @property
    def _actor_name(self) -> str:
        return isolated(self._actor.display_name)

    def _add_system_message(self, batch: Batch, roster: Roster, text: str) -> None:
        batch.add_message(roster, system_message(self._actor.id, text))

    def _finish(self, batch: Batch, *, changed: bool) -> None:
        batch.answer(self.reply, changed)


class OpenDirect(ConversationOperation):
    """Find the direct conversation of two users, or create it."""

    def __init__(
        self,
        key: str,
        actor: User,
        people: Mapping[str, User],
        *,
        reply: Changed,
    ) -> None:
        """Answer through ``reply`` whether it was created."""
        super().__init__(None, actor, reply=reply)
        self.direct_key = key
        self._people = people

    def apply(self, batch: Batch) -> None:
        """Find or create the conversation, and make it visible to the actor."""
        roster = find_direct(batch, self.direct_key or "")
        is_new = roster is None
        if roster is None:
            begin_direct(batch, self._actor.id, self._people)
        else:
            member = roster.members[self._actor.id]
            if not member.visible:
                member.visible = True
                batch.change_member(member, roster)
                show_conversation(batch, roster, self._actor.id)
        self._finish(batch, changed=is_new)


class MakeConversation(ConversationOperation):
    """Create a group or a channel with its first members."""

    def __init__(
        self,
        conversation: ConversationRecord,
        actor: User,
        members: Sequence[User],
        *,
        strangers: Collection[str] = (),
        reply: Changed,
    ) -> None:
        """Make the actor the owner, and add ``members``. The actor is a stranger to those in ``strangers``."""
        super().__init__(None, actor, reply=reply)
        self._conversation = conversation
        self._members = members
        self.size = (2 + len(members)) * DOCUMENT_BYTES
        self._strangers = strangers

    def apply(self, batch: Batch) -> None:
        """Create the conversation, notify all members, and add the system message about it."""
        conversation = self._conversation
        conversation.created_at = conversation.updated_at = conversation.activity_at = batch.now
        conversation.last_seq = conversation.rev = 0
        conversation.member_count = 1 + len(self._members)
        memberships = [new_membership(batch, conversation, self._actor.id, role="owner")]
        for user in self._members:
            added_by = self._actor.id if user.id in self._strangers else None
            memberships.append(new_membership(batch, conversation, user.id, role="member", added_by=added_by))
        roster = batch.add_conversation(conversation, memberships)
        for membership in memberships:
            show_conversation(batch, roster, membership.user_id, added_by=self._actor.id)
        self._add_system_message(batch, roster, f"{self._actor_name} created “{isolated(conversation.name or '')}”")
        self._finish(batch, changed=True)


class AddMember(ConversationOperation):
    """Add a member. A user who is a member already keeps their membership and role."""

    def __init__(
        self,
        conversation_id: str,
        actor: User,
        newcomer: User,
        role: Role,
        *,
        apart: Collection[str] = (),
        is_stranger: bool = False,
        reply: Changed,
    ) -> None:
        """Add ``newcomer`` with this role.

        ``apart`` are the members from whom a block separates them. ``is_stranger``: they do not know the actor.
        """
        super().__init__(conversation_id, actor, reply=reply)
        self._newcomer = newcomer
        self._apart = apart
        self._added_by = actor.id if is_stranger else None
        self._role: Role = role

    def apply(self, batch: Batch) -> None:
        """Check the rights of the actor, add the member, and notify them and the other members."""
        roster, actor = self._find(batch)
        check_may_manage(roster, actor)
        changed = self._newcomer.id not in roster.members
        if changed:
            if self._role != "member":
                check_may_own(roster, actor)
            if actor.user_id in self._apart:
                raise CannotMessageError
            _check_room(roster)
            before = roster.everybody()
            member = new_membership(
                batch, roster.conversation, self._newcomer.id, role=self._role, added_by=self._added_by
            )
            batch.add_member(roster, member)
            show_conversation(batch, roster, member.user_id, added_by=self._actor.id, apart=self._apart)
            view = member_view(member, self._newcomer, member.own_marks())
            batch.record(
                MemberJoined(conversation_id=roster.conversation.id, actor_id=self._actor.id, member=view), before
            )
            role = "" if self._role == "member" else f" as {with_article(self._role)}"
            self._add_system_message(
                batch, roster, f"{self._actor_name} added {isolated(self._newcomer.display_name)}{role}"
            )
        self._finish(batch, changed=changed)


class RemoveMember(ConversationOperation):
    """Remove a member. The actor leaves by removing themselves."""

    adds_data = False

    def __init__(self, conversation_id: str, actor: User, other: User, *, reply: Changed) -> None:
        """Remove ``other``, who may be the actor."""
        super().__init__(conversation_id, actor, reply=reply)
        self._other = other

    def apply(self, batch: Batch) -> None:
        """Check the rights of the actor, remove the member, and notify them and the other members."""
        roster, actor = self._find(batch)
        leaves = self._other.id == self._actor.id
        if leaves:
            check_may_leave(roster, actor)
        else:
            check_may_manage(roster, actor)
            other = roster.member(self._other.id)
            if other is None:
                raise NotFoundError("This user is not in the conversation.")
            check_may_remove(roster, actor, other)
        conversation_id = roster.conversation.id
        batch.remove_member(roster, self._other.id)
        batch.record(
            MemberLeft(conversation_id=conversation_id, actor_id=self._actor.id, user_id=self._other.id),
            roster.everybody(),
        )
        name = isolated(self._other.display_name)
        self._add_system_message(batch, roster, f"{name} left" if leaves else f"{self._actor_name} removed {name}")
        self._finish(batch, changed=True)


class LeaveDirect(ConversationOperation):
    """Leave a direct conversation. The actor no longer sees it, until one of the two users writes again.

    The other user is not notified, and keeps the conversation.
    """

    adds_data = False

    def __init__(
        self,
        conversation_id: str,
        actor: User,
        people: Mapping[str, User],
        *,
        reply: Changed,
    ) -> None:
        """``people`` are the two users of the conversation."""
        super().__init__(conversation_id, actor, reply=reply)
        self._people = people

    def apply(self, batch: Batch) -> None:
        """Hide the conversation from the actor, and notify their connections."""
        roster, actor = self._find(batch)
        batch.hide_member(roster, actor)
        roster.people = dict(self._people)
        batch.record(ConversationHidden(conversation_id=roster.conversation.id, user_id=actor.user_id))
        self._finish(batch, changed=True)


class ChangeRole(ConversationOperation):
    """Give a member another role."""

    def __init__(
        self,
        conversation_id: str,
        actor: User,
        other: User,
        role: Role,
        *,
        apart: Collection[str] = (),
        reply: Changed,
    ) -> None:
        """Give ``other`` this role. ``apart`` are the members from whom a block separates them."""
        super().__init__(conversation_id, actor, reply=reply)
        self._other = other
        self._apart = apart
        self._role: Role = role

    def apply(self, batch: Batch) -> None:
        """Check the rights of the actor, change the role, and notify all members."""
        roster, actor = self._find(batch)
        check_may_own(roster, actor)
        other = roster.member(self._other.id)
        if other is None:
            raise NotFoundError("This user is not in the conversation.")
        check_may_change_role(roster, actor, other, self._role)
        changed = other.role != self._role
        if changed:
            other.role = self._role
            batch.change_member(other, roster)
            # A client that is offline sees the new ``updated_at`` of the conversation and fetches it again.
            batch.change_conversation(roster)
            view = member_view(other, self._other, other.visible_marks())
            batch.record(
                MemberChanged(
                    conversation_id=roster.conversation.id,
                    actor_id=self._actor.id,
                    member=view,
                    joined_seq=other.joined_seq,
                ),
                roster.everybody(),
                apart=self._apart,
            )
            role = with_article(self._role)
            self._add_system_message(
                batch, roster, f"{self._actor_name} made {isolated(self._other.display_name)} {role}"
            )
        self._finish(batch, changed=changed)


class ChangeConversation(ConversationOperation):
    """Change the name, description, visibility or settings. A system message announces each change."""

    def __init__(
        self,
        conversation_id: str,
        actor: User,
        changes: ConversationChanges,
        *,
        reply: Changed,
    ) -> None:
        """Make these changes."""
        super().__init__(conversation_id, actor, reply=reply)
        self._changes = changes

    def apply(self, batch: Batch) -> None:
        """Check the rights of the actor, change the fields, and notify all members."""
        roster, actor = self._find(batch)
        check_may_manage(roster, actor)
        if self._changes.max_participants is not UNSET:
            check_limit_on_members(roster, self._changes.max_participants)
        conversation = roster.conversation
        changed = self._assign(conversation)
        if changed:
            batch.change_conversation(roster)
        if "visibility" in changed and conversation.visibility == "public":
            # Users who join later see the system message about this change, and what follows it.
            conversation.public_after_seq = conversation.last_seq
        if changed:
            batch.record(
                ConversationChanged(actor_id=self._actor.id, changed=changed, conversation=shared_patch(conversation)),
                roster.everybody(),
            )
        for name in changed:
            self._add_system_message(batch, roster, f"{self._actor_name} {described_change(conversation, name)}")
        self._finish(batch, changed=bool(changed))

    def _assign(self, conversation: ConversationRecord) -> list[str]:
        new_values: dict[str, object] = {
            name: value
            for name in ("name", "description", "visibility", "avatar_url", "max_participants")
            if (value := getattr(self._changes, name)) is not UNSET
        }
        if self._changes.settings is not UNSET and self._changes.settings.post is not UNSET:
            new_values["post"] = self._changes.settings.post
        different = {name: value for name, value in new_values.items() if getattr(conversation, name) != value}
        for name, value in different.items():
            setattr(conversation, name, value)
        return list(different)


class DeleteConversation(ConversationOperation):
    """Delete a conversation for all members."""

    adds_data = False

    def apply(self, batch: Batch) -> None:
        """Check the rights of the actor, delete the conversation, and notify all members."""
        roster, actor = self._find(batch)
        check_may_own(roster, actor)
        batch.remove_conversation(roster, self._actor.id)
        self._finish(batch, changed=True)


class ChangeOwnSettings(ConversationOperation):
    """Change a member's own settings in a conversation, such as their draft. Only their own devices are notified."""

    def __init__(self, conversation_id: str, actor: User, changes: Mapping[str, Any], *, reply: Changed) -> None:
        """Make these changes of the membership. Their names are those of ``OwnChanges``; times are ``datetime``."""
        super().__init__(conversation_id, actor, reply=reply)
        self._changes = dict(changes)
        draft = self._changes.get("draft")
        self.size = DOCUMENT_BYTES + len(draft or "")
        self.adds_data = bool(draft)

    def apply(self, batch: Batch) -> None:
        """Change the settings, and notify the devices of the actor."""
        _, member = self._find(batch)
        if self._changes.get("unread_from") is not None:
            # The mark ends when any device of the user reads on. No frame announces that.
            self._changes["unread_from_read"] = member.read_seq
        batch.change_own_settings(member, self._changes)
        patch = own_patch(member, self._changes)
        without_draft = own_patch(member, {k: v for k, v in self._changes.items() if k != "draft"})
        batch.record(
            OwnSettingsChanged(user_id=member.user_id, conversation=patch),
            (member.user_id,),
            # A draft was not sent, so it must not be stored in the events.
            stored=OwnSettingsChanged(user_id=member.user_id, conversation=without_draft),
        )
        self._finish(batch, changed=True)


def _check_room(roster: Roster) -> None:
    limit = min(roster.conversation.max_participants or MAX_MEMBERS, MAX_MEMBERS)
    if len(roster.members) >= limit:
        raise FullError(f"This conversation is full ({limit:,} of {limit:,} members).")
