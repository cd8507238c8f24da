"""The tokens that keep a user signed in, and where a client keeps them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from msgspec import Struct


class Tokens(Struct, kw_only=True, frozen=True):
    """The refresh token is good for one use; each use brings a new pair. ``expires_in`` counts seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Tokens(***)"


class TokenStore(Protocol):
    """Somewhere to keep tokens, perhaps shared with other programs."""

    def load(self) -> Tokens | None:
        """Return what is kept."""

    def save(self, tokens: Tokens | None) -> None:
        """Keep these, or with None forget."""

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Keep every other user of this store out, while tokens are renewed."""


class MemoryStore:
    """Tokens that end with the program."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._tokens: Tokens | None = None

    def load(self) -> Tokens | None:
        """Return what is kept."""
        return self._tokens

    def save(self, tokens: Tokens | None) -> None:
        """Keep these, or with None forget."""
        self._tokens = tokens

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Do nothing: one client alone uses this store and takes care of itself."""
        yield
