"""Bodies of the account routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import (
    MAX_DISPLAY_NAME_CHARS,
    MAX_EMAIL_CHARS,
    MAX_PASSWORD_CHARS,
    MAX_USERNAME_CHARS,
    MIN_PASSWORD_CHARS,
    MIN_USERNAME_CHARS,
)
from chat_mvp.protocol import User


def _described(description: str, example: str, **limits: int) -> Meta:
    # Limits for readers only: the rules check them, and tell of every field at once, in words.
    return Meta(description=description, examples=[example], extra_json_schema=dict(limits))


class RegisterBody(Struct, kw_only=True):
    """A new account."""

    username: Annotated[
        str,
        _described(
            "Letters a to z, digits, `_`, `.` and `-`; unique ignoring case",
            "ann",
            minLength=MIN_USERNAME_CHARS,
            maxLength=MAX_USERNAME_CHARS,
        ),
    ]
    email: Annotated[str, _described("Unique ignoring case", "ann@example.org", maxLength=MAX_EMAIL_CHARS)]
    password: Annotated[
        str,
        _described(
            "Not a common one", "correct horse battery", minLength=MIN_PASSWORD_CHARS, maxLength=MAX_PASSWORD_CHARS
        ),
    ]
    display_name: Annotated[
        str,
        _described("What others see; the username when left out", "Ann Example", maxLength=MAX_DISPLAY_NAME_CHARS),
    ] = ""


class LoginBody(Struct, kw_only=True):
    """Name and password."""

    login: Annotated[str, Meta(description="Username or e-mail address", examples=["ann"])]
    password: Annotated[str, Meta(examples=["correct horse battery"])]
    device_name: Annotated[str, Meta(max_length=100, description="How this device is to be listed")] | None = None


class RefreshBody(Struct, kw_only=True):
    """The token to exchange; without one, the cookie ``__Secure-chat_refresh`` counts."""

    refresh_token: str | None = None


class Registered(Struct, kw_only=True):
    """A new account, signed in; without tokens while its e-mail address waits to be confirmed."""

    user: User
    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    expires_in: Annotated[int, Meta(description="Seconds")] | UnsetType = UNSET


class SignedIn(Struct, kw_only=True):
    """A session's tokens: ``access_token`` for requests, ``refresh_token`` for the next pair."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Meta(description="Seconds that the access token is good for")]
