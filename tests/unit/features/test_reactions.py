"""A message has only so many reactions."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chat_mvp.delivery.batch import Batch
from chat_mvp.errors import ConflictError
from chat_mvp.features.messages.operations import React
from chat_mvp.limits import MAX_REACTIONS_PER_MESSAGE
from chat_mvp.protocol import Message, Reaction
from tests.unit.delivery.conftest import Answer


class OneMessage:
    """A batch in which one message stands, with reactions by this many people; ``changed`` is what it becomes."""

    def __init__(self, people: int) -> None:
        user_ids = [f"person {number}" for number in range(people)]
        message = Message(
            id="m",
            conversation_id="c",
            seq=1,
            rev=1,
            sender_id="ann",
            client_message_id="x",
            kind="text",
            text="hello",
            priority="normal",
            attachments=[],
            reply_to=None,
            thread_root=None,
            thread=None,
            mentions=[],
            reactions=[Reaction(emoji="👍", count=people, user_ids=user_ids)],
            pinned=False,
            created_at="",
            edited_at=None,
            deleted_at=None,
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

    def change_message(self, _record: Any, changed: Message, _frame: Any, **_: Any) -> None:
        self.changed = changed

    def after_commit(self, _effect: Any) -> None:
        return None


def react(batch: OneMessage, emoji: str) -> None:
    operation = React("m", "bob", emoji, present=True, reply=Answer())
    operation.apply(cast("Batch", batch))


@pytest.mark.parametrize("emoji", ["👍", "🎉"])
async def test_reactions_of_all_people_and_emojis_count_together(emoji: str) -> None:
    batch = OneMessage(MAX_REACTIONS_PER_MESSAGE - 1)
    react(batch, emoji)
    assert batch.changed is not None
    with pytest.raises(ConflictError, match="at most 1,000 reactions"):
        react(OneMessage(MAX_REACTIONS_PER_MESSAGE), emoji)
