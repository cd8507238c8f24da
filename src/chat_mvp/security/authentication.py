"""Authenticates callers: from an access token to a user whose session is still active. HTTP and WebSocket share it."""

import time
from collections.abc import Awaitable, Callable

import msgspec
from cachetools import TTLCache

from chat_mvp.errors import UnauthenticatedError
from chat_mvp.security.tokens import Tokens

LIVE_SESSION_TTL_S = 30.0
"""How long a sign-out in another process may take to have an effect here. Sign-outs in this process act at once."""
MAX_SESSIONS = 100_000

FetchSessionOwner = Callable[[str], Awaitable[str | None]]
"""Takes a session id. Returns the id of the user who owns the session, or ``None`` if it has ended."""


class Caller(msgspec.Struct, frozen=True):
    """A signed-in user. ``expires_at`` is the end of the access token, in seconds since the epoch."""

    user_id: str
    session_id: str
    expires_at: float


class Authenticator:
    """Turns access tokens into callers. Reads each session at most once in ``LIVE_SESSION_TTL_S``."""

    def __init__(
        self,
        tokens: Tokens,
        fetch_session_owner: FetchSessionOwner,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Verify tokens with ``tokens``. ``fetch_session_owner`` returns whether a session is active."""
        self._tokens = tokens
        self._fetch_session_owner = fetch_session_owner
        self._owners: TTLCache[str, str] = TTLCache(MAX_SESSIONS, LIVE_SESSION_TTL_S, timer=clock)
        # Longer than any read takes: a read that began before the end of a session must not make it active again.
        self._ended: TTLCache[str, bool] = TTLCache(MAX_SESSIONS, 2 * LIVE_SESSION_TTL_S, timer=clock)

    async def authenticate(self, token: str) -> Caller:
        """Return the caller to whom the token belongs.

        ``TokenExpiredError`` when it has expired. ``UnauthenticatedError`` when it is not ours or its session has
        ended.
        """
        claims = self._tokens.verify(token)
        # Check this before anything is read: a token that was signed out must cost nothing.
        self.check_not_ended(claims.sid)
        owner = self._owners.get(claims.sid)
        if owner is None:
            owner = await self._fetch_session_owner(claims.sid)
            if owner is not None and claims.sid not in self._ended:
                self._owners[claims.sid] = owner
        if owner != claims.sub:
            raise _session_ended()
        self.check_not_ended(claims.sid)
        return Caller(user_id=claims.sub, session_id=claims.sid, expires_at=float(claims.exp))

    def check_not_ended(self, session_id: str) -> None:
        """Raise ``UnauthenticatedError`` if this process has ended the session after it was last found active."""
        if session_id in self._ended:
            raise _session_ended()

    def end_session(self, session_id: str) -> None:
        """Refuse every token of this session from now on."""
        self._owners.pop(session_id, None)
        self._ended[session_id] = True


def _session_ended() -> UnauthenticatedError:
    return UnauthenticatedError("This session has ended. Sign in again.")
