"""Bodies of the account routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import (
    MAX_DEVICE_NAME_CHARS,
    MAX_DISPLAY_NAME_CHARS,
    MAX_EMAIL_CHARS,
    MAX_PASSWORD_CHARS,
    MAX_USERNAME_CHARS,
    MIN_PASSWORD_CHARS,
    MIN_USERNAME_CHARS,
)
from chat_mvp.protocol import Token, User


class RegisterBody(Struct, kw_only=True):
    """A new account."""

    # The rules check the minimum lengths, so that one answer names every wrong field.
    username: Annotated[
        str,
        Meta(
            max_length=MAX_USERNAME_CHARS,
            extra_json_schema={"minLength": MIN_USERNAME_CHARS},
            description="Letters a to z, digits, `_`, `.` and `-`; unique ignoring case",
            examples=["ann"],
        ),
    ]
    email: Annotated[
        str, Meta(max_length=MAX_EMAIL_CHARS, description="Unique ignoring case", examples=["ann@example.org"])
    ]
    password: Annotated[
        str,
        Meta(
            max_length=MAX_PASSWORD_CHARS,
            extra_json_schema={"minLength": MIN_PASSWORD_CHARS},
            description="Must not be easy to guess",
            examples=["correct horse battery"],
        ),
    ]
    display_name: Annotated[
        str,
        Meta(
            max_length=MAX_DISPLAY_NAME_CHARS,
            description="The name that others see. Default: the username",
            examples=["Ann Example"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Remove the spaces around the display name."""
        self.display_name = self.display_name.strip()


class LoginBody(Struct, kw_only=True):
    """The username or e-mail address, and the password."""

    login: Annotated[str, Meta(max_length=MAX_EMAIL_CHARS, description="Username or e-mail address", examples=["ann"])]
    password: Annotated[str, Meta(max_length=MAX_PASSWORD_CHARS, examples=["correct horse battery"])]
    device_name: (
        Annotated[
            str, Meta(max_length=MAX_DEVICE_NAME_CHARS, description="The name of this device in the list of sessions")
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Remove the spaces around the name of the device."""
        if self.device_name is not None:
            self.device_name = self.device_name.strip()


class RefreshBody(Struct, kw_only=True):
    """The token to exchange. Without one, the cookie ``__Secure-chat_refresh`` is used."""

    refresh_token: Token | None = None


class Registered(Struct, kw_only=True):
    """A new account, signed in. It has no tokens while its e-mail address is not confirmed."""

    user: User
    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    expires_in: Annotated[int, Meta(description="Seconds")] | UnsetType = UNSET


class SignedIn(Struct, kw_only=True):
    """The tokens of a session: ``access_token`` for requests, ``refresh_token`` for the next pair."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires")]
