"""What a client sends as ``known``."""

from typing import Any

import msgspec

from chat_mvp.client.progress import Progress
from chat_mvp.limits import MAX_KNOWN
from chat_mvp.protocol import AnyServerFrame, Ready
from tests.unit.client.scripted import CONVERSATION, EPOCH, ack_of, message_new, more_of_ready, ready


def take(progress: Progress, *frames: dict[str, Any]) -> list[bool]:
    return [progress.take(msgspec.convert(frame, AnyServerFrame)) for frame in frames]


DRAINED = {"type": "drained", "count": 0}


def test_before_it_has_caught_up_it_knows_nothing() -> None:
    progress = Progress()
    take(progress, ready(**{CONVERSATION: 5}), message_new(4))
    assert (progress.known, progress.epoch) == (None, None)
    take(progress, DRAINED)
    assert (progress.known, progress.epoch) == ({CONVERSATION: 5}, EPOCH)


def test_then_the_highest_revision_counts() -> None:
    progress = Progress()
    take(progress, ready(**{CONVERSATION: 5}), DRAINED, message_new(6, rev=8), message_new(7, rev=7))
    assert progress.known == {CONVERSATION: 8}


def test_own_messages_count_too() -> None:
    progress = Progress()
    send = {"ref": "x", "client_message_id": "x"}
    take(progress, ready(), DRAINED, ack_of(send, seq=3))
    assert progress.known == {CONVERSATION: 3}


def test_catching_up_again_does_not_raise_it_before_the_end() -> None:
    progress = Progress()
    take(progress, ready(**{CONVERSATION: 5}), DRAINED)
    take(progress, ready(recovered=True, **{CONVERSATION: 9}), message_new(7))
    assert progress.known == {CONVERSATION: 5}
    take(progress, DRAINED)
    assert progress.known == {CONVERSATION: 9}


def test_after_a_reset_the_revision_of_the_reset_counts() -> None:
    progress = Progress()
    reset = {"type": "conversation.reset", "conversation_id": CONVERSATION, "rev": 12, "last_seq": 12}
    take(progress, ready(**{CONVERSATION: 11}), reset, DRAINED)
    assert progress.known == {CONVERSATION: 12}


def test_what_one_has_left_is_forgotten() -> None:
    progress = Progress()
    gone = {"type": "conversation.left", "conversation_id": CONVERSATION}
    take(progress, ready(**{CONVERSATION: 5}), DRAINED, gone)
    assert progress.known == {}


def test_another_history_makes_it_forget() -> None:
    progress = Progress()
    take(progress, ready(**{CONVERSATION: 5}), DRAINED, ready(recovered=False, **{CONVERSATION: 2}))
    assert progress.known is None


def test_a_repeated_message_is_recognised_and_a_changed_one_is_not() -> None:
    progress = Progress()
    take(progress, ready(**{CONVERSATION: 5}), DRAINED)
    assert take(progress, message_new(5), message_new(5, rev=6), message_new(5, rev=6)) == [True, False, True]


def numbered(count: int, *, rev: int = 1) -> dict[str, int]:
    return {f"{number:024x}": rev for number in range(count)}


def test_the_list_of_conversations_comes_in_pages() -> None:
    progress = Progress()
    take(progress, ready(**numbered(3)), more_of_ready(**{CONVERSATION: 7}))
    assert progress.known is None
    take(progress, DRAINED)
    assert progress.known == {**numbered(3), CONVERSATION: 7}


def test_of_too_many_conversations_the_most_recently_active_are_named() -> None:
    progress = Progress()
    listed = numbered(MAX_KNOWN + 300)
    take(progress, ready(**listed), DRAINED)
    named = progress.name()
    assert named == dict(list(listed.items())[:MAX_KNOWN]), "the server lists the most recently active ones first"
    take(progress, message_new(1))
    assert next(iter(progress.known or ())) == CONVERSATION
    assert len(progress.known or ()) == MAX_KNOWN


def test_what_changed_where_there_was_no_room_to_ask_is_found_in_the_list() -> None:
    progress = Progress()
    listed = numbered(MAX_KNOWN + 2)
    take(progress, ready(**listed), DRAINED)
    progress.name()
    *_, changed, _ = listed
    again = {**listed, changed: 9, CONVERSATION: 5, next(iter(listed)): 4}
    frame = msgspec.convert(ready(recovered=True, **again), Ready)
    progress.take(frame)
    found = [(reset.conversation_id, reset.rev) for reset in progress.resets(frame.conversations)]
    assert found == [(changed, 9)], "what was named is streamed, and what was not known is new"


def test_another_history_makes_no_resets() -> None:
    progress = Progress()
    take(progress, ready(**numbered(MAX_KNOWN + 2)), DRAINED)
    progress.name()
    frame = msgspec.convert(ready(recovered=False, **numbered(MAX_KNOWN + 2, rev=9)), Ready)
    progress.take(frame)
    assert progress.resets(frame.conversations) == []
