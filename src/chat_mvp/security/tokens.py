"""Access tokens: short-lived JWTs, signed with HS256, verified without any read from the database.

A token contains its user (``sub``), its session (``sid``) and its own id (``jti``). Issuing is deterministic: the same
user, session, time and ``jti`` always give the same token. So a refresh whose answer was lost can be answered again
without stored data.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import jwt
import msgspec
from jwt.types import Options

from chat_mvp.clock import Now
from chat_mvp.errors import TokenExpiredError, UnauthenticatedError
from chat_mvp.limits import MAX_TOKEN_CHARS, TOKEN_FUTURE_S
from chat_mvp.security.keys import SigningKey
from chat_mvp.times import utc_now

ALGORITHM = "HS256"
_OPTIONS: Options = {
    "require": ["exp", "iat", "jti", "sub", "sid"],
    # ``verify`` checks these times with the server's own clock.
    "verify_exp": False,
    "verify_iat": False,
}


class AccessToken(msgspec.Struct, frozen=True):
    """An issued token. ``expires_at`` is in seconds since the epoch."""

    text: str
    expires_at: int


class Claims(msgspec.Struct, frozen=True):
    """The claims of a verified token. Times are in seconds since the epoch."""

    sub: str
    sid: str
    jti: str
    iat: int
    exp: int


class Tokens:
    """Issues and verifies access tokens. The first key signs. All keys verify, selected by ``kid``."""

    def __init__(self, keys: Sequence[SigningKey], *, lifetime_s: float, clock: Now = utc_now) -> None:
        """Use these keys, the newest first. Tokens are valid for ``lifetime_s`` seconds, at least one."""
        self._clock = clock
        self._newest = keys[0]
        self._keys = {key.id: key for key in keys}
        self._lifetime_s = max(1, round(lifetime_s))

    def issue(self, *, user_id: str, session_id: str, token_id: str, at: datetime) -> AccessToken:
        """Return the token of this user and session, valid from ``at`` on."""
        issued_at = int(at.timestamp())
        claims = Claims(sub=user_id, sid=session_id, jti=token_id, iat=issued_at, exp=issued_at + self._lifetime_s)
        text = jwt.encode(
            msgspec.to_builtins(claims), self._newest.secret, algorithm=ALGORITHM, headers={"kid": self._newest.id}
        )
        return AccessToken(text, claims.exp)

    def verify(self, token: str) -> Claims:
        """Return the claims of the token.

        ``TokenExpiredError`` when it is ours but not valid now, because it has expired or was issued in the future.
        ``UnauthenticatedError`` for every other token.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError("The access token is not valid.")
        try:
            key = self._keys[_key_id(token.partition(".")[0])]
            claims = jwt.decode(token, key.secret, algorithms=[ALGORITHM], options=_OPTIONS)
            known = msgspec.convert(claims, Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, KeyError, TypeError, ValueError, RecursionError):
            raise UnauthenticatedError("The access token is not valid.") from None
        now = self._clock().timestamp()
        if known.exp <= now:
            raise TokenExpiredError("The access token has expired. Refresh it.")
        if known.iat > now + TOKEN_FUTURE_S:
            # A refresh returns a token with a correct date, so the user need not sign in again.
            raise TokenExpiredError("The access token was issued in the future. Refresh it.")
        return known


@lru_cache(maxsize=16)
def _key_id(header: str) -> str:
    """Return the id of the key that the header of a token names. All tokens of one key have the same header."""
    return str(jwt.get_unverified_header(f"{header}..")["kid"])
