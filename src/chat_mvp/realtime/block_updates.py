"""Sends changes of a user's block list to the user's own devices. The other user gets nothing."""

from collections.abc import Awaitable, Callable, Iterable

from chat_mvp.delivery.bus import Bus, Publication
from chat_mvp.protocol import BlockUpdated, User


class BlockUpdates:
    """Sends ``block.updated``."""

    def __init__(self, *, fetch_users: Callable[[Iterable[str]], Awaitable[dict[str, User]]], bus: Bus) -> None:
        """``fetch_users(ids)`` returns users by id, as everyone may see them."""
        self._fetch_users = fetch_users
        self._bus = bus

    async def send(self, owner_id: str, other_id: str, blocked: bool) -> None:
        """Send the owner's devices whether the other user is in the block list now."""
        people = await self._fetch_users([other_id])
        if (other := people.get(other_id)) is not None:
            self._bus.publish(Publication(audience=(owner_id,), frame=BlockUpdated(user=other, blocked=blocked)))
