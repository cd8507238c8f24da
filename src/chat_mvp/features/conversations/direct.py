"""Direct conversations inside a batch: one for each pair of users, visible to the peer from the first message on."""

from collections.abc import Collection, Mapping

from chat_mvp.delivery.batch import Batch
from chat_mvp.delivery.rosters import Roster
from chat_mvp.events.types import ConversationShown
from chat_mvp.features.conversations.views import newcomer_view
from chat_mvp.protocol import Role, User
from chat_mvp.storage.conversations import direct_key
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord, MembershipRecord


def find_direct(batch: Batch, key: str) -> Roster | None:
    """Return the direct conversation with this key, or ``None`` if there is none yet."""
    conversation_id = batch.rosters.direct_id(key)
    return None if conversation_id is None else batch.rosters.get(conversation_id)


def begin_direct(batch: Batch, maker_id: str, people: Mapping[str, User]) -> Roster:
    """Create the direct conversation of these two users. Only the user who creates it sees it and is notified."""
    one, other = people
    conversation = ConversationRecord(
        id=new_id(),
        kind="direct",
        name=None,
        description="",
        visibility="private",
        avatar_url=None,
        max_participants=2,
        post="members",
        member_count=2,
        created_by=maker_id,
        created_at=batch.now,
        updated_at=batch.now,
        activity_at=batch.now,
        last_seq=0,
        rev=0,
        direct_key=direct_key(one, other),
    )
    members = [
        new_membership(batch, conversation, user_id, role="member", visible=user_id == maker_id) for user_id in people
    ]
    roster = batch.add_conversation(conversation, members)
    roster.people = dict(people)
    show_conversation(batch, roster, maker_id)
    return roster


def show_direct(batch: Batch, roster: Roster) -> None:
    """Make the conversation visible to both users, and notify those who did not see it before."""
    for user_id, member in roster.members.items():
        if not member.visible:
            member.visible = True
            batch.change_member(member, roster)
            show_conversation(batch, roster, user_id)
    roster.people = {}


def new_membership(
    batch: Batch,
    conversation: ConversationRecord,
    user_id: str,
    *,
    role: Role,
    visible: bool = True,
    added_by: str | None = None,
) -> MembershipRecord:
    """Return a new membership, for which earlier messages are neither unread nor queued.

    It also fixes how much of the history the user may see: later changes of the conversation do not alter that.
    ``added_by`` is the user who adds them, if that user is a stranger to them.
    """
    seq = conversation.last_seq
    return MembershipRecord(
        id=new_id(),
        conversation_id=conversation.id,
        user_id=user_id,
        role=role,
        visible=visible,
        joined_at=batch.now,
        updated_at=batch.now,
        joined_seq=seq,
        hidden_seq=conversation.public_after_seq if conversation.visibility == "public" else seq,
        delivered_seq=seq,
        read_seq=seq,
        muted_until=None,
        pinned=False,
        archived=False,
        draft="",
        notify="all",
        added_by=added_by,
    )


def show_conversation(
    batch: Batch, roster: Roster, user_id: str, *, added_by: str | None = None, apart: Collection[str] = ()
) -> None:
    """Record that a user sees the conversation from now on, before its first message to them.

    ``apart`` are the members of a group from whom a block separates the user.
    """
    peer = next((person for other, person in roster.people.items() if other != user_id), None)
    if peer is not None:
        peer = batch.rosters.current_profile(peer)
    view = newcomer_view(roster, user_id, peer, apart=apart)
    batch.record(ConversationShown(user_id=user_id, conversation=view, added_by=added_by))
