"""The rules of conversations: who may be in one with whom, and how members are notified of changes."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from cachetools import TTLCache
from msgspec import UNSET, structs

from chat_mvp.clock import Now
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.reply import await_reply
from chat_mvp.delivery.rosters import FetchUsers, Roster, Rosters
from chat_mvp.delivery.snapshot import Snapshots
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import (
    CannotMessageError,
    ForbiddenError,
    FullError,
    NotFoundError,
    ValidationError,
    no_such_user,
)
from chat_mvp.features.conversations.operations import (
    AddMember,
    ChangeConversation,
    Changed,
    ChangeOwnSettings,
    ChangeRole,
    ConversationOperation,
    DeleteConversation,
    LeaveDirect,
    MakeConversation,
    OpenDirect,
    RemoveMember,
)
from chat_mvp.features.conversations.permissions import check_may_manage, check_may_own
from chat_mvp.features.conversations.rules import check_texts
from chat_mvp.features.conversations.schemas import ConversationChanges, NewConversation, OwnChanges
from chat_mvp.features.conversations.strangers import Strangers
from chat_mvp.features.conversations.views import ConversationViews, member_view
from chat_mvp.limits import MAX_MEMBERS, MIN_YEAR
from chat_mvp.protocol import Conversation, Member, Role, User
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations, direct_key
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord
from chat_mvp.times import parse_time, utc_now

_ORDERS_KEPT = 16
"""Orders of conversations kept for the next page. Each may hold thousands of ids."""
_ORDER_KEPT_S = 30.0


class ConversationService:
    """Creates, changes and reads conversations."""

    def __init__(
        self,
        *,
        writer: Writer,
        rosters: Rosters,
        conversations: Conversations,
        contacts: Contacts,
        snapshots: Snapshots,
        views: ConversationViews,
        fetch_users: FetchUsers,
        blocks: Blocks,
        on_parted: Callable[[str, str], Awaitable[None]],
        clock: Now = utc_now,
        strangers: Strangers,
        spend_text: Callable[[str, int], None],
    ) -> None:
        """Call ``on_parted(user_id, other_id)`` when a user has left the direct conversation with another.

        ``spend_text(user_id, size)`` raises when the user has sent too many bytes of text.
        """
        self._clock = clock
        self._writer = writer
        self._rosters = rosters
        self._conversations = conversations
        self._contacts = contacts
        self._snapshots = snapshots
        self._views = views
        self._fetch_users = fetch_users
        self._blocks = blocks
        self._on_parted = on_parted
        self._strangers = strangers
        self._spend_text = spend_text
        self._orders: TTLCache[str, list[tuple[str, str]]] = TTLCache(_ORDERS_KEPT, _ORDER_KEPT_S)

    # ------------------------------------------------------------------------------------------------------- reading

    async def fetch_all(
        self,
        user_id: str,
        *,
        before: tuple[str, str] | None,
        limit: int,
    ) -> tuple[list[Conversation], tuple[str, str] | None, int]:
        """Return a page of the user's conversations, its end (``None`` on the last page), and how many there are.

        The most recently active come first. ``before`` and the end are positions in that order: a time and an id. The
        order is read with the first page and kept for the next ones; the conversations are read with each page.
        """
        order = None if before is None else self._orders.get(user_id)
        if order is None:
            summaries = await self._snapshots.fetch_summaries(user_id)
            order = [(summary.activity_at.isoformat(), summary.id) for summary in summaries]
            if len(order) > limit:
                self._orders[user_id] = order
        start = 0 if before is None else sum(position >= before for position in order)
        page = await self._views.fetch(
            user_id, [conversation_id for _, conversation_id in order[start : start + limit]]
        )
        more = start + limit < len(order)
        return page, order[start + limit - 1] if more else None, len(order)

    async def fetch(self, user_id: str, conversation_id: str) -> Conversation:
        """Return a conversation as the user sees it; ``NotFoundError`` if they are not a member."""
        found = await self._views.fetch(user_id, [conversation_id])
        if not found:
            raise NotFoundError("There is no such conversation.")
        return found[0]

    async def fetch_members(self, user_id: str, conversation_id: str, *, after: str, limit: int) -> list[Member]:
        """Return at most ``limit`` members by ascending id, beginning after ``after``."""
        roster = await self._roster(user_id, conversation_id)
        ids = sorted(i for i in roster.everybody() if i > after)[:limit]
        people = await self._fetch_users(ids)
        apart = await self._blocks.fetch(user_id)
        marks = {i: roster.marks_for(roster.members[i], user_id, apart) for i in ids if i in people}
        return [member_view(roster.members[i], people[i], member_marks) for i, member_marks in marks.items()]

    # ------------------------------------------------------------------------------------------------------- making

    async def open_direct(self, user_id: str, other_id: str) -> tuple[Conversation, bool]:
        """Return the direct conversation of two users, and whether this call created it."""
        if user_id == other_id:
            raise ValidationError("You cannot write to yourself.", fields={"user_id": "is yourself"})
        people = await self._people([user_id, other_id])
        key = direct_key(user_id, other_id)
        await self._rosters.load_direct([key])
        if self._rosters.direct_id(key) is None:
            if await self._contacts.fetch_blocked_pairs(user_id, [other_id]):
                raise CannotMessageError
            await self._strangers.check_may_write_first(user_id, other_id)
        is_new = await self._submit_and_wait(
            lambda reply: OpenDirect(key, people[user_id], people, reply=reply),
        )
        conversation_id = (await self._conversations.fetch_direct_ids([key]))[key]
        return await self.fetch(user_id, conversation_id), is_new

    async def make(self, user_id: str, wanted: NewConversation) -> Conversation:
        """Create a group or a channel and return it."""
        if wanted.name is None or not wanted.name.strip():
            raise ValidationError("A group or channel must have a name.", fields={"name": "is missing"})
        check_texts(name=wanted.name, description=wanted.description)
        member_ids = [i for i in dict.fromkeys(wanted.member_ids) if i != user_id]
        limit = min(wanted.max_participants or MAX_MEMBERS, MAX_MEMBERS)
        if 1 + len(member_ids) > limit:
            raise FullError(f"This conversation may have at most {limit:,} members.")
        people = await self._people([user_id, *member_ids])
        if member_ids and await self._contacts.fetch_blocked_pairs(user_id, member_ids):
            raise CannotMessageError
        record = _new_record(user_id, wanted, wanted.name, self._clock())
        members = [people[i] for i in member_ids]
        await self._strangers.check_may_found(user_id)
        async with self._strangers.adding(user_id, member_ids) as strangers:
            await self._submit_and_wait(
                lambda reply: MakeConversation(record, people[user_id], members, strangers=strangers, reply=reply),
            )
        return await self.fetch(user_id, record.id)

    # ------------------------------------------------------------------------------------------------------ changing

    async def change(self, user_id: str, conversation_id: str, changes: ConversationChanges) -> Conversation:
        """Change a conversation, notify its members, and return it."""
        if changes.name is not UNSET and not changes.name.strip():
            raise ValidationError("A group or channel must have a name.", fields={"name": "shows nothing"})
        check_texts(name=changes.name, description=changes.description, avatar_url=changes.avatar_url)
        people = await self._people([user_id])
        await self._submit_and_wait(
            lambda reply: ChangeConversation(conversation_id, people[user_id], changes, reply=reply)
        )
        return await self.fetch(user_id, conversation_id)

    async def change_own(self, user_id: str, conversation_id: str, changes: OwnChanges) -> Conversation:
        """Change a user's own settings in a conversation, notify their devices, and return it."""
        fields: dict[str, Any] = {k: v for k, v in structs.asdict(changes).items() if v is not UNSET}
        if isinstance(fields.get("muted_until"), str):
            try:
                fields["muted_until"] = parse_time(fields["muted_until"])
            except ValueError:
                detail = f"is not an RFC 3339 time with an offset, from {MIN_YEAR} to 9999"
                raise ValidationError(f"muted_until {detail}.", fields={"muted_until": detail}) from None
        if fields:
            self._spend_text(user_id, len(fields.get("draft", "").encode()))
            people = await self._people([user_id])
            await self._submit_and_wait(
                lambda reply: ChangeOwnSettings(conversation_id, people[user_id], fields, reply=reply)
            )
        return await self.fetch(user_id, conversation_id)

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Delete a conversation for all members."""
        await self._roster(user_id, conversation_id)
        people = await self._people([user_id])
        await self._submit_and_wait(
            lambda reply: DeleteConversation(conversation_id, people[user_id], reply=reply),
        )

    # ------------------------------------------------------------------------------------------------------- members

    async def add_member(self, user_id: str, conversation_id: str, other_id: str, role: Role) -> tuple[Member, bool]:
        """Add a member; return their membership, and whether it is new."""
        roster = await self._roster(user_id, conversation_id)
        people = await self._people([user_id, other_id])
        if other_id not in roster.members and await self._contacts.fetch_blocked_pairs(user_id, [other_id]):
            raise CannotMessageError
        apart = await self._blocks.fetch(other_id)
        check_may_manage(roster, roster.members[user_id])
        newcomers = () if other_id in roster.members else (other_id,)
        if newcomers:
            self._spend_text(user_id, _profile_bytes(people[other_id]))
        async with self._strangers.adding(user_id, newcomers) as strangers:
            added = await self._submit_and_wait(
                lambda reply: AddMember(
                    conversation_id,
                    people[user_id],
                    people[other_id],
                    role,
                    apart=apart,
                    is_stranger=other_id in strangers,
                    reply=reply,
                ),
            )
        return await self._member(user_id, conversation_id, people[other_id]), added

    async def remove_member(self, user_id: str, conversation_id: str, other_id: str) -> None:
        """Remove a member, or leave if both ids are the same."""
        roster = await self._roster(user_id, conversation_id)
        if other_id not in roster.members:
            raise NotFoundError("This user is not in the conversation.")
        if roster.conversation.kind == "direct" and other_id == user_id:
            await self._leave_direct(user_id, roster)
            return
        people = await self._people([user_id, other_id])
        await self._submit_and_wait(
            lambda reply: RemoveMember(
                conversation_id,
                people[user_id],
                people[other_id],
                reply=reply,
            ),
        )

    async def _leave_direct(self, user_id: str, roster: Roster) -> None:
        people = await self._people(list(roster.members))
        await self._submit_and_wait(
            lambda reply: LeaveDirect(roster.conversation.id, people[user_id], people, reply=reply),
        )
        for other_id in people.keys() - {user_id}:
            await self._on_parted(user_id, other_id)

    async def change_role(self, user_id: str, conversation_id: str, other_id: str, role: Role) -> Member:
        """Give a member another role and return their membership."""
        roster = await self._roster(user_id, conversation_id)
        if other_id not in roster.members:
            raise NotFoundError("This user is not in the conversation.")
        check_may_own(roster, roster.members[user_id])
        is_change = role != roster.members[other_id].role
        people = await self._people([user_id, other_id])
        if is_change:
            self._spend_text(user_id, _profile_bytes(people[other_id]))
        apart = await self._blocks.fetch(other_id)
        await self._submit_and_wait(
            lambda reply: ChangeRole(
                conversation_id,
                people[user_id],
                people[other_id],
                role,
                apart=apart,
                reply=reply,
            ),
        )
        return await self._member(user_id, conversation_id, people[other_id])

    # ------------------------------------------------------------------------------------------------------ internal

    async def _submit_and_wait(self, make_operation: Callable[[Changed], ConversationOperation]) -> bool:
        return await await_reply(lambda reply: self._writer.submit(make_operation(reply)))

    async def _roster(self, user_id: str, conversation_id: str) -> Roster:
        roster = await self._rosters.fetch(conversation_id)
        if roster is None or roster.member(user_id) is None:
            raise NotFoundError("There is no such conversation.")
        return roster

    async def _member(self, user_id: str, conversation_id: str, person: User) -> Member:
        roster = await self._roster(user_id, conversation_id)
        member = roster.member(person.id)
        if member is None:
            raise NotFoundError("This user is not in the conversation.")
        return member_view(member, person, roster.marks_for(member, user_id, await self._blocks.fetch(user_id)))

    async def _people(self, ids: list[str]) -> dict[str, User]:
        people = await self._fetch_users(ids)
        if len(people) < len(set(ids)):
            raise no_such_user()
        return people


def _profile_bytes(user: User) -> int:
    """Return the size of the texts that every member gets when this user joins a conversation or changes role."""
    return len(f"{user.username}{user.display_name}{user.bio}{user.avatar_url or ''}".encode())


def _new_record(user_id: str, wanted: NewConversation, name: str, now: datetime) -> ConversationRecord:
    if wanted.kind == "direct":
        raise ForbiddenError("Give user_id to create a direct conversation.")
    return ConversationRecord(
        id=new_id(),
        kind=wanted.kind,
        name=name,
        description=wanted.description,
        visibility=wanted.visibility or ("private" if wanted.kind == "group" else "public"),
        avatar_url=None,
        max_participants=wanted.max_participants,
        post=wanted.settings.post if wanted.settings is not None else "members",
        member_count=0,
        created_by=user_id,
        created_at=now,
        updated_at=now,
        activity_at=now,
        last_seq=0,
        rev=0,
        direct_key=None,
    )
