"""The ledger of the load generator: each broken promise is detected."""

from chat_mvp.bench.load.ledger import Ledger

SENDER, READER, OTHER = 0, 1, 2


def ledger_of(messages: int) -> Ledger:
    ledger = Ledger({SENDER: 0, READER: 0, OTHER: 0})
    for seq in range(1, messages + 1):
        deliver(ledger, seq)
    return ledger


def deliver(ledger: Ledger, seq: int) -> None:
    ledger.saw(READER, seq, f"m{seq}")
    ledger.saw_ack(SENDER, seq, f"m{seq}", duplicate=False)
    ledger.saw(OTHER, seq, f"m{seq}")


def test_nothing_is_wrong_when_everyone_got_everything_in_order() -> None:
    ledger = ledger_of(3)
    assert ledger.everyone_has_everything()
    assert (ledger.acked, ledger.last_seq, ledger.verdict()) == (3, 3, [])


def test_a_conversation_may_begin_in_the_middle() -> None:
    ledger = Ledger({SENDER: 41, READER: 41, OTHER: 41})
    deliver(ledger, 42)
    assert ledger.verdict() == []


def test_a_message_that_reached_no_one_else_is_missed() -> None:
    ledger = ledger_of(2)
    ledger.saw_ack(SENDER, 3, "m3", duplicate=False)
    ledger.saw(OTHER, 3, "m3")
    assert not ledger.everyone_has_everything()
    assert ledger.verdict() == ["member 1 got nothing after 2 of 3"]


def test_a_gap_is_detected_at_once() -> None:
    ledger = ledger_of(2)
    ledger.saw(READER, 4, "m4")
    assert ledger.problems == ["member 1 got number 4 after 2"]


def test_a_second_copy_is_noticed() -> None:
    ledger = ledger_of(2)
    ledger.saw(READER, 2, "m2")
    assert ledger.problems == ["member 1 got number 2 after 2"]


def test_two_messages_with_one_number_are_noticed() -> None:
    ledger = ledger_of(1)
    ledger.saw(READER, 2, "mine")
    ledger.saw(OTHER, 2, "theirs")
    assert ledger.problems == ["number 2 is mine for some and theirs for 2"]


def test_a_message_called_a_duplicate_is_noticed() -> None:
    ledger = Ledger({SENDER: 0})
    ledger.saw_ack(SENDER, 1, "m1", duplicate=True)
    assert ledger.problems == ["m1 was sent once and called a duplicate"]


def test_two_acknowledgements_are_noticed() -> None:
    ledger = ledger_of(1)
    ledger.saw_ack(SENDER, 1, "m1", duplicate=False)
    assert "number 1 was acknowledged twice" in ledger.problems


def test_a_delivered_message_that_was_never_acknowledged_is_noticed() -> None:
    ledger = ledger_of(1)
    for member in (SENDER, READER, OTHER):
        ledger.saw(member, 2, "m2")
    assert ledger.verdict() == ["m2 was delivered and never acknowledged to its sender"]
