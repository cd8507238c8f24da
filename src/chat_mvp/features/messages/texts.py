"""What may stand in a message: limits and characters. Texts are stored letter for letter; nothing is changed here."""

import re

import emoji

from chat_mvp.characters import VISIBLE_RULE, has_visible
from chat_mvp.errors import ValidationError
from chat_mvp.limits import MAX_MENTIONS, MAX_TEXT_CHARS
from chat_mvp.storable import check_storable

_MENTION = re.compile(r"(?<![A-Za-z0-9_.@-])@([A-Za-z0-9_.-]{3,32})")


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


def check_emoji(text: str) -> None:
    """Raise ``ValidationError`` for what is not one emoji."""
    if not emoji.is_emoji(text):
        raise ValidationError("A reaction is one emoji.", fields={"emoji": "is not one emoji"})


def mentioned_names(text: str) -> list[str]:
    """Return the names that may be meant by ``@name``, at most ``MAX_MENTIONS``.

    A full stop, a hyphen or an underscore may end a name or the sentence, so each reading is returned.
    """
    names: dict[str, None] = {}
    for found in _MENTION.findall(text)[:MAX_MENTIONS]:
        names[found] = None
        bare = found.rstrip(".-_")
        if len(bare) >= 3:  # noqa: PLR2004  (the shortest username)
            names[bare] = None
    return list(names)
