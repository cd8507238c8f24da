"""What is refused on a full disk, and what still works: every operation of the writer declares it."""

import inspect
from types import ModuleType
from typing import Any

import pytest

from chat_mvp.features.conversations import operations as of_conversations
from chat_mvp.features.messages import operations as of_messages
from chat_mvp.features.messages import sync as of_sync
from tests.unit.delivery.conftest import Answer, user

GOES_ON = {"DeleteMessage", "Pin", "RaiseMarks", "ShowMarks", "RemoveMember", "LeaveDirect", "DeleteConversation"} | {
    "AskMoment"
}
ADDS = {"SendMessage", "EditMessage", "OpenDirect", "MakeConversation", "AddMember", "ChangeRole", "ChangeConversation"}


def operations(module: ModuleType) -> dict[str, type]:
    found = inspect.getmembers(module, inspect.isclass)
    return {
        name: it
        for name, it in found
        if it.__module__ == module.__name__ and "apply" in vars(it) and not inspect.isabstract(it)
    }


ALL = operations(of_conversations) | operations(of_messages) | operations(of_sync)


def test_every_operation_is_one_or_the_other() -> None:
    assert ALL.keys() == GOES_ON | ADDS | {"React", "ChangeOwnSettings"}


@pytest.mark.parametrize("name", sorted(GOES_ON | ADDS))
def test_it_says_which(name: str) -> None:
    assert ALL[name].adds_data is (name in ADDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("present", [True, False])
async def test_a_reaction_is_new_and_taking_it_back_is_not(present: bool) -> None:
    reaction = of_messages.React("m", "u", "👍", present=present, reply=Answer())
    assert reaction.adds_data is present


@pytest.mark.parametrize(
    ("changes", "adds"), [({"draft": "hello"}, True), ({"draft": ""}, False), ({"pinned": True}, False)]
)
async def test_a_draft_is_new_and_other_settings_are_not(changes: dict[str, Any], adds: bool) -> None:
    operation = of_conversations.ChangeOwnSettings("c", user("u"), changes, reply=Answer())
    assert operation.adds_data is adds
