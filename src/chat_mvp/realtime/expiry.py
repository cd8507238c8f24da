"""Ends connections when their access token expires, unless the client sends a new one in time."""

import asyncio

from chat_mvp.clock import Now
from chat_mvp.limits import TOKEN_WARNING_S
from chat_mvp.protocol import CLOSE_UNAUTHENTICATED, TokenExpiring
from chat_mvp.realtime.registry import Registry

SWEEP_S = 1.0
"""One look at every connection each second costs less than a timer for each."""


async def watch_expiry(registry: Registry, clock: Now) -> None:
    """Warn connections whose token expires soon, and close those whose token has expired. Runs until cancelled."""
    while True:
        await asyncio.sleep(SWEEP_S)
        now = clock().timestamp()
        for connection in registry:
            seconds_left = connection.expires_at - now
            if seconds_left <= 0:
                connection.close(CLOSE_UNAUTHENTICATED, "the access token has expired")
            elif seconds_left <= TOKEN_WARNING_S and not connection.warned_of_expiry:
                connection.warned_of_expiry = True
                connection.answer(TokenExpiring(expires_in=int(seconds_left)))
