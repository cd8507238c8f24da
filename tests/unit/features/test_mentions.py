"""Which names a text mentions. The web client is tested with the same table (``mentions.test.tsx``)."""

import json
import random
import time
from typing import Any

import pytest

from chat_mvp.features.messages.mentions import mentioned_names
from chat_mvp.limits import MAX_MENTIONS, MAX_TEXT_CHARS
from tests.unit.house.files import ROOT

EXAMPLES: list[dict[str, Any]] = json.loads((ROOT / "tests/mentions.json").read_text(encoding="utf-8"))

MAY_TAKE_S = 0.5
"""Far above what linear work takes (some 10 ms), far below what quadratic work does."""

PIECES = (
    *"@`~*_[]()<>\\\"'#-+=.:/|! \t\n\u00a0",
    *("``", "```", "```\n", "~~~\n", "` ``", "`a", "\\`", "``` a`\n", "```a"),
    *(
        "> ",
        ">",
        "> >\n",
        "- ",
        "1. ",
        "- a\n",
        "-\n=\n",
        "    a\n",
        "- - - a\n",
        "* * ",
        "# a\n",
        "> ```\n",
        "- ```\n",
    ),
    *("@aaa", "@aaa ", "@aa", "_@aaa_", "__@", "\\_", "_\\", "a_@", "@a.", "@aaa\n\n"),
    *("http://", "http", "http://a ", "www.", "www", "a.", "a.b/", "a-", "a.b", "<a:", "<a:b", "git+ssh", "x://@"),
    *("](", "[](", "](a ", '](a "', "](a '", "](a (", "](<", "](a(", "](()", "](a(b)", "[a](b", "]( ", "[a](b 'c"),
)


def bare_names(text: str) -> list[str]:
    """Return the names without what may end a sentence."""
    return list(dict.fromkeys(name.rstrip(".-_") for name in mentioned_names(text)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: repr(example["text"]))
def test_examples(example: dict[str, Any]) -> None:
    assert bare_names(example["text"]) == example["mentions"]


def test_a_sign_at_the_end_may_belong_to_the_name() -> None:
    assert mentioned_names("@bob._") == ["bob._", "bob"]
    assert mentioned_names("@bo.") == ["bo."]


def test_only_so_many_mentions_count() -> None:
    text = "\n\n".join(f"@person{number} @other{number}" for number in range(MAX_MENTIONS))
    names = mentioned_names(text)
    assert len(names) == MAX_MENTIONS
    assert names[-1] == f"other{MAX_MENTIONS // 2 - 1}"


def hostile_texts() -> list[str]:
    """Return texts of full length that make a careless parser slow."""
    texts = [(piece * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS] for piece in PIECES]
    texts += [(piece * MAX_TEXT_CHARS)[: MAX_TEXT_CHARS - 6] + "\n`@bob" for piece in PIECES]
    texts += [(piece * MAX_TEXT_CHARS)[: MAX_TEXT_CHARS // 2] + "\n" * (MAX_TEXT_CHARS // 2) for piece in PIECES]
    texts += [("- " * 40 + "a\n" + piece * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS] for piece in PIECES]
    texts.append(" ".join("`" * length for length in range(1, 140)))
    dice = random.Random(7)
    for _ in range(100):
        some = dice.sample(PIECES, 4)
        texts.append(
            "".join(dice.choice(some) * dice.choice((1, 1, 2, 500)) for _ in range(MAX_TEXT_CHARS))[:MAX_TEXT_CHARS]
        )
    return texts


def test_no_text_takes_long() -> None:
    for text in hostile_texts():
        # One fast run of three is enough: the machine may be busy with other things.
        assert any(seconds_for(text) < MAY_TAKE_S for _ in range(3)), text[:60]


def seconds_for(text: str) -> float:
    """Return how long the processor takes for the mentions of one text."""
    begun = time.process_time()
    # Behind a character that ends any name, so that every part of the text is looked at.
    mentioned_names(text + " @")
    return time.process_time() - begun
