"""What may stand in a message: limits and characters. Texts are stored letter for letter; nothing is changed here."""

import re
import unicodedata

import emoji

from chat_mvp.errors import ValidationError
from chat_mvp.limits import MAX_MENTIONS, MAX_TEXT_CHARS
from chat_mvp.storable import check_storable

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
# Letters, symbols and marks that show nothing all the same: fillers, the blank braille pattern, variation selectors.
_INVISIBLE_CHARS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(c) for c in range(0xFE00, 0xFE10)
}
_MENTION = re.compile(r"(?<![A-Za-z0-9_.@-])@([A-Za-z0-9_.-]{3,32})")


def check_text(text: str) -> None:
    """Raise ``ValidationError`` for a text that is too long, shows nothing, or has characters nobody can store."""
    if len(text) > MAX_TEXT_CHARS:
        raise ValidationError(
            f"A text may have {MAX_TEXT_CHARS:,} characters, this has {len(text):,}.",
            fields={"text": "is too long"},
        )
    check_storable({"text": text})
    if not any(map(_is_visible, text)):
        raise ValidationError("A text needs at least one visible character.", fields={"text": "shows nothing"})


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


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in _INVISIBLE_CATEGORIES and char not in _INVISIBLE_CHARS
