"""A cache of users as everyone may see them."""

from collections.abc import Iterable

from cachetools import TTLCache

from chat_mvp.protocol import User
from chat_mvp.storage.records import UserRecord
from chat_mvp.storage.users import Users
from chat_mvp.times import format_time

MAX_USERS = 50_000
TTL_S = 60.0
"""How long a change by another process may take to appear. Changes by this process appear at once."""


def public_user(record: UserRecord) -> User:
    """Return the part of an account that everyone may see."""
    return User(
        id=record.id,
        username=record.username,
        display_name=record.display_name,
        avatar_url=record.avatar_url,
        bio=record.bio,
        created_at=format_time(record.created_at),
    )


class UserDirectory:
    """Finds users by id. Each is read at most once in ``TTL_S`` seconds."""

    def __init__(self, users: Users) -> None:
        """Read users that are not in memory from ``users``."""
        self._users = users
        self._known: TTLCache[str, User] = TTLCache(MAX_USERS, TTL_S)
        self._forgotten = 0

    async def fetch_users(self, ids: Iterable[str]) -> dict[str, User]:
        """Return those of the users who exist, by id, with one query for all who are not in memory."""
        wanted = set(ids)
        found = {user_id: user for user_id in wanted if (user := self._known.get(user_id)) is not None}
        missing = wanted - found.keys()
        if missing:
            before = self._forgotten
            fresh = {record.id: public_user(record) for record in (await self._users.fetch_many(missing)).values()}
            # A user changed during the read, so this result may be outdated. Return it, but do not keep it.
            if before == self._forgotten:
                self._known.update(fresh)
            found |= fresh
        return found

    def forget(self, user_id: str) -> None:
        """Read this user again at the next use, because they have changed."""
        self._forgotten += 1
        self._known.pop(user_id, None)
