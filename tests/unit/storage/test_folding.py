"""Folding takes time proportional to the length of a text, whatever it contains."""

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.storage.folding import MAX_MARKS_IN_A_ROW, fold_name, fold_text, name_words, stream_safe

CLIENT = Path(__file__).parents[3] / "frontend" / "src" / "lib" / "text.ts"
MOST_MARKS_OF_ONE = 4
"""Into how many combining marks one character decomposes at most."""


def longest_run(text: str) -> int:
    """Return how many combining marks are put in order together when a text is normalised."""
    longest = run = 0
    for char in unicodedata.normalize("NFKD", text):
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    return longest


def test_no_character_makes_long_runs_of_marks() -> None:
    marks = [
        char for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000 and longest_run(char := chr(code)) > 0
    ]
    assert len(marks) > 1_000
    for char in marks:
        assert longest_run(stream_safe(char * 100)) <= MAX_MARKS_IN_A_ROW * MOST_MARKS_OF_ONE, hex(ord(char))


@given(st.text(alphabet="a\u0301\u0316\u0344\u0f73\u0345é\u1e69\u0300", max_size=300))
def test_runs_of_marks_have_an_end(text: str) -> None:
    assert longest_run(stream_safe(text)) <= MAX_MARKS_IN_A_ROW * MOST_MARKS_OF_ONE
    assert fold_text(fold_text(text)) == fold_text(text)


@given(st.text(max_size=100))
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    if longest_run(text) <= MAX_MARKS_IN_A_ROW:
        assert stream_safe(text) == text
        assert fold_name(text) == unicodedata.normalize("NFC", text.casefold())


def test_a_text_of_marks_alone() -> None:
    """A bound on work: as one run, these would take minutes."""
    text = "a" + "\u0301" * 500_000 + "\u0316" * 500_000
    assert fold_text(text).startswith("a")
    assert len(fold_name(text)) <= 2 * len(text)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Iş\u0131k", "isik"),
        ("İI\u0131i", "iiii"),
        ("Łódź", "lodz"),
        ("Søren", "soren"),
        ("Ǿ", "o"),
        ("Đặng", "dang"),
        ("Ħamrun", "hamrun"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("Æther Ǽ", "aether ae"),
        ("Œuvre", "oeuvre"),
        ("Þór", "thor"),
        ("Guðrún", "gudrun"),
        ("Ŧ", "t"),
        ("Ŋ", "n"),
        ("Əliyev", "eliyev"),
        ("Ɔkɔ Ɛ", "oko e"),
        ("Ĳsbrand", "ijsbrand"),
        ("Ǆ ǅ ǆ", "dz dz dz"),
        ("\u017f", "s"),
    ],
)
def test_letters_are_found_by_what_is_typed_instead(name: str, typed: str) -> None:
    forms = (name, name.upper(), name.lower(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC")))
    assert {fold_text(form) for form in forms} == {typed}


def test_every_latin_letter_with_something_is_that_letter() -> None:
    """By the names that Unicode gives them, in the blocks of letters that alphabets of today use."""
    named = re.compile("LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]|AE) WITH .+")
    letters = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00), *range(0x2C60, 0x2C80)):
        char = chr(code)
        match = named.fullmatch(unicodedata.name(char, ""))
        # Some are two characters in one, such as a D with a small Z.
        single = sum(not unicodedata.combining(part) for part in unicodedata.normalize("NFKD", char)) == 1
        if match is not None and single:
            letters[char] = match[1].lower()
    assert len(letters) > 500
    assert {letter: fold_text(letter) for letter in letters} == letters


@given(st.text(max_size=50), st.text(max_size=50))
def test_what_is_stored_and_what_is_looked_for_are_folded_alike(name: str, other: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold_text(unicodedata.normalize(form, name)) == fold_text(name)
    for word in fold_text(name).split():
        assert word in name_words("ann", f"{other} {name}")


def test_a_text_of_letters_that_grow() -> None:
    assert fold_text("Æ\u0301ŁÞ" * 100_000) == "aelth" * 100_000


def test_the_web_client_has_the_same_letters() -> None:
    """It looks through what is on the device with a table of its own."""
    source = CLIENT.read_text(encoding="utf-8")
    table = source[source.index("const OTHER_LETTERS") : source.index("const PLAIN")]
    groups = [(plain, letters) for plain, letters in re.findall(r"(\w+):(\w+)", table)]
    client = {letter: plain for plain, letters in groups for letter in letters}
    assert client == {letter: fold_text(letter) for letter in client}
    undecomposed = {chr(code) for code in range(0x80, 0x2D00) if unicodedata.normalize("NFKD", chr(code)) == chr(code)}
    small = {char for char in undecomposed if not char.isascii() and char.casefold() == char}
    assert {char for char in small if fold_text(char).isascii() and fold_text(char)} <= client.keys()
