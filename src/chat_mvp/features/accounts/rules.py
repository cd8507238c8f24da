"""What a new account must be like. Pure functions: values in, complaints out."""

import re
import unicodedata
from collections.abc import Mapping

from chat_mvp.errors import ValidationError
from chat_mvp.limits import (
    MAX_DISPLAY_NAME_CHARS,
    MAX_EMAIL_CHARS,
    MAX_PASSWORD_CHARS,
    MAX_USERNAME_CHARS,
    MIN_PASSWORD_CHARS,
    MIN_USERNAME_CHARS,
)
from chat_mvp.security.common_passwords import is_common

_USERNAME = re.compile(r"[A-Za-z0-9_.-]+")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\.]+(?:\.[^\s@<>\"(),:;\[\]\\.]+)*")


def check_new_account(username: str, email: str, password: str, display_name: str) -> None:
    """Raise one ``ValidationError`` that names every field that will not do."""
    complaints = {
        "username": username_complaint(username),
        "email": email_complaint(email),
        "password": password_complaint(password, username, email),
        "display_name": length_complaint(display_name, MAX_DISPLAY_NAME_CHARS),
    }
    raise_complaints(complaints)


def raise_complaints(complaints: Mapping[str, str | None]) -> None:
    """Raise a ``ValidationError`` when any of the fields has a complaint."""
    fields = {field: complaint for field, complaint in complaints.items() if complaint is not None}
    if fields:
        raise ValidationError(" ".join(f"{field} {complaint}." for field, complaint in fields.items()), fields=fields)


def username_complaint(username: str) -> str | None:
    """Tell what is wrong with a username."""
    if not MIN_USERNAME_CHARS <= len(username) <= MAX_USERNAME_CHARS:
        return f"must have {MIN_USERNAME_CHARS} to {MAX_USERNAME_CHARS} characters"
    if not _USERNAME.fullmatch(username):
        return "may have the letters a to z, digits, and the signs _ . - only"
    return None


def email_complaint(email: str) -> str | None:
    """Tell what is wrong with an e-mail address: its form only, since only a mail to it can tell the rest."""
    if len(email) > MAX_EMAIL_CHARS:
        return f"must have at most {MAX_EMAIL_CHARS} characters"
    if not _EMAIL.fullmatch(email) or any(unicodedata.category(character).startswith("C") for character in email):
        return "is no e-mail address"
    return None


def password_complaint(password: str, *own_names: str) -> str | None:
    """Tell what is wrong with a password, never repeating any of it."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        return f"must have {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"
    if is_common(password, *own_names):
        return "is one of those that are guessed first; several words together make a good one"
    return None


def length_complaint(text: str, limit: int) -> str | None:
    """Tell when a text is over its limit, in code points."""
    return f"must have at most {limit} characters" if len(text) > limit else None
