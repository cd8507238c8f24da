"""Conversations as one of their members sees them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import UNSET

from chat_mvp.delivery.rosters import FetchUsers, Roster
from chat_mvp.delivery.snapshot import Snapshots, Standing
from chat_mvp.protocol import (
    Conversation,
    ConversationPatch,
    ConversationSettings,
    Member,
    Message,
    OwnMembership,
    OwnMembershipPatch,
    User,
)
from chat_mvp.storage.conversations import Conversations, peer_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import ConversationRecord, Marks, MembershipRecord
from chat_mvp.times import format_optional, format_time


def conversation_view(standing: Standing, last_message: Message | None, peer: User | None) -> Conversation:
    """Return a conversation as one of its members sees it."""
    conversation, membership = standing.conversation, standing.membership
    others_delivered_seq, others_read_seq = standing.others or (None, None)
    unread_from = membership.marked_unread_from()
    return Conversation(
        id=conversation.id,
        kind=conversation.kind,
        name=conversation.name,
        description=conversation.description,
        visibility=conversation.visibility,
        avatar_url=conversation.avatar_url,
        max_participants=conversation.max_participants,
        settings=_settings(conversation),
        member_count=conversation.member_count,
        created_by=conversation.created_by,
        created_at=format_time(conversation.created_at),
        updated_at=format_time(max(conversation.updated_at, membership.updated_at)),
        last_seq=conversation.last_seq,
        rev=conversation.rev,
        last_message=last_message,
        others_delivered_seq=others_delivered_seq,
        others_read_seq=others_read_seq,
        me=OwnMembership(
            role=membership.role,
            joined_at=format_time(membership.joined_at),
            joined_seq=membership.joined_seq,
            delivered_seq=membership.delivered_seq,
            read_seq=membership.read_seq,
            unread=standing.unread,
            muted_until=format_optional(membership.muted_until),
            pinned=membership.pinned,
            archived=membership.archived,
            draft=membership.draft,
            notify=membership.notify,
            unread_from=UNSET if unread_from is None else unread_from,
        ),
        peer=UNSET if peer is None else peer,
    )


def newcomer_view(
    roster: Roster, user_id: str, peer: User | None = None, *, apart: Collection[str] = ()
) -> Conversation:
    """Return the conversation as a new member sees it: nothing unread and no message yet.

    ``apart`` are the members from whom a block separates them.
    """
    standing = Standing(
        conversation=roster.conversation,
        membership=roster.members[user_id],
        unread=0,
        others=roster.lowest_marks_of_others(user_id, apart),
    )
    return conversation_view(standing, None, peer)


def shared_patch(conversation: ConversationRecord) -> ConversationPatch:
    """Return the fields of a conversation that are the same for all members and that members can change."""
    return ConversationPatch(
        id=conversation.id,
        updated_at=format_time(conversation.updated_at),
        name=conversation.name,
        description=conversation.description,
        visibility=conversation.visibility,
        avatar_url=conversation.avatar_url,
        max_participants=conversation.max_participants,
        settings=_settings(conversation),
        member_count=conversation.member_count,
    )


def own_patch(membership: MembershipRecord, changes: Mapping[str, Any]) -> ConversationPatch:
    """Return the own settings that ``changes`` names, as they are after the change."""
    values: dict[str, Any] = {
        "muted_until": format_optional(membership.muted_until),
        "pinned": membership.pinned,
        "archived": membership.archived,
        # Not kept in memory, because drafts are long.
        "draft": changes.get("draft"),
        "notify": membership.notify,
        "unread_from": membership.marked_unread_from(),
    }
    return ConversationPatch(
        id=membership.conversation_id,
        updated_at=format_time(membership.updated_at),
        me=OwnMembershipPatch(**{name: value for name, value in values.items() if name in changes}),
    )


def _settings(conversation: ConversationRecord) -> ConversationSettings:
    return ConversationSettings(post="admins" if conversation.post == "admins" else "members")


def member_view(membership: MembershipRecord, user: User, marks: Marks) -> Member:
    """Return a member as another one sees them, with the marks that the viewer may know."""
    return Member(
        user=user,
        role=membership.role,
        joined_at=format_time(membership.joined_at),
        delivered_seq=marks.delivered_seq,
        read_seq=marks.read_seq,
    )


class ConversationViews:
    """Reads conversations as a user sees them, many at once."""

    def __init__(
        self, snapshots: Snapshots, conversations: Conversations, messages: Messages, fetch_users: FetchUsers
    ) -> None:
        """Read from these collections."""
        self._snapshots = snapshots
        self._conversations = conversations
        self._messages = messages
        self._fetch_users = fetch_users

    async def fetch(self, user_id: str, ids: Iterable[str]) -> list[Conversation]:
        """Return those of the conversations that the user is a member of, in the given order. At most a page of ids."""
        standings = await self._snapshots.fetch(user_id, ids)
        views = await self.complete(user_id, list(standings.values()))
        shown = [view.id for view in views if view.last_message is not None]
        if not shown:
            return views
        # A user who was removed during the read must not get a message that was sent or changed after that.
        still = await self._conversations.fetch_memberships(user_id, shown)
        return [
            view
            for view in views
            if view.last_message is None or _is_same(standings[view.id].membership, still.get(view.id))
        ]

    async def complete(self, user_id: str, standings: list[Standing]) -> list[Conversation]:
        """Return the views of these standings, in their order."""
        shown = {s.conversation.id: s.conversation.last_seq for s in standings if _sees_last_message(s)}
        last = await self._messages.fetch_last(shown)
        peers = {
            s.conversation.id: peer_id(s.conversation.direct_key, user_id)
            for s in standings
            if s.conversation.direct_key is not None
        }
        people = await self._fetch_users(peers.values()) if peers else {}
        return [
            conversation_view(s, last.get(s.conversation.id), people.get(peers.get(s.conversation.id, "")))
            for s in standings
        ]


def _is_same(before: MembershipRecord, now: MembershipRecord | None) -> bool:
    return now is not None and (before.id, before.joined_seq) == (now.id, now.joined_seq)


def _sees_last_message(standing: Standing) -> bool:
    return standing.conversation.last_seq > standing.membership.hides_up_to(standing.conversation)
