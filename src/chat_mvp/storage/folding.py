"""How names are compared: case, accents and different encodings of the same letter make no difference."""

import re
import unicodedata

MAX_MARKS_IN_A_ROW = 30
"""How many combining marks are sorted together, as in Unicode's stream-safe text format (UAX #15, section 13)."""
_GRAPHEME_JOINER = "\u034f"

_PARTS = re.compile(r"\w+")

FOLDING_VERSION = 2
"""Raise it when ``fold_text`` or ``name_words`` returns something else. The next start then renews what is stored."""

_ACCENTED = {
    "a": "ⱥ",
    "b": "ƀƃɓ",
    "c": "ƈȼɕ",
    "d": "đƌȡɖɗ",
    "e": "ɇⱸ",
    "f": "ƒ",
    "g": "ǥɠ",
    "h": "ħɦⱨ",
    "i": "ɨ",
    "j": "ɉʝ",
    "k": "ƙⱪꝁ",
    "l": "łƚȴɫɬɭⱡꝉ",
    "m": "ɱ",
    "n": "ƞȵɲɳ",
    "o": "øⱺꝋ",
    "p": "ƥᵽꝑ",
    "q": "ɋʠꝗ",
    "r": "ɍɼɽɾ",
    "s": "ȿʂ",
    "t": "ŧƫƭȶʈⱦ",
    "v": "ʋⱱⱴꝟ",
    "w": "ⱳ",
    "y": "ƴɏỿ",
    "z": "ƶȥɀʐʑⱬ",
}
_OTHER_LETTERS = {
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "ȷ": "j",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "ŋ": "n",
    "ĸ": "k",
    "ə": "e",
    "ǝ": "e",
    "ɛ": "e",
    "ɔ": "o",
    "ɵ": "o",
    "\N{LATIN SMALL LETTER IOTA}": "i",
    "\N{LATIN SMALL LETTER ALPHA}": "a",
    "\N{LATIN SMALL LETTER GAMMA}": "g",
    "ʉ": "u",
    "ʊ": "u",
    "ʒ": "z",
}
_PLAIN_LETTERS = str.maketrans(
    {letter: plain for plain, letters in _ACCENTED.items() for letter in letters} | _OTHER_LETTERS
)
"""Small Latin letters that Unicode does not decompose, with the letters that users type instead."""


def fold_name(name: str) -> str:
    """Return the form in which a username or an e-mail address is unique."""
    return unicodedata.normalize("NFC", stream_safe(name.casefold()))


def fold_text(text: str) -> str:
    """Return text as searches compare it: compatible forms unified, no accents, no case. Folding twice changes nothing.

    Letters that are not another letter with an accent become the ones that users type instead: ``ł`` is ``l``, ``æ`` is
    ``ae``.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", stream_safe(text)).casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN_LETTERS)
    return unicodedata.normalize("NFC", plain)


def name_words(username: str, display_name: str) -> list[str]:
    """Return all folded words by whose beginning a user is found.

    These are the username, each word of the display name, and the parts of words that contain signs, so that both
    ``jean-luc`` and ``luc`` find Jean-Luc.
    """
    words = fold_text(display_name).split()
    parts = [part for word in words for part in _PARTS.findall(word)]
    return list(dict.fromkeys([fold_text(username), *words, *parts]))


def stream_safe(text: str) -> str:
    """Return the text with a grapheme joiner after every ``MAX_MARKS_IN_A_ROW`` combining marks in a row.

    Normalising sorts each run of marks, in a time that grows with the square of its length. The joiner ends a run, so
    the time grows with the length of the text only. A text without such runs is returned unchanged.
    """
    if text.isascii():
        return text
    parts: list[str] = []
    marks = 0
    for char in text:
        if not _begins_with_mark(char):
            marks = 0
        elif marks == MAX_MARKS_IN_A_ROW:
            parts.append(_GRAPHEME_JOINER)
            marks = 1
        else:
            marks += 1
        parts.append(char)
    return "".join(parts)


def _begins_with_mark(char: str) -> bool:
    # Three Tibetan vowels are not marks themselves, but decompose into marks.
    return bool(unicodedata.combining(char) or unicodedata.combining(unicodedata.normalize("NFKD", char)[0]))
