"""Refresh tokens: opaque, valid for one use, each derived from its predecessor.

A token is 60 bytes in URL-safe base64: the session's id (12), a secret (32) and a tag (16). The secret of the first is
random. The secret of each successor is an HMAC, with the server's key, over the previous secret. So every process can
compute the pair for a spent token again during the grace period, also after a restart, and nothing secret is stored:
the database holds hashes, which are useless without the server's key. The tag is another HMAC and proves that the
server made a token. It distinguishes an old token of a session, whose reuse ends the session, from an invented token,
which has no effect.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence

from chat_mvp.security.keys import SigningKey

_SESSION_BYTES = 12
_SECRET_BYTES = 32
_TAG_BYTES = 16
_TOKEN_BYTES = _SESSION_BYTES + _SECRET_BYTES + _TAG_BYTES
TOKEN_CHARS = _TOKEN_BYTES * 4 // 3


def hash_token(token: str) -> str:
    """Return the stored form of a token. It has 256 bits of entropy, so a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(token.encode()).hexdigest()


class RefreshTokens:
    """Creates and recognises refresh tokens. The keys are used as in ``Tokens``: the first creates, all recognise."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        """Derive the subkeys from these keys, the newest first."""
        self._chain_keys = [_subkey(key, b"refresh chain") for key in keys]
        self._tag_keys = [_subkey(key, b"refresh tag") for key in keys]
        self._id_key = _subkey(keys[0], b"access token id")

    def first(self, session_id: str) -> str:
        """Return a new token for a new session."""
        return self._seal(bytes.fromhex(session_id), secrets.token_bytes(_SECRET_BYTES), self._tag_keys[0])

    def successors(self, token: str) -> Iterator[str]:
        """Yield the possible successors of the token, one for each key, the newest first.

        Yield nothing for an invalid token. A refresh returns the first one. The others serve to repeat an answer that
        was given before a rotation of the keys.
        """
        parts = _open(token)
        if parts is None:
            return
        session, secret, _ = parts
        for chain_key, tag_key in zip(self._chain_keys, self._tag_keys, strict=True):
            yield self._seal(session, hmac.digest(chain_key, session + secret, "sha256"), tag_key)

    def session_of(self, token: str) -> str | None:
        """Return the session for which this server made the token, or ``None`` if no key of ours has made it."""
        parts = _open(token)
        if parts is None:
            return None
        session, secret, tag = parts
        if any(hmac.compare_digest(tag, _tag(key, session, secret)) for key in self._tag_keys):
            return session.hex()
        return None

    def access_token_id(self, token: str) -> str:
        """Return the ``jti`` of the access token that belongs to this refresh token."""
        return hmac.digest(self._id_key, token.encode(), "sha256")[:16].hex()

    @staticmethod
    def _seal(session: bytes, secret: bytes, tag_key: bytes) -> str:
        return urlsafe_b64encode(session + secret + _tag(tag_key, session, secret)).decode()


def _subkey(key: SigningKey, purpose: bytes) -> bytes:
    return hmac.digest(key.secret, purpose, "sha256")


def _tag(key: bytes, session: bytes, secret: bytes) -> bytes:
    return hmac.digest(key, session + secret, "sha256")[:_TAG_BYTES]


def _open(token: str) -> tuple[bytes, bytes, bytes] | None:
    if len(token) != TOKEN_CHARS:
        return None
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return None
    if len(raw) != _TOKEN_BYTES:
        return None
    return raw[:_SESSION_BYTES], raw[_SESSION_BYTES:-_TAG_BYTES], raw[-_TAG_BYTES:]
