"""Folding takes a time that grows with the length of a text, whatever is in it."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.storage.folding import MAX_MARKS_IN_A_ROW, fold_name, fold_text, stream_safe

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
