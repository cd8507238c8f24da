"""Who is asking: from an access token to a person whose session still lives. HTTP and WebSocket share it."""

import time
from collections.abc import Awaitable, Callable

import msgspec
from cachetools import TTLCache

from chat_mvp.errors import UnauthenticatedError
from chat_mvp.security.tokens import Tokens

LIVE_SESSION_TTL_S = 30.0
"""How long another process's sign-out may take to count here; this process's own counts at once."""
MAX_SESSIONS = 100_000

FetchSessionOwner = Callable[[str], Awaitable[str | None]]
"""Takes a session id; returns the id of the person it belongs to, ``None`` once it has ended."""


class Caller(msgspec.Struct, frozen=True):
    """A signed-in person; ``expires_at`` is the end of the access token, in seconds since the epoch."""

    user_id: str
    session_id: str
    expires_at: float


class Authenticator:
    """Turns access tokens into callers, reading a session at most once in ``LIVE_SESSION_TTL_S``."""

    def __init__(
        self,
        tokens: Tokens,
        fetch_session_owner: FetchSessionOwner,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Verify with ``tokens``; ask ``fetch_session_owner`` whether a session lives."""
        self._tokens = tokens
        self._fetch_session_owner = fetch_session_owner
        self._owners: TTLCache[str, str] = TTLCache(MAX_SESSIONS, LIVE_SESSION_TTL_S, timer=clock)
        # Longer than any read takes: a read that began before the end of its session must not bring it back.
        self._ended: TTLCache[str, bool] = TTLCache(MAX_SESSIONS, 2 * LIVE_SESSION_TTL_S, timer=clock)

    async def authenticate(self, token: str) -> Caller:
        """Return who the token speaks for.

        ``TokenExpiredError`` when it has ended; ``UnauthenticatedError`` when it is not ours or its session is over.
        """
        claims = self._tokens.verify(token)
        # Before anything is read: a token that was signed out must cost nothing.
        self.check_not_ended(claims.sid)
        owner = self._owners.get(claims.sid)
        if owner is None:
            owner = await self._fetch_session_owner(claims.sid)
            if owner is not None and claims.sid not in self._ended:
                self._owners[claims.sid] = owner
        if owner != claims.sub:
            raise _over()
        self.check_not_ended(claims.sid)
        return Caller(user_id=claims.sub, session_id=claims.sid, expires_at=float(claims.exp))

    def check_not_ended(self, session_id: str) -> None:
        """Raise ``UnauthenticatedError`` when this process has ended the session, since it was last seen to live."""
        if session_id in self._ended:
            raise _over()

    def end_session(self, session_id: str) -> None:
        """Refuse every token of this session from now on."""
        self._owners.pop(session_id, None)
        self._ended[session_id] = True


def _over() -> UnauthenticatedError:
    return UnauthenticatedError("This session is over; sign in again.")
