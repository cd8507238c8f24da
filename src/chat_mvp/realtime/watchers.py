"""The connections that watch the presence of each user."""

from collections.abc import Iterable

from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.session import Phase


class Watchers:
    """A table of connections and the users they watch, with lookups in both directions.

    It contains no connection that has ended.
    """

    def __init__(self) -> None:
        """Start with an empty table."""
        self._by_user: dict[str, dict[str, Connection]] = {}
        self._by_connection: dict[str, set[str]] = {}

    def of(self, user_id: str) -> tuple[Connection, ...]:
        """Return the connections that watch this user."""
        return tuple(self._by_user.get(user_id, {}).values())

    def people(self, connection: Connection) -> frozenset[str]:
        """Return the users whom this connection watches."""
        return frozenset(self._by_connection.get(connection.id, ()))

    def replace(self, connection: Connection, user_ids: Iterable[str]) -> None:
        """Make a connection watch these users instead of those before."""
        self.remove(connection)
        for user_id in user_ids:
            self.add(connection, user_id)

    def add(self, connection: Connection, user_id: str) -> None:
        """Make a connection watch one more user."""
        if connection.session.phase is not Phase.CLOSED:
            self._by_connection.setdefault(connection.id, set()).add(user_id)
            self._by_user.setdefault(user_id, {})[connection.id] = connection

    def discard(self, connection: Connection, user_id: str) -> bool:
        """Make a connection stop watching a user. Returns whether it watched them."""
        self._by_connection.get(connection.id, set()).discard(user_id)
        watchers = self._by_user.get(user_id, {})
        watched = watchers.pop(connection.id, None) is not None
        if not watchers:
            self._by_user.pop(user_id, None)
        return watched

    def remove(self, connection: Connection) -> None:
        """Remove a connection and all that it watches."""
        for user_id in self._by_connection.pop(connection.id, ()):
            self.discard(connection, user_id)
