"""Contact lists and block lists. No user is notified that they are in the list of another."""

from collections.abc import Awaitable, Callable

from msgspec import UnsetType

from chat_mvp.characters import name_complaint
from chat_mvp.clock import Now
from chat_mvp.errors import ConflictError, ValidationError, no_such_user
from chat_mvp.events.types import BlockChanged
from chat_mvp.limits import MAX_BLOCKED, MAX_CONTACTS
from chat_mvp.ops.disk import CheckRoom
from chat_mvp.protocol import Contact
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.recorded import RecordedTransaction, Recorder
from chat_mvp.times import format_time, utc_now

Changed = Callable[[str, str, bool], Awaitable[None]]
"""Called with the owner, the other user, and whether the other is listed now."""


class ContactService:
    """Reads and changes the contact list and the block list of each user."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        directory: UserDirectory,
        on_contact_changed: Changed,
        recorder: Recorder,
        clock: Now = utc_now,
        check_room: CheckRoom = lambda: None,
        costly_work: FairSemaphore,
        max_contacts: int = MAX_CONTACTS,
        max_blocked: int = MAX_BLOCKED,
    ) -> None:
        """Call ``on_contact_changed`` after each change of a contact list. ``recorder`` stores blocks.

        ``costly_work`` limits how many changes run at once.
        """
        self._limits = {False: max_contacts, True: max_blocked}
        self._costly_work = costly_work
        self._contacts = contacts
        self._directory = directory
        self._on_contact_changed = on_contact_changed
        self._recorder = recorder
        self._check_room = check_room
        self._clock = clock

    async def fetch_page(
        self, owner_id: str, *, blocked: bool, after: str | None, limit: int
    ) -> tuple[list[Contact], str | None]:
        """Return a page of the contact list, or of the block list, and the ``after`` of the next page.

        ``after`` is the id of the last user of the page before. In the block list, ``created_at`` is when the user was
        blocked.
        """
        records = await self._contacts.fetch_page(owner_id, blocked=blocked, after=after, limit=limit + 1)
        page = records[:limit]
        people = await self._directory.fetch_users(record.other_id for record in page)
        items = [
            Contact(
                user=people[record.other_id],
                nickname=record.nickname,
                created_at=format_time((record.blocked_at if blocked else None) or record.created_at),
            )
            for record in page
            if record.other_id in people
        ]
        return items, page[-1].other_id if len(records) > limit else None

    async def add(self, owner_id: str, other_id: str, *, nickname: str | UnsetType | None) -> Contact:
        """Add a user to the contact list, or rename them there; an ``UNSET`` nickname stays as it is.

        ``ValidationError`` for the owner's own id and for a nickname that is not allowed, ``NotFoundError`` for an
        unknown user, ``ConflictError`` when the list is full.
        """
        self._check_room()
        _check_other(owner_id, other_id)
        people = await self._directory.fetch_users([other_id])
        if other_id not in people:
            raise no_such_user()
        if isinstance(nickname, str):
            nickname = _checked_nickname(nickname)
        async with self._costly_work.hold(owner_id):
            await self._check_not_full(owner_id, other_id, blocked=False)
            record, is_new = await self._contacts.put(owner_id, other_id, nickname=nickname, at=self._clock())
            if is_new:
                await self._on_contact_changed(owner_id, other_id, True)
        return Contact(user=people[other_id], nickname=record.nickname, created_at=format_time(record.created_at))

    async def remove(self, owner_id: str, other_id: str) -> None:
        """Remove a user from the contact list. It is no error if they are not in it."""
        await self._check_exists(other_id)
        async with self._costly_work.hold(owner_id):
            if await self._contacts.remove(owner_id, other_id):
                await self._on_contact_changed(owner_id, other_id, False)

    async def block(self, owner_id: str, other_id: str) -> None:
        """Add a user to the block list. It is no error if they are in it already.

        ``ValidationError`` for the owner's own id, ``NotFoundError`` for an unknown user, ``ConflictError`` when the
        list is full.
        """
        _check_other(owner_id, other_id)
        await self._check_exists(other_id)
        changed = BlockChanged(owner_id=owner_id, other_id=other_id, blocked=True)

        async def write(transaction: RecordedTransaction) -> None:
            if await self._contacts.block(transaction, owner_id, other_id, at=self._clock()):
                transaction.record(changed)
            else:
                # An earlier request may have failed after it was stored.
                transaction.confirm(changed)

        async with self._costly_work.hold(owner_id):
            await self._check_not_full(owner_id, other_id, blocked=True)
            await self._recorder.record(_block_of(owner_id, other_id), write)

    async def unblock(self, owner_id: str, other_id: str) -> None:
        """Remove a user from the block list. It is no error if they are not in it."""
        await self._check_exists(other_id)

        async def write(transaction: RecordedTransaction) -> None:
            if await self._contacts.unblock(transaction, owner_id, other_id):
                transaction.record(BlockChanged(owner_id=owner_id, other_id=other_id, blocked=False))

        async with self._costly_work.hold(owner_id):
            await self._recorder.record(_block_of(owner_id, other_id), write)

    async def _check_not_full(self, owner_id: str, other_id: str, *, blocked: bool) -> None:
        limit = self._limits[blocked]
        if await self._contacts.is_full(owner_id, other_id, blocked=blocked, limit=limit):
            name = "block list" if blocked else "contact list"
            raise ConflictError(f"Your {name} is full ({limit:,} users). Remove a user first.")

    async def _check_exists(self, other_id: str) -> None:
        if other_id not in await self._directory.fetch_users([other_id]):
            raise no_such_user()


def _block_of(owner_id: str, other_id: str) -> str:
    return f"block {owner_id} {other_id}"


def _check_other(owner_id: str, other_id: str) -> None:
    if owner_id == other_id:
        raise ValidationError("You cannot add or block yourself.", fields={"user_id": "is yourself"})


def _checked_nickname(nickname: str) -> str | None:
    if not nickname.strip():
        return None
    if complaint := name_complaint(nickname):
        raise ValidationError(f"nickname {complaint}.", fields={"nickname": complaint})
    return nickname
