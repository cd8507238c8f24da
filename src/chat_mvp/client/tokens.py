"""The tokens that keep a user signed in, and the stores where a client keeps them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from msgspec import Struct


class Tokens(Struct, kw_only=True, frozen=True):
    """A pair of tokens. A refresh token can be used once, and returns a new pair. ``expires_in`` is in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        """Return a text without the tokens."""
        return "Tokens(***)"


class TokenStore(Protocol):
    """A store for tokens, which several programs may share."""

    def load(self) -> Tokens | None:
        """Return the stored tokens."""

    def save(self, tokens: Tokens | None) -> None:
        """Store these tokens, or remove them if ``None``."""

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Exclude all other users of this store while tokens are renewed."""


class MemoryStore:
    """Keeps tokens in memory until the program ends."""

    def __init__(self) -> None:
        """Start without tokens."""
        self._tokens: Tokens | None = None

    def load(self) -> Tokens | None:
        """Return the stored tokens."""
        return self._tokens

    def save(self, tokens: Tokens | None) -> None:
        """Store these tokens, or remove them if ``None``."""
        self._tokens = tokens

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Do nothing: a single client uses this store, and it renews only once at a time."""
        yield
