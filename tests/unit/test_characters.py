import sys
import time
import unicodedata

import emoji
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.characters import (
    escaped,
    has_visible,
    is_visible,
    isolated,
    line_complaint,
    name_complaint,
    paragraph_complaint,
    to_line,
)

DIRECTION = [*"\u061c\u200e\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x2070))]
CONTROL = [chr(code) for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc"]
BREAKS = ["\u2028", "\u2029"]
NONCHARACTERS = {
    *map(chr, range(0xFDD0, 0xFDF0)),
    *(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
}
EVERY = [chr(code) for code in range(sys.maxunicode + 1)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a",
            "1",
            "!",
            "é",
            "e\u0301",
            "\u25cc\u0301",
            "日",
            "אב",
            "नमस्ते",
            "😀",
            "👨‍👩‍👧‍👦",
            "🏴\U000e0067\U000e0062\U000e007f",
        ),
        # Newer than the Unicode of some Pythons, and in none yet.
        *("\U0001fa75", "\U0001e4d0", "\U0001fae9", "\u0378", "\U000323b0", "\U0010fffd", "\ue000"),
        # Format characters that are drawn.
        *("\u0600", "\u06dd", "\u08e2", "\U000110bd"),
    ],
)
def test_what_is_drawn(text: str) -> None:
    assert has_visible(text)
    assert has_visible(f"\u200b{text}\u2800")
    assert name_complaint(text) is None
    assert name_complaint(f"{text} {text}") is None


@pytest.mark.parametrize(
    "char",
    [
        *(
            "",
            " ",
            "\t",
            "\n",
            "\u00a0",
            "\u1680",
            "\u2003",
            "\u202f",
            "\u205f",
            "\u3000",
            "\u00ad",
            "\u034f",
            "\u061c",
        ),
        *("\u115f", "\u1160", "\u17b4", "\u17b5", "\u180b", "\u180e", "\u180f", "\u200b", "\u200d", "\u2060", "\u2064"),
        *("\u2065", "\u2800", "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0", "\ufff0", "\ufff9", "\U0001bca0"),
        *("\U0001d173", "\U000e0000", "\U000e0001", "\U000e0020", "\U000e0100", "\U000e0fff", "\ud800"),
    ],
)
def test_what_is_not_drawn(char: str) -> None:
    assert not has_visible(char)
    assert not has_visible(char * 50)
    assert name_complaint(char * 5) is not None


def test_only_what_is_known_to_be_invisible_is_so() -> None:
    unassigned = [char for char in EVERY if not is_visible(char) and unicodedata.category(char) == "Cn"]
    assert {ord(char) >> 12 for char in unassigned} <= {0x2, 0xF, 0xE0}, "what Unicode reserves for invisible ones"


def test_what_no_line_may_have() -> None:
    refused = {char for char in EVERY if line_complaint(f"a{char}b") is not None}
    surrogates = {chr(code) for code in range(0xD800, 0xE000)}
    invisible = {char for char in EVERY if not is_visible(char) and unicodedata.category(char) != "Zs"}
    assert refused == {*DIRECTION, *CONTROL, *BREAKS, *NONCHARACTERS} | surrogates | invisible
    not_in_paragraph = {*DIRECTION, *CONTROL, *NONCHARACTERS} | surrogates
    assert {char for char in EVERY if paragraph_complaint(char) is not None} == not_in_paragraph - {*"\t\n\r"}


def test_no_unassigned_character_is_refused_unless_reserved() -> None:
    unassigned = {char for char in EVERY if unicodedata.category(char) == "Cn" and is_visible(char)}
    assert {char for char in unassigned if line_complaint(f"a{char}b") is not None} == NONCHARACTERS


def test_every_emoji_may_stand_in_a_line() -> None:
    assert [name for name in emoji.EMOJI_DATA if line_complaint(f"a{name}b{name}{name}") is not None] == []


SHAPING = [
    "نیلوفر\u200cنیلوفر",
    "بِ\u200cش",
    "രാജന്\u200d",
    "র\u200d\u09cd\u09af",
    "ක්\u200dය",
    "ᠠ\u180eᠠ",
    "葛\U000e0100飾",
    "\u2269\ufe00",
    # Newer than this Unicode.
    "\U0001faff\u200d\U0001fafe\ufe0f",
]
"""Texts in which an invisible character changes how the one beside it is drawn."""


@pytest.mark.parametrize("name", SHAPING)
def test_invisible_characters_where_they_shape_others(name: str) -> None:
    assert line_complaint(name) is None
    assert name_complaint(f"a {name}") is None


@pytest.mark.parametrize(
    "name",
    [
        *(f"a{char}b" for char in "\u200c\u200d\u180e\ufe0f\ufe00\U000e0100\U000e0061\ufeff\u00ad\u200b\u2060\u3164"),
        *("\u200da", "a\u200d", "1\ufe0f", "#\ufe0f", "a\ufe0f\u20e3", "\ufe0fa", "\u200d", "a \ufe0f"),
        *(
            "👩\u200d\u200d💻",
            "👩\u200d",
            "\u200d👩",
            "👩\u200da",
            "❤\ufe0f\ufe0f",
            "ש\u200dל",
            "葛\U000e0100\U000e0100",
        ),
        # Tags without the flag, without their end, and without anything between.
        *("😀\U000e0067\U000e007f", "🏴\U000e0067", "🏴\U000e007f", "🏴a\U000e0067\U000e007f"),
    ],
)
def test_invisible_characters_where_they_shape_nothing(name: str) -> None:
    assert line_complaint(name) is not None
    assert line_complaint(to_line(name)) is None


def test_a_long_line_is_checked_fast() -> None:
    for text in ("\u0301\u200d" * 50_000, "\u0301" * 99_999 + "\u200d", "👩\u200d" * 50_000, "\u200d" * 100_000):
        start = time.process_time()
        line_complaint(text)
        to_line(text)
        assert time.process_time() - start < 2


def test_empty_texts() -> None:
    assert line_complaint("") is None
    assert paragraph_complaint("") is None
    assert name_complaint("") is not None


@given(st.text())
def test_a_name_cannot_leave_its_place_in_a_sentence(name: str) -> None:
    shown = isolated(name)
    assert (shown[0], shown[-1]) == ("\u2068", "\u2069")
    assert not {*shown[1:-1]} & {*DIRECTION, *CONTROL, *BREAKS}
    assert line_complaint(to_line(name)) is None
    assert (shown[1:-1] == name) is (line_complaint(name) is None)


def test_no_control_or_format_character_reaches_a_terminal() -> None:
    shown = escaped("".join(EVERY))
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert escaped("a\u061cb\u200bc\U000e0041\x1b[31m") == r"a\u061cb\u200bc\U000e0041\x1b[31m"
    assert escaped("Ünïcode שלום 👍🏽 e\u0301") == "Ünïcode שלום 👍🏽 e\u0301"
