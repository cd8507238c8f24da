"""What a new account must be like. Pure functions: values in, complaints out."""

import re
import unicodedata
from collections.abc import Mapping

from chat_mvp.characters import name_complaint
from chat_mvp.errors import ValidationError
from chat_mvp.limits import (
    MAX_DISPLAY_NAME_CHARS,
    MAX_EMAIL_CHARS,
    MAX_PASSWORD_CHARS,
    MAX_USERNAME_CHARS,
    MIN_PASSWORD_CHARS,
    MIN_USERNAME_CHARS,
)
from chat_mvp.security.passwords import normal_form

_USERNAME = re.compile(r"[A-Za-z0-9_.-]+")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\.]+(?:\.[^\s@<>\"(),:;\[\]\\.]+)*")


def account_complaints(username: str, email: str, password: str, display_name: str) -> dict[str, str]:
    """Return what is wrong with each field of a new account; how hard the password is to guess is not looked at."""
    complaints = {
        "username": username_complaint(username),
        "email": email_complaint(email),
        "password": password_complaint(password),
        "display_name": display_name_complaint(display_name),
    }
    return {field: complaint for field, complaint in complaints.items() if complaint is not None}


def raise_complaints(complaints: Mapping[str, str]) -> None:
    """Raise one ``ValidationError`` that names every field with a complaint, if there are any."""
    if complaints:
        sentences = (f"{field} {complaint}." for field, complaint in complaints.items())
        raise ValidationError(" ".join(sentences), fields=dict(complaints))


def username_complaint(username: str) -> str | None:
    """Return what is wrong with a username."""
    if not MIN_USERNAME_CHARS <= len(username) <= MAX_USERNAME_CHARS:
        return f"must have {MIN_USERNAME_CHARS} to {MAX_USERNAME_CHARS} characters"
    if not _USERNAME.fullmatch(username):
        return "may have the letters a to z, digits, and the signs _ . - only"
    return None


def email_complaint(email: str) -> str | None:
    """Return what is wrong with an e-mail address: its form only, since only a mail to it can tell the rest."""
    if len(email) > MAX_EMAIL_CHARS:
        return f"must have at most {MAX_EMAIL_CHARS} characters"
    if not _EMAIL.fullmatch(email) or any(unicodedata.category(character).startswith("C") for character in email):
        return "is no e-mail address"
    return None


def password_complaint(password: str) -> str | None:
    """Return what is wrong with the length of a password. The minimum applies to its normal form."""
    if len(password) > MAX_PASSWORD_CHARS or len(normal_form(password)) < MIN_PASSWORD_CHARS:
        return f"must have {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"
    return None


def display_name_complaint(display_name: str) -> str | None:
    """Return what is wrong with a display name; a blank one stands for the username."""
    if len(display_name) > MAX_DISPLAY_NAME_CHARS:
        return f"must have at most {MAX_DISPLAY_NAME_CHARS} characters"
    return name_complaint(display_name) if display_name.strip() else None
