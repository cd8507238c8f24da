"""Limits on being added to conversations by strangers: how many, how fast, and who counts as a stranger.

An adder is a stranger to a user who neither has them in the contact list nor has opened their direct conversation. So
the added user decides, not the adder. The check needs a few index reads when users are added, and none when a message
is sent.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from chat_mvp.errors import ConflictError, ForbiddenError
from chat_mvp.limits import (
    MAX_CONVERSATIONS,
    MAX_UNSEEN_FROM_ONE_STRANGER,
    MAX_UNSEEN_FROM_STRANGERS,
    MAX_UNSEEN_IN_ALL,
    MAX_UNSEEN_RESERVED,
)
from chat_mvp.security.budgets import RateLimits
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations


class Strangers:
    """Decides who may add whom to a conversation."""

    def __init__(
        self, *, contacts: Contacts, conversations: Conversations, rate_limits: RateLimits, enabled: bool = True
    ) -> None:
        """Read from storage, count in ``rate_limits``. Unless ``enabled``, everyone may add everyone."""
        self._contacts = contacts
        self._conversations = conversations
        self._rate_limits = rate_limits
        self._enabled = enabled
        self._being_added: Counter[str] = Counter()
        """The number of operations in progress that add each user. They are not in the database yet."""

    @asynccontextmanager
    async def adding(self, adder_id: str, others: Collection[str]) -> AsyncIterator[frozenset[str]]:
        """Check that the adder may add the others, and yield those to whom the adder is a stranger.

        The caller adds them within the block. ``ForbiddenError`` when one of the others is in too many conversations,
        with the same text for every reason. ``RateLimitedError`` when the adder has added too many strangers.
        """
        if not self._enabled or not others:
            yield frozenset()
            return
        self._being_added.update(others)
        try:
            strangers = frozenset(others) - await self._who_knows(adder_id, others)
            await self._check_room(others)
            if strangers:
                await self._check_unseen(adder_id, strangers)
                self._rate_limits.check("add_stranger", adder_id, cost=len(strangers))
            yield strangers
        finally:
            self._being_added.subtract(others)
            self._being_added = +self._being_added

    async def check_may_found(self, user_id: str) -> None:
        """Count a new group or channel. ``RateLimitedError`` or ``ConflictError`` when there are too many."""
        self._rate_limits.check("create_group", user_id)
        await self._check_own_room(user_id)

    async def check_may_write_first(self, user_id: str, other_id: str) -> None:
        """Count the first message, or the opened direct conversation, to a user.

        Raises the same errors as ``adding``.
        """
        if not self._enabled:
            return
        await self._check_own_room(user_id)
        await self._check_room([other_id])
        if not await self._who_knows(user_id, [other_id]):
            self._rate_limits.check("first_message", user_id)

    async def _who_knows(self, user_id: str, others: Collection[str]) -> set[str]:
        known = await self._contacts.fetch_owners(others, user_id)
        return known | await self._conversations.fetch_openers_of_direct(user_id, set(others) - known)

    async def _check_own_room(self, user_id: str) -> None:
        if self._enabled and (await self._conversations.count_of([user_id]))[user_id] >= MAX_CONVERSATIONS:
            raise ConflictError(f"You are in {MAX_CONVERSATIONS:,} conversations. Leave some first.")

    async def _check_room(self, others: Collection[str]) -> None:
        counts = await self._conversations.count_of(others)
        if any(counts[other_id] + max(1, self._being_added[other_id]) > MAX_CONVERSATIONS for other_id in others):
            raise _full()

    async def _check_unseen(self, adder_id: str, strangers: Collection[str]) -> None:
        total: Counter[str] = Counter()
        from_adder: Counter[str] = Counter()
        for user_id, added_by, count in await self._conversations.count_unseen(strangers):
            total[user_id] += count
            if added_by == adder_id:
                from_adder[user_id] += count
        for user_id in strangers:
            # Users who are being added count as added.
            being_added = self._being_added[user_id]
            in_all, own = total[user_id] + being_added, from_adder[user_id] + being_added
            allowed = MAX_UNSEEN_FROM_ONE_STRANGER if in_all <= MAX_UNSEEN_FROM_STRANGERS else MAX_UNSEEN_RESERVED
            if own > allowed or in_all > MAX_UNSEEN_IN_ALL:
                raise _full()


def _full() -> ForbiddenError:
    return ForbiddenError(
        "Not everyone can be added: someone is in too many conversations. They can leave some, open those that they "
        "have not seen yet, or add you to their contacts."
    )
