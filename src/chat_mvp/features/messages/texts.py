"""What may stand in a message: limits and characters. Texts are stored letter for letter, reactions in one form."""

import emoji

from chat_mvp.characters import VISIBLE_RULE, has_visible
from chat_mvp.errors import ValidationError
from chat_mvp.limits import MAX_TEXT_CHARS
from chat_mvp.protocol import Message
from chat_mvp.storable import check_storable

_VARIATION_SELECTOR = "\ufe0f"
"""Asks for the colourful drawing of the character before it. Programs disagree on where it is needed."""


_REACTION_BYTES = 27
"""The id of one user in the reactions of a message, as JSON."""


def _fully_qualified_forms() -> dict[str, str]:
    """Return Unicode's fully-qualified form of each emoji by the emoji without variation selectors.

    Parts such as a skin tone have no such form and stand as they are.
    """
    forms: dict[str, str] = {}
    for form, about in emoji.EMOJI_DATA.items():
        bare = form.replace(_VARIATION_SELECTOR, "")
        if about["status"] == emoji.STATUS["fully_qualified"]:
            forms[bare] = form
        else:
            forms.setdefault(bare, form)
    return forms


_FORMS = _fully_qualified_forms()


def check_text(text: str) -> None:
    """Raise ``ValidationError`` for a text that is too long, shows nothing, or has characters that cannot be stored."""
    if len(text) > MAX_TEXT_CHARS:
        raise ValidationError(
            f"A text may have {MAX_TEXT_CHARS:,} characters, this has {len(text):,}.",
            fields={"text": "is too long"},
        )
    check_storable({"text": text})
    if not has_visible(text):
        raise ValidationError(f"A text {VISIBLE_RULE}.", fields={"text": "shows nothing"})


def message_bytes(message: Message) -> int:
    """Return how much of the ``text`` budget it costs to send a whole message to its members again."""
    return len(message.text.encode()) + reaction_bytes(message)


def reaction_bytes(message: Message) -> int:
    """Return the approximate size of the reactions of a message."""
    return _REACTION_BYTES * sum(reaction.count for reaction in message.reactions)


def checked_emoji(text: str) -> str:
    """Return an emoji in its fully-qualified form. Raise ``ValidationError`` for what is not one emoji."""
    form = _FORMS.get(text.replace(_VARIATION_SELECTOR, ""))
    if form is None:
        raise ValidationError("A reaction is one emoji.", fields={"emoji": "is not one emoji"})
    return form


def qualified_emoji(stored: str) -> str:
    """Return the fully-qualified form of a stored emoji, or the emoji itself when Unicode's list does not have it."""
    return _FORMS.get(stored.replace(_VARIATION_SELECTOR, ""), stored)
