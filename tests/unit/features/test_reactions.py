"""Which reactions there are: one form of each emoji, and only so many of one message."""

import json
from types import SimpleNamespace
from typing import Any, cast

import emoji as emoji_list
import pytest

from chat_mvp.bench.messages import stored_message
from chat_mvp.delivery.batch import Batch
from chat_mvp.errors import ConflictError, ValidationError
from chat_mvp.features.messages.operations import React
from chat_mvp.features.messages.texts import checked_emoji, qualified_emoji
from chat_mvp.limits import MAX_REACTIONS_PER_MESSAGE
from chat_mvp.protocol import Message, Reaction
from tests.unit.delivery.conftest import Answer
from tests.unit.house.files import ROOT

PICKER_DATA = ROOT / "frontend/node_modules/emojibase-data/en/compact.json"
SELECTOR = "\ufe0f"


class OneMessage:
    """A batch in which one message stands, with these reactions; ``changed`` is what it becomes."""

    def __init__(self, reactions: dict[str, list[str]]) -> None:
        message = stored_message(
            id="m",
            conversation_id="c",
            reactions=[Reaction(emoji=emoji, count=len(ids), user_ids=ids) for emoji, ids in reactions.items()],
        )
        self.record = SimpleNamespace(message=message)
        conversation = SimpleNamespace(id="c", kind="group", post="members", visibility="public")
        member = SimpleNamespace(joined_seq=0, role="member")
        roster = SimpleNamespace(
            conversation=conversation, blocked=False, member=lambda _: member, shows=lambda *_: True
        )
        self.rosters = SimpleNamespace(get=lambda _: roster)
        self.changed: Message | None = None

    def message(self, _: str) -> Any:
        return self.record

    def change_message(self, _record: Any, changed: Message, _change: str, **_: Any) -> None:
        self.changed = changed

    def answer(self, _reply: Any, _result: Any) -> None:
        return None

    @property
    def reactions(self) -> dict[str, list[str]] | None:
        """What the reactions became; None when nothing changed."""
        if self.changed is None:
            return None
        return {reaction.emoji: reaction.user_ids for reaction in self.changed.reactions}


def thumbs(people: int) -> OneMessage:
    return OneMessage({"👍": [f"person {number}" for number in range(people)]})


def react(batch: OneMessage, emoji: str, *, present: bool = True) -> None:
    operation = React("m", "bob", emoji, present=present, reply=Answer())
    operation.apply(cast("Batch", batch))


@pytest.mark.parametrize("emoji", ["👍", "🎉"])
async def test_reactions_of_all_people_and_emojis_count_together(emoji: str) -> None:
    batch = thumbs(MAX_REACTIONS_PER_MESSAGE - 1)
    react(batch, emoji)
    assert batch.changed is not None
    with pytest.raises(ConflictError, match="at most 1,000 reactions"):
        react(thumbs(MAX_REACTIONS_PER_MESSAGE), emoji)


def picker_emoji() -> list[str]:
    """Return every emoji that the web client's picker is made of, and those with skin tones.

    The letters that flags are made of have no group and are not in the picker.
    """
    rows = json.loads(PICKER_DATA.read_text(encoding="utf-8"))
    return [one["unicode"] for row in rows if "group" in row for one in [row, *row.get("skins", [])]]


def test_every_emoji_of_the_picker_is_a_reaction() -> None:
    offered = picker_emoji()
    assert len(offered) > 3_900
    forms = {checked_emoji(one) for one in offered}
    assert len(forms) == len(offered), "two emoji of the picker are one reaction"
    for form in forms:
        about = emoji_list.EMOJI_DATA[form]
        parts = about["status"] == emoji_list.STATUS["component"]
        assert parts or about["status"] == emoji_list.STATUS["fully_qualified"], form


def test_every_form_of_an_emoji_is_one_reaction() -> None:
    for listed in emoji_list.EMOJI_DATA:
        form = checked_emoji(listed)
        bare = form.replace(SELECTOR, "")
        everywhere = "".join(char + SELECTOR for char in bare)
        assert {checked_emoji(other) for other in (form, bare, bare + SELECTOR, everywhere)} == {form}
        assert qualified_emoji(listed) == form


@pytest.mark.parametrize(
    ("sent", "form"),
    [
        ("\u2764", "\u2764\ufe0f"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\U0001f44d\ufe0f", "\U0001f44d"),
        ("\u2705\ufe0f", "\u2705"),
        ("1\u20e3", "1\ufe0f\u20e3"),
        ("\U0001f3f3\u200d\U0001f308", "\U0001f3f3\ufe0f\u200d\U0001f308"),
        ("\u261d\ufe0f\U0001f3fd", "\u261d\U0001f3fd"),
    ],
)
def test_the_form_is_the_fully_qualified_one(sent: str, form: str) -> None:
    assert checked_emoji(sent) == form


@pytest.mark.parametrize("text", ["", SELECTOR, "1", "1" + SELECTOR, "\u2764\ufe0e", "👍👍", "👍 ", "a", "\u200d"])
def test_what_is_no_emoji_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        checked_emoji(text)


def test_a_stored_emoji_that_is_not_in_the_list_stays() -> None:
    assert qualified_emoji("\U0001faff\ufe0f?") == "\U0001faff\ufe0f?"


async def test_reactions_stored_in_two_forms_come_together() -> None:
    stored = {"\u2764": ["ann", "cay"], "🎉": ["ann"], "\u2764\ufe0f": ["cay", "dan"]}
    added = OneMessage(stored)
    react(added, "\u2764\ufe0f")
    assert added.reactions == {"\u2764\ufe0f": ["ann", "cay", "dan", "bob"], "🎉": ["ann"]}

    both = OneMessage({"\u2764": ["bob"], "\u2764\ufe0f": ["bob", "ann"]})
    react(both, "\u2764\ufe0f")
    assert both.reactions is None, "the reaction is there"
    react(both, "\u2764\ufe0f", present=False)
    assert both.reactions == {"\u2764\ufe0f": ["ann"]}
