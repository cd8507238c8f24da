"""Which characters a text may have: one rule for each kind of text, the same in every feature.

A line is a text that stands inside other texts: a name, a nickname, a status. It has no line breaks, no control
characters and no bidirectional controls, because with those a name changes the text around it. A paragraph, such as
a description, may have line breaks and tabs. Message texts follow neither rule: they are stored letter for letter.
"""

import re
import unicodedata

LINE_RULE = "must be one line, without control characters and without marks that change the direction of writing"
PARAGRAPH_RULE = "must not have control characters or marks that change the direction of writing"
VISIBLE_RULE = "needs at least one visible character"

FIRST_STRONG_ISOLATE = "\u2068"
POP_DIRECTIONAL_ISOLATE = "\u2069"

# Marks, embeddings, overrides and isolates of the bidirectional algorithm, and the deprecated format characters.
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
# C0, DEL, C1, the line and paragraph separators, and halves of surrogate pairs.
_CONTROL = "\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff"
_NOT_IN_LINE = re.compile(f"[{_DIRECTION}{_CONTROL}]")
_NOT_IN_PARAGRAPH = re.compile(f"[{_DIRECTION}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]")

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
# Format characters that are drawn all the same: number signs and other marks that stand before digits or words.
_DRAWN_FORMAT_CHARS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Letters, symbols and marks that draw nothing: the grapheme joiner, Hangul fillers, Khmer inherent vowels, the blank
# braille pattern, variation selectors, and what Unicode reserves for invisible characters.
_UNDRAWN_CHARS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


def is_visible(char: str) -> bool:
    """Return whether a character draws something. Unassigned ones count as visible: a newer Unicode may have them."""
    if unicodedata.category(char) in _INVISIBLE_CATEGORIES:
        return _DRAWN_FORMAT_CHARS.match(char) is not None
    return _UNDRAWN_CHARS.match(char) is None


def has_visible(text: str) -> bool:
    """Return whether a text draws anything."""
    return any(map(is_visible, text))


def line_complaint(text: str) -> str | None:
    """Return what is wrong with a line, which may be empty."""
    return LINE_RULE if _NOT_IN_LINE.search(text) else None


def name_complaint(name: str) -> str | None:
    """Return what is wrong with a name: a line with at least one visible character."""
    return line_complaint(name) or (None if has_visible(name) else VISIBLE_RULE)


def paragraph_complaint(text: str) -> str | None:
    """Return what is wrong with a text of several lines, which may be empty."""
    return PARAGRAPH_RULE if _NOT_IN_PARAGRAPH.search(text) else None


def to_line(text: str) -> str:
    """Return the text as a line: each character that a line may not have becomes a space."""
    return _NOT_IN_LINE.sub(" ", text)


def isolated(name: str) -> str:
    """Return a name for use inside a sentence: its direction of writing does not change that of the sentence."""
    return FIRST_STRONG_ISOLATE + to_line(name) + POP_DIRECTIONAL_ISOLATE
