"""What a client says it knows."""

from typing import Any

import msgspec

from chat_mvp.client.progress import Progress
from chat_mvp.protocol import AnyServerFrame
from tests.unit.client.scripted import CONVERSATION, EPOCH, ack_of, message_new, ready


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
