"""Callers over HTTP: the ``Authorization: Bearer`` header, as a dependency named ``caller``."""

from typing import Any

from litestar import Request

from chat_mvp.errors import UnauthenticatedError
from chat_mvp.security.authentication import Authenticator, Caller

__all__ = ["Authenticator", "Caller", "bearer_token", "provide_caller"]


def bearer_token(header: str | None) -> str:
    """Return the token of an ``Authorization`` header; ``UnauthenticatedError`` when it carries none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("Sign in first.")
    return token.strip()


async def provide_caller(request: Request[Any, Any, Any], authenticator: Authenticator) -> Caller:
    """Return who asks; ``UnauthenticatedError`` or ``TokenExpiredError`` when nobody does."""
    return await authenticator.authenticate(bearer_token(request.headers.get("authorization")))
