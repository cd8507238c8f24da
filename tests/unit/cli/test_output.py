"""Texts of other users must not control the terminal."""

import pytest

from chat_mvp.cli.output import complain, print_table, printable


@pytest.mark.parametrize("text", ["plain", "two\nlines\tand a tab", "emoji 👩‍👩‍👧", "שלום", "e\u0301"])
def test_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\r", "\x7f", "\x9b", "\u202e"])
def test_what_terminals_obey_is_replaced(sign: str) -> None:
    assert printable(f"a{sign}[31mb") == "a\N{REPLACEMENT CHARACTER}[31mb"


def test_isolates_of_names_are_left_out() -> None:
    assert printable("\u2068Ada\u2069 added \u2066Bob\u2069") == "Ada added Bob"


def test_without_a_terminal_a_table_is_lines_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Value"), [("one", "[red]1[/red]"), ("two", "2")])
    assert capsys.readouterr().out == "one\t[red]1[/red]\ntwo\t2\n"


def test_a_complaint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("this\nand  that")
    assert capsys.readouterr().err == "chat-mvp: this and that\n"
