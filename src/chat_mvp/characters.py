"""Which characters a text may have: one rule for each kind of text, the same in every feature.

A line is a text that stands inside other texts: a name, a nickname, a status. It has no line breaks, no control
characters and no bidirectional controls, because with those a name changes the text around it, and no invisible
characters, because with those two names look alike. Those that change how a character beside them is drawn are allowed
in that place only: joiners, variation selectors, and the tags of a flag. A paragraph, such as a description, may have
line breaks, tabs and invisible characters. Message texts follow neither rule: they are stored letter for letter.
"""

import re
import unicodedata

LINE_RULE = (
    "must be one line, without control characters, invisible characters and marks that change the direction of writing"
)
PARAGRAPH_RULE = "must not have control characters or marks that change the direction of writing"
VISIBLE_RULE = "needs at least one visible character"

FIRST_STRONG_ISOLATE = "\u2068"
POP_DIRECTIONAL_ISOLATE = "\u2069"

# Marks, embeddings, overrides and isolates of the bidirectional algorithm, and the deprecated format characters.
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
# C0, DEL, C1, the line and paragraph separators, and halves of surrogate pairs.
_CONTROL = "\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff"
# What Unicode will never assign to a character; programs use these values for their own marks.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(f"{chr(0x10000 * n + 0xFFFE)}{chr(0x10000 * n + 0xFFFF)}" for n in range(17))
_NOT_IN_LINE = re.compile(f"[{_DIRECTION}{_CONTROL}{_NONCHARACTERS}]")
_NOT_IN_PARAGRAPH = re.compile(
    f"[{_DIRECTION}{_NONCHARACTERS}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]"
)

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
# Controls, format characters, halves of surrogate pairs, and separators of lines and paragraphs.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Format characters that are drawn all the same: number signs and other marks that stand before digits or words.
_DRAWN_FORMAT_CHARS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Letters, symbols and marks that draw nothing: the grapheme joiner, Hangul fillers, Khmer inherent vowels, the blank
# braille pattern, variation selectors, and what Unicode reserves for invisible characters.
_UNDRAWN_CHARS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


# The zero-width joiners, and the Mongolian vowel separator, which shapes the letters on both sides as well.
_JOINER = re.compile("[\u200c\u200d\u180e]")
_VARIATION_SELECTOR = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FLAG_TAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_KEYCAP = re.compile("[0-9#*]\ufe0f\u20e3")
_HEBREW = re.compile("[\u0590-\u05ff\ufb1d-\ufb4f]")
_MONGOLIAN = re.compile("[\u1800-\u18af\ua840-\ua87f]")
_INFORMATION_SIGN = "\u2139"
"""The one letter that is an emoji."""
_VIRAMA_CLASS = 9
_UNASSIGNED = "Cn"


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
    return LINE_RULE if _refused_in_line(text) else None


def name_complaint(name: str) -> str | None:
    """Return what is wrong with a name: a line with at least one visible character."""
    return line_complaint(name) or (None if has_visible(name) else VISIBLE_RULE)


def paragraph_complaint(text: str) -> str | None:
    """Return what is wrong with a text of several lines, which may be empty."""
    return PARAGRAPH_RULE if _NOT_IN_PARAGRAPH.search(text) else None


def to_line(text: str) -> str:
    """Return the text as a line: each character that a line may not have becomes a space."""
    while refused := _refused_in_line(text):
        # A space may part a joiner behind it from what it joined, so look again.
        text = "".join(" " if index in refused else char for index, char in enumerate(text))
    return text


def escaped(text: str) -> str:
    """Return a text for a log or a terminal: each control and format character becomes an escape sequence."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _ESCAPED_CATEGORIES else char
        for char in text
    )


def isolated(name: str) -> str:
    """Return a name for use inside a sentence: its direction of writing does not change that of the sentence."""
    return FIRST_STRONG_ISOLATE + to_line(name) + POP_DIRECTIONAL_ISOLATE


def _refused_in_line(text: str) -> set[int]:
    """Return where a text has characters that a line may not have. The time grows with the length of the text."""
    refused = {found.start() for found in _NOT_IN_LINE.finditer(text)}
    invisible = [index for index, char in enumerate(text) if not is_visible(char)]
    refused |= {index for index in invisible if not (_is_space(text[index]) or _draws_beside(text, index))}
    for sequence in (_FLAG_TAGS, _KEYCAP):
        for found in sequence.finditer(text):
            refused -= set(range(*found.span()))
    return refused


def _is_space(char: str) -> bool:
    return unicodedata.category(char) == "Zs"


def _draws_beside(text: str, index: int) -> bool:
    """Return whether an invisible character changes how those beside it are drawn."""
    char, before, after = text[index], text[index - 1 : index], text[index + 1 : index + 2]
    if _VARIATION_SELECTOR.match(char):
        return before != "" and _has_variants(before)
    if _JOINER.match(char) is None:
        return False
    # In Indic scripts, which form a letter takes, also at the end of a word.
    if any(each and unicodedata.combining(each) == _VIRAMA_CLASS for each in (before, after)):
        return True
    start = index - 1
    while start > 0 and unicodedata.category(text[start]) == "Mn":
        start -= 1
    kind = _joined_kind(text[start : start + 1]) if start >= 0 else None
    return kind is not None and kind == _joined_kind(after)


def _has_variants(char: str) -> bool:
    """Return whether Unicode may define variants of a character: of symbols, ideographs, and some punctuation."""
    category = unicodedata.category(char)
    if char.isascii() or not is_visible(char):
        return False
    return category[0] == "S" or category in {"Lo", "Po", "Pd", _UNASSIGNED} or char == _INFORMATION_SIGN


def _joined_kind(char: str) -> str | None:
    """Return the kind of characters that a joiner between two of them changes: of emoji, or of letters in cursive."""
    if not char or char.isascii():
        return None
    category = unicodedata.category(char)
    if category[0] == "S" or category == _UNASSIGNED:
        return "emoji"
    is_cursive = unicodedata.bidirectional(char) in {"R", "AL"} and _HEBREW.match(char) is None
    return "cursive" if is_cursive or _MONGOLIAN.match(char) else None
