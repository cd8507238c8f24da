"""Every way an operation can be refused or fail, each with its stable code and its HTTP status.

Services raise these and nothing else. They become answers in exactly two places: problem documents over HTTP
(``chat_mvp.http``) and ``error`` frames over WebSocket (``chat_mvp.realtime.dispatch``).
"""

from typing import ClassVar


class ChatError(Exception):
    """Something a client asked for cannot be done.

    ``detail`` is one clear sentence for a person and never carries a driver's message, a path or a secret.
    ``retry_after_ms`` is set where trying again later may help. ``fields`` names what was wrong with which field.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(
        self,
        detail: str,
        *,
        retry_after_ms: int | None = None,
        fields: dict[str, str] | None = None,
    ) -> None:
        """Keep what the answer will say."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        self.fields = fields or {}


class BadRequestError(ChatError):
    """The body is no JSON, or is nested too deeply."""

    code, status, title = "bad_request", 400, "Bad Request"


class BadFrameError(ChatError):
    """A WebSocket frame that does not decode, or is of the wrong kind."""

    code, status, title = "bad_frame", 400, "Bad Request"


class UnknownTypeError(ChatError):
    """A WebSocket frame of a type this server does not know."""

    code, status, title = "unknown_type", 400, "Bad Request"


class AlreadyConnectedError(ChatError):
    """A second ``connect`` on one connection."""

    code, status, title = "already_connected", 409, "Conflict"


class ValidationError(ChatError):
    """The request was understood, and a value in it is not allowed."""

    code, status, title = "validation", 422, "Unprocessable Content"


class UnauthenticatedError(ChatError):
    """No credential, or one that is not or no longer valid."""

    code, status, title = "unauthenticated", 401, "Unauthorized"


class TokenExpiredError(ChatError):
    """The access token was right and has ended; a refresh brings a new one."""

    code, status, title = "token_expired", 401, "Unauthorized"


class EmailUnverifiedError(ChatError):
    """The account waits for its e-mail address to be confirmed."""

    code, status, title = "email_unverified", 403, "Forbidden"


class ForbiddenError(ChatError):
    """The caller may see the object but may not do this to it."""

    code, status, title = "forbidden", 403, "Forbidden"


class CannotMessageError(ChatError):
    """One of the two has blocked the other; the answer never says who."""

    code, status, title = "cannot_message", 403, "Forbidden"

    def __init__(self) -> None:
        """Say the same sentence to both sides."""
        super().__init__("You cannot send messages to this person.")


class NotFoundError(ChatError):
    """There is no such thing, or the caller may not know that there is."""

    code, status, title = "not_found", 404, "Not Found"


def no_such_user() -> NotFoundError:
    """Return the error for an id that belongs to no user."""
    return NotFoundError("There is no user with this id.")


class ConflictError(ChatError):
    """The request does not fit the present state of the object."""

    code, status, title = "conflict", 409, "Conflict"


class UsernameTakenError(ConflictError):
    """Another account has this username, compared without regard to case."""

    code = "username_taken"


class EmailTakenError(ConflictError):
    """Another account has this e-mail address."""

    code = "email_taken"


class FullError(ConflictError):
    """The conversation has as many members as it may have."""

    code = "full"


class TooLargeError(ChatError):
    """A body or a frame over its limit."""

    code, status, title = "too_large", 413, "Content Too Large"


class RequestTimeoutError(ChatError):
    """A request that did not arrive in time."""

    code, status, title = "request_timeout", 408, "Request Timeout"


class UrlTooLongError(ChatError):
    """A request whose address is over its limit."""

    code, status, title = "url_too_long", 414, "URI Too Long"


class UnsupportedMediaTypeError(ChatError):
    """A body that does not say that it is JSON."""

    code, status, title = "unsupported_media_type", 415, "Unsupported Media Type"


class HeadersTooLargeError(ChatError):
    """A request whose headers are over their limit."""

    code, status, title = "headers_too_large", 431, "Request Header Fields Too Large"


class RateLimitedError(ChatError):
    """Too much in too short a time; ``retry_after_ms`` says when to come back."""

    code, status, title = "rate_limited", 429, "Too Many Requests"


class TransferCodingError(ChatError):
    """A body with a transfer coding that the server does not understand."""

    code, status, title = "unsupported_transfer_coding", 501, "Not Implemented"


class HttpVersionError(ChatError):
    """A request in a version of HTTP other than 1.0 and 1.1."""

    code, status, title = "unsupported_http_version", 505, "HTTP Version Not Supported"


class InternalError(ChatError):
    """A fault of ours. Sending the same ``client_message_id`` again is safe."""


class UnavailableError(ChatError):
    """The database cannot take the write now. Sending the same ``client_message_id`` again is safe."""

    code, status, title = "unavailable", 503, "Service Unavailable"


class DamagedError(ChatError):
    """An account in the database that the server cannot read, because another program has changed it."""

    code, status, title = "damaged", 503, "Service Unavailable"


class StartupError(Exception):
    """The program cannot start. Shown as one line, ``detail`` then ``remedy``, with exit code 2 and no traceback."""

    def __init__(self, detail: str, *, remedy: str) -> None:
        """Keep what went wrong and what the person at the terminal can do about it."""
        super().__init__(f"{detail} {remedy}")
        self.detail = detail
        self.remedy = remedy
