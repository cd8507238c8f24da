"""Frames about the connection itself: ``ping`` and ``token``."""

from chat_mvp.clock import Now
from chat_mvp.errors import UnauthenticatedError
from chat_mvp.protocol import Ping, Pong, TokenAccepted, TokenRefresh
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler
from chat_mvp.security.authentication import Authenticator
from chat_mvp.times import format_time


def connection_handlers(authenticator: Authenticator, clock: Now) -> dict[type, Handler]:
    """Return the handlers of these frames."""

    def ping(connection: Connection, frame: Ping) -> None:
        connection.answer(Pong(server_time=format_time(clock())), frame.ref)

    async def refresh(connection: Connection, frame: TokenRefresh) -> None:
        caller = await authenticator.authenticate(frame.token)
        if caller.user_id != connection.user_id:
            raise UnauthenticatedError("This token belongs to another user.")
        connection.auth_session_id = caller.session_id
        connection.expires_at = caller.expires_at
        connection.warned_of_expiry = False
        expires_in = max(0, int(caller.expires_at - clock().timestamp()))
        connection.answer(TokenAccepted(expires_in=expires_in), frame.ref)

    return {Ping: ping, TokenRefresh: refresh}
