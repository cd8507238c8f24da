"""Uvicorn's WebSocket protocol, with the two things it lacks: an end for dead peers, and a way to cut a connection."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

CUT = "chat_mvp.cut"
"""ASGI extension of a WebSocket scope: ``{"abort": callable}`` drops the connection at once, unsent bytes included."""
LAST_WORDS_S = 2.0
"""How long a close frame may try to reach a peer that does not answer."""


class ChatWebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket. A peer that is gone or does not read holds nothing of ours for longer than ``LAST_WORDS_S``.

    Uvicorn closes such a connection politely, which waits for the peer to take what is still unsent: with a dead one,
    until the operating system gives up after minutes.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take what uvicorn hands to every protocol."""
        super().__init__(*args, **options)
        self.close_timeout = LAST_WORDS_S

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and let the application cut the connection later."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            self.scope["extensions"][CUT] = {"abort": self.transport.abort}

    def keepalive_timeout(self) -> None:
        """End a connection whose peer left a ping unanswered."""
        if self.read_paused:
            # The application is behind, so the answer may lie unread on our side: ask again later.
            self.pong_timer = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self.loop.call_later(LAST_WORDS_S, self.transport.abort)
