"""The errors of the client."""


class ClientError(Exception):
    """Base of all errors that the client raises."""


class RefusedError(ClientError):
    """The server refused the request. ``code`` is stable. ``detail`` is one sentence for the user."""

    def __init__(self, code: str, detail: str, *, status: int | None = None, retry_after_ms: int | None = None) -> None:
        """Keep the answer. ``status`` is the HTTP status, or ``None`` over WebSocket."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after_ms = retry_after_ms


class ConnectionLostError(ClientError):
    """The server cannot be reached, or the connection ended before it answered."""


class SignedOutError(ClientError):
    """No user is signed in, or the session has ended. Sign in again."""
