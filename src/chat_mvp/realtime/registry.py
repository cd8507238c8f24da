"""The connections of this process. It needs no lock, because there is one event loop."""

from collections.abc import Callable, Collection, Iterator

from chat_mvp.codec import EncodedFrame
from chat_mvp.delivery.bus import Publication
from chat_mvp.protocol import ServerFrame
from chat_mvp.realtime.connection import Connection


class Registry:
    """Connections by user. It delivers publications to them."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        """Call ``on_change(user_id)`` after the connections of a user changed."""
        self._by_user: dict[str, dict[str, Connection]] = {}
        self._count = 0
        self._on_change = on_change

    def add(self, connection: Connection) -> None:
        """Deliver to this connection from now on."""
        self._by_user.setdefault(connection.user_id, {})[connection.id] = connection
        self._count += 1
        self._on_change(connection.user_id)

    def remove(self, connection: Connection) -> None:
        """Stop delivering to this connection."""
        connections = self._by_user.get(connection.user_id)
        if connections is None or connections.pop(connection.id, None) is None:
            return
        if not connections:
            del self._by_user[connection.user_id]
        self._count -= 1
        self._on_change(connection.user_id)

    def of(self, user_id: str) -> Collection[Connection]:
        """Return this user's connections."""
        connections = self._by_user.get(user_id)
        return tuple(connections.values()) if connections else ()

    def users(self) -> list[str]:
        """Return the ids of everyone who has a connection."""
        return list(self._by_user)

    def is_connected(self, user_id: str) -> bool:
        """Return whether the user has a connection."""
        return user_id in self._by_user

    def deliver(self, publication: Publication) -> None:
        """Deliver a publication to the connections of its audience. It is encoded once for all of them."""
        encoded = EncodedFrame(publication.frame)
        by_user = self._by_user
        for user_id in publication.audience:
            connections = by_user.get(user_id)
            if connections is None:
                continue
            # Iterate over a copy, because a connection that is given up may be removed during the delivery.
            for connection in tuple(connections.values()):
                if connection.id != publication.answered_connection or connection.needs_echo(publication):
                    connection.deliver(publication, encoded)

    def send_to_others(self, connection: Connection, frame: ServerFrame) -> None:
        """Send a frame that may be dropped to the other connections of the user of this one."""
        self.deliver(
            Publication(audience=(connection.user_id,), frame=frame, answered_connection=connection.id, droppable=True)
        )

    def end_session(self, user_id: str, auth_session_id: str, code: int, reason: str) -> None:
        """Close the connections of a device of this user that was signed out."""
        for connection in self.of(user_id):
            if connection.auth_session_id == auth_session_id:
                connection.close(code, reason)

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over all current connections."""
        return iter([connection for connections in self._by_user.values() for connection in connections.values()])

    def __len__(self) -> int:
        """Return the number of connections."""
        return self._count
