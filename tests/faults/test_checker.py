"""Each check fails when it should: one correct history, damaged in one way at a time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.faults.checker import check
from tests.faults.model import PlainChat
from tests.faults.observations import Change, Move, Observations, Seen


def history() -> Observations:
    """Two people with three devices in one room, a third who is in another, a fourth who comes and goes; one of all."""
    chat = PlainChat({"room": frozenset({"ann", "bob", "dan"}), "else": frozenset({"cyd"})})
    for name, person in {"ann-1": "ann", "ann-2": "ann", "bob-1": "bob", "cyd-1": "cyd", "dan-1": "dan"}.items():
        chat.add_device(name, person)
        chat.connect(name)
    for number in range(1, 6):
        chat.send("ann-1", "room", f"name {number}", f"text {number}", answer_lost=False)
    chat.disconnect("bob-1")
    chat.send("ann-1", "room", "name 5", "text 5", answer_lost=False)
    chat.send("cyd-1", "else", "name 1", "to myself", answer_lost=False)
    chat.edit("ann-2", "message 2", "another text", answer_lost=False)
    chat.delete("ann-2", "message 3", answer_lost=False)
    chat.connect("bob-1")
    chat.react("bob-1", "message 1", "👍", present=True, answer_lost=False)
    chat.send("bob-1", "room", "name 1", "an answer", answer_lost=False)
    chat.remove_member("ann", "room", "dan", answer_lost=False)
    chat.send("dan-1", "room", "name 1", "too late", answer_lost=False)
    chat.send("ann-1", "room", "name 6", "without dan", answer_lost=False)
    chat.add_member("ann", "room", "dan", answer_lost=False)
    chat.send("ann-1", "room", "name 7", "with dan again", answer_lost=False)
    run = chat.finish()
    run.connections[0].receipts += [("room", "bob", 3, 0), ("room", "bob", 5, 5)]
    return run


def messages(run: Observations) -> list[dict[str, Any]]:
    return run.stored["room"].messages


def lose_message(run: Observations) -> None:
    del messages(run)[-1]
    run.stored["room"].last_seq -= 1
    run.stored["room"].rev -= 1


def lose_message_in_the_middle(run: Observations) -> None:
    del messages(run)[3]


def store_twice(run: Observations) -> None:
    last = messages(run)[-1]
    messages(run).append({**last, "id": "copy", "seq": last["seq"] + 1, "rev": last["rev"] + 1})
    run.stored["room"].last_seq += 1
    run.stored["room"].rev += 1


def swap_places(run: Observations) -> None:
    first, second = messages(run)[:2]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    messages(run)[:2] = [second, first]


def store_what_nobody_sent(run: Observations) -> None:
    del run.attempts["bob", "name 1"]
    run.acks = [ack for ack in run.acks if ack.sender != "bob"]


def store_another_text(run: Observations) -> None:
    messages(run)[0]["text"] = "not what was sent"


def store_elsewhere(run: Observations) -> None:
    run.attempts["ann", "name 1"].conversation_id = "else"


def acknowledge_twice_as_new(run: Observations) -> None:
    run.acks = [msgspec.structs.replace(ack, duplicate=False) for ack in run.acks]


def call_the_first_a_duplicate(run: Observations) -> None:
    run.acks[0] = msgspec.structs.replace(run.acks[0], duplicate=True)


def lose_edit(run: Observations) -> None:
    messages(run)[1]["text"] = "text 2"


def lose_deletion(run: Observations) -> None:
    messages(run)[2].update(deleted_at=None, text="text 3")


def delete_unasked(run: Observations) -> None:
    messages(run)[0].update(deleted_at="now", text="", reactions=[])


def lose_reaction(run: Observations) -> None:
    messages(run)[0]["reactions"] = []


def invent_reaction(run: Observations) -> None:
    messages(run)[4]["reactions"] = [{"emoji": "👍", "user_ids": ["ann"]}]


def undo_what_was_refused(run: Observations) -> None:
    run.changes.append(Change("ann", "message 1", "edit", "refused text", outcome="refused"))
    messages(run)[0]["text"] = "refused text"


def repeat_revision(run: Observations) -> None:
    messages(run)[4]["rev"] = messages(run)[3]["rev"]


def forget_revisions(run: Observations) -> None:
    run.stored["room"].rev += 1


def tell_what_is_not_stored(run: Observations) -> None:
    run.states["message 5", 1_000] = {}


def tell_two_states(run: Observations) -> None:
    run.note_state({**messages(run)[0], "text": "two truths"})


def lose_on_device(run: Observations) -> None:
    del run.copies["bob-1"][1]["room"]["message 2"]


def keep_old_state(run: Observations) -> None:
    run.copies["ann-1"][1]["room"]["message 2"]["text"] = "text 2"


def keep_what_is_not_stored(run: Observations) -> None:
    run.copies["ann-1"][1]["room"]["ghost"] = {"id": "ghost"}


def tell_a_stranger(run: Observations) -> None:
    of_cyd = next(connection for connection in run.connections if connection.person == "cyd")
    of_cyd.seen.append(Seen("message.new", "room", "message 1", 1, 1, live=True, repeats=False))


def give_a_stranger_a_copy(run: Observations) -> None:
    run.copies["cyd-1"][1]["room"] = {}


def turn_new_messages_round(run: Observations) -> None:
    seen = run.connections[1].seen
    seen[0], seen[1] = seen[1], seen[0]


def turn_revisions_round(run: Observations) -> None:
    seen = run.connections[1].seen
    seen[-1], seen[-2] = seen[-2], seen[-1]


def repeat_new_message(run: Observations) -> None:
    run.connections[1].seen.insert(1, run.connections[1].seen[0])


def lower_marks(run: Observations) -> None:
    run.connections[0].receipts.reverse()


def read_what_was_not_delivered(run: Observations) -> None:
    run.connections[0].receipts.append(("room", "bob", 5, 6))


def leave_in_queue(run: Observations) -> None:
    run.queued["bob"] = 1


def tell_who_has_left(run: Observations) -> None:
    of_dan = next(connection for connection in run.connections if connection.person == "dan")
    gone = next(message for message in messages(run) if message["text"] == "without dan")
    of_dan.seen.append(Seen("message.new", "room", gone["id"], gone["seq"], gone["rev"], live=True, repeats=False))


def tell_before_letting_in(run: Observations) -> None:
    of_dan = next(connection for connection in run.connections if connection.person == "dan")
    of_dan.seen = [seen for seen in of_dan.seen if seen.type != "conversation.joined"]


def tell_a_mark_raised_since(run: Observations) -> None:
    of_dan = next(connection for connection in run.connections if connection.person == "dan")
    run.stored["room"].members -= {"dan"}
    del messages(run)[-2:]
    of_dan.seen.append(Seen("receipt", "room", "", messages(run)[-1]["seq"], 0, live=True, repeats=False))


def show_what_was_before(run: Observations) -> None:
    run.views["dan", "room"].messages.insert(0, messages(run)[0])


def show_a_stranger(run: Observations) -> None:
    run.views["cyd", "room"] = run.views["ann", "room"]


def show_a_member_nothing(run: Observations) -> None:
    del run.views["bob", "room"]


def show_from_the_beginning(run: Observations) -> None:
    run.views["dan", "room"].joined_seq = 0


def lose_confirmed_removal(run: Observations) -> None:
    run.moves.append(Move("ann", "dan", "room", "remove", transmissions=1, outcome="done"))


def lose_confirmed_addition(run: Observations) -> None:
    run.moves.append(Move("ann", "dan", "room", "add", transmissions=1, outcome="done", joined_at="never"))


def remove_unasked(run: Observations) -> None:
    run.moves = [move for move in run.moves if move.kind != "remove"]


def remove_twice(run: Observations) -> None:
    run.moves[0].transmissions = 2
    removal = next(message for message in messages(run) if message["text"] == "\u2068ann\u2069 removed \u2068dan\u2069")
    messages(run).append({**removal, "id": "again", "client_message_id": "again"})
    messages(run).append({**removal, "id": "and again", "client_message_id": "and again"})


def keep_a_member(run: Observations) -> None:
    run.stored["room"].members |= {"cyd"}


def turn_a_member_away(run: Observations) -> None:
    run.strangers.append(("ann", "room"))


def refuse_what_is_stored(run: Observations) -> None:
    run.attempts["ann", "name 2"].refused = True


SPOILERS: dict[Callable[[Observations], None], str] = {
    lose_message: "acknowledged and not stored",
    lose_message_in_the_middle: "seq is not",
    store_twice: "stored 2 times",
    swap_places: "acknowledged as",
    store_what_nobody_sent: "stored and never sent",
    store_another_text: "sent 'text 1', stored 'not what was sent'",
    store_elsewhere: "stored in room",
    acknowledge_twice_as_new: "acknowledged as new more than once",
    call_the_first_a_duplicate: "sent once and called a duplicate",
    lose_edit: "says 'text 2', expected one of ['another text']",
    lose_deletion: "deletion confirmed and lost",
    delete_unasked: "deleted without a request",
    lose_reaction: "is gone after",
    invent_reaction: "a reaction that was not requested",
    undo_what_was_refused: "says 'refused text'",
    repeat_revision: "2 messages have rev",
    forget_revisions: "the highest of a message",
    tell_what_is_not_stored: "was sent and is not stored",
    tell_two_states: "two states of message",
    lose_on_device: "bob-1 differs in 1 messages",
    keep_old_state: "ann-1 differs in 1 messages",
    keep_what_is_not_stored: "ann-1 differs in 1 messages",
    tell_a_stranger: "without ever being a member",
    give_a_stranger_a_copy: "is no member",
    turn_new_messages_round: "came after",
    turn_revisions_round: "with rev",
    repeat_new_message: "came after",
    lower_marks: "marks of bob went from",
    read_what_was_not_delivered: "marks of bob went from",
    tell_who_has_left: "a frame of a time when they were not a member",
    tell_before_letting_in: "outside of its memberships",
    tell_a_mark_raised_since: "a frame of a time when they were not a member",
    show_what_was_before: "is shown another conversation",
    show_a_stranger: "is no member of it",
    show_a_member_nothing: "is not shown it",
    show_from_the_beginning: "sees room from behind 0 on",
    lose_confirmed_removal: "confirmed 2 times, happened 1 times",
    lose_confirmed_addition: "added and acknowledged",
    remove_unasked: "happened 1 times, asked 0 times",
    remove_twice: "of a person who was out",
    keep_a_member: "its messages tell",
    turn_a_member_away: "was called a stranger",
    refuse_what_is_stored: "refused and stored all the same",
    leave_in_queue: "1 messages still wait for bob",
}


def test_faultless_history_passes() -> None:
    assert check(history()) == []


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_spoilt_history_fails(spoil: Callable[[Observations], None]) -> None:
    run = history()
    spoil(run)
    complaints = check(run)
    assert any(SPOILERS[spoil] in complaint for complaint in complaints), complaints


def test_unknown_outcomes_may_be_either() -> None:
    run = history()
    run.changes += [Change("ann", "message 1", "edit", "perhaps"), Change("bob", "message 5", "add", "🎉")]
    assert check(run) == []
    messages(run)[0]["text"] = "perhaps"
    messages(run)[4]["reactions"] = [{"emoji": "🎉", "user_ids": ["bob"]}]
    for (person, conversation_id), view in run.views.items():
        if conversation_id == "room":
            view.messages = [message for message in messages(run) if message["seq"] > view.joined_seq]
            for owner, copies in run.copies.values():
                if owner == person:
                    copies["room"] = {message["id"]: message for message in view.messages}
    assert check(run) == []
