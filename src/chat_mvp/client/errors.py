"""What can go wrong for a client."""


class ClientError(Exception):
    """Base of everything that the client raises."""


class RefusedError(ClientError):
    """The server answered, and the answer is no. ``code`` is stable; ``detail`` is one sentence for a person."""

    def __init__(self, code: str, detail: str, *, status: int | None = None, retry_after_ms: int | None = None) -> None:
        """Keep the answer. ``status`` is that of HTTP, and None over WebSocket."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after_ms = retry_after_ms


class ConnectionLostError(ClientError):
    """The server cannot be reached, or went away before it answered."""


class SignedOutError(ClientError):
    """No user is signed in, or the session has ended: sign in again."""
