"""Uvicorn's HTTP protocol, with what it lacks."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chat_mvp.addresses import believe_proxies


class ChatHttpProtocol(HttpToolsProtocol):
    """One connection that speaks HTTP/1.1, until it ends or becomes a WebSocket."""

    def __init__(self, *args: Any, trusted_proxies: int = 0, **options: Any) -> None:
        """Take what uvicorn hands to every protocol; see ``believe_proxies`` for ``trusted_proxies``."""
        super().__init__(*args, **options)
        self._trusted_proxies = trusted_proxies

    def on_headers_complete(self) -> None:
        """Start the request, from the client's own address where a proxy names it."""
        believe_proxies(self.scope, self._trusted_proxies)  # type: ignore[arg-type]
        super().on_headers_complete()
