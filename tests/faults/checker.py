"""Compares what was acknowledged with what is stored and what every device holds. Each check returns complaints.

The checks know the contract (docs/protocol.md) and nothing of the server. They are pure, so that bad histories can be
made up to show that each of them fails when it should.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.faults.memberships import check_frames, check_moves, check_views
from tests.faults.observations import Ack, Change, Connection, MessageState, Observations

NEW = "message.new"


def check(run: Observations) -> list[str]:
    """Return one sentence for each breach of the contract."""
    checks = (
        *(check_sequences, check_acks, check_duplicates, check_contents, check_changes, check_revisions),
        *(check_moves, check_views, check_copies, check_frames, check_order, check_receipts, check_queues),
    )
    return [*run.faults_seen, *(complaint for each in checks for complaint in each(run))]


def check_sequences(run: Observations) -> Iterator[str]:
    """``seq`` counts 1, 2, 3 … without a gap, and nothing is stored twice."""
    for conversation_id, stored in run.stored.items():
        seqs = [message["seq"] for message in stored.messages]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"conversation {conversation_id}: seq is not 1 … {len(seqs)} but {_breaks(seqs)}"
        if stored.last_seq != len(seqs):
            yield f"conversation {conversation_id}: last_seq is {stored.last_seq} with {len(seqs)} messages"
    keys = Counter(
        (message["sender_id"], message["client_message_id"])
        for stored in run.stored.values()
        for message in stored.messages
    )
    yield from (f"stored {times} times: {key}" for key, times in keys.items() if times > 1)


def check_acks(run: Observations) -> Iterator[str]:
    """What was acknowledged is stored, under the ids and at the place that the ack named."""
    messages = _by_key(run)
    for ack in run.acks:
        message = messages.get((ack.sender, ack.client_message_id))
        if message is None:
            yield f"acknowledged and not stored: {ack}"
        elif _place(message) != (ack.message_id, ack.conversation_id, ack.seq):
            yield f"acknowledged as {ack}, stored as {_place(message)}"


def check_duplicates(run: Observations) -> Iterator[str]:
    """An ack says ``duplicate`` for every time but one, and never for what was sent once only."""
    by_key: dict[tuple[str, str], list[Ack]] = defaultdict(list)
    for ack in run.acks:
        by_key[ack.sender, ack.client_message_id].append(ack)
    for key, acks in by_key.items():
        if sum(not ack.duplicate for ack in acks) > 1:
            yield f"acknowledged as new more than once: {acks}"
        if run.attempts[key].transmissions == 1 and any(ack.duplicate for ack in acks):
            yield f"sent once and called a duplicate: {acks}"


def check_contents(run: Observations) -> Iterator[str]:
    """Every stored message was sent, and has the text that was sent unless a person changed it."""
    changed = {change.message_id for change in run.changes if change.kind in {"edit", "delete"}}
    for key, message in _by_key(run).items():
        attempt = run.attempts.get(key)
        if attempt is None:
            yield f"stored and never sent: {message}"
        elif attempt.conversation_id != message["conversation_id"]:
            yield f"sent to {attempt.conversation_id}, stored in {message['conversation_id']}: {message['id']}"
        elif message["id"] not in changed and message["text"] != attempt.text:
            yield f"sent {attempt.text!r}, stored {message['text']!r}: {message['id']}"


def check_changes(run: Observations) -> Iterator[str]:
    """Each message is what the confirmed changes made of it; those without an answer may have happened or not."""
    by_message: dict[str, list[Change]] = defaultdict(list)
    for change in run.changes:
        if change.outcome != "refused":
            by_message[change.message_id].append(change)
    for key, message in _by_key(run).items():
        attempt = run.attempts.get(key)
        if attempt is None:
            continue
        changes = by_message[message["id"]]
        deletions = [change for change in changes if change.kind == "delete"]
        if message["deleted_at"] is None and any(change.outcome == "done" for change in deletions):
            yield f"deletion confirmed and lost: {message['id']}"
        if message["deleted_at"] is not None:
            if not deletions:
                yield f"deleted without a request: {message['id']}"
            continue
        texts = _allowed([change for change in changes if change.kind == "edit"], attempt.text)
        if message["text"] not in texts:
            yield f"message {message['id']} says {message['text']!r}, expected one of {sorted(texts)}"
        yield from _check_reactions(message, changes)


def check_revisions(run: Observations) -> Iterator[str]:
    """``rev`` names one change of a conversation each; the conversation's is the highest; seen states agree."""
    for conversation_id, stored in run.stored.items():
        revs = [message["rev"] for message in stored.messages]
        yield from (
            f"conversation {conversation_id}: {n} messages have rev {rev}" for rev, n in Counter(revs).items() if n > 1
        )
        if max(revs, default=0) != stored.rev:
            yield f"conversation {conversation_id}: its rev is {stored.rev}, the highest of a message {max(revs)}"
    final = {message["id"]: message["rev"] for stored in run.stored.values() for message in stored.messages}
    for message_id, rev in run.states:
        if rev > final.get(message_id, 0):
            yield f"rev {rev} of message {message_id} was sent and is not stored"


def check_copies(run: Observations) -> Iterator[str]:
    """Every device of every member holds exactly what a fresh fetch shows them, and nothing of other conversations."""
    for device, (person, copies) in run.copies.items():
        for conversation_id in copies:
            if (person, conversation_id) not in run.views:
                yield f"{device} holds conversation {conversation_id}, of which {person} is no member"
        for (viewer, conversation_id), view in run.views.items():
            if viewer != person:
                continue
            held = copies.get(conversation_id, {})
            fresh = {message["id"]: message for message in view.messages}
            wrong = [key for key in fresh.keys() | held.keys() if held.get(key) != fresh.get(key)]
            if wrong:
                first = min(wrong)
                yield (
                    f"{device} differs in {len(wrong)} messages of conversation {conversation_id}; "
                    f"held {held.get(first)}, fresh {fresh.get(first)}"
                )


def check_order(run: Observations) -> Iterator[str]:
    """On each connection new messages come by ascending ``seq``, and live frames by ascending ``rev``."""
    for connection in run.connections:
        yield from _check_order(connection)


def check_receipts(run: Observations) -> Iterator[str]:
    """Marks only grow."""
    for connection in run.connections:
        highest: dict[tuple[str, str], tuple[int, int]] = {}
        for conversation_id, user_id, delivered, read in connection.receipts:
            before = highest.get((conversation_id, user_id), (0, 0))
            if delivered < before[0] or read < before[1] or read > delivered:
                yield f"{connection.device}: marks of {user_id} went from {before} to {(delivered, read)}"
            highest[conversation_id, user_id] = (delivered, read)


def check_queues(run: Observations) -> Iterator[str]:
    """What was confirmed has left the queue."""
    yield from (f"{n} messages still wait for {person}" for person, n in run.queued.items() if n)


def _check_order(connection: Connection) -> Iterator[str]:
    last_seq: dict[str, int] = {}
    last_rev: dict[str, int] = {}
    for seen in connection.seen:
        if seen.repeats or not seen.message_id:
            continue
        where = seen.conversation_id
        if seen.type == NEW:
            if seen.seq <= last_seq.get(where, 0):
                when = "live" if seen.live else "while catching up"
                yield f"{connection.device}: seq {seen.seq} of {where} came after {last_seq[where]}, {when}"
            last_seq[where] = seen.seq
        if seen.live:
            if seen.rev <= last_rev.get(where, 0):
                yield f"{connection.device}: {seen.type} with rev {seen.rev} of {where} came after {last_rev[where]}"
            last_rev[where] = seen.rev


def _check_reactions(message: MessageState, changes: list[Change]) -> Iterator[str]:
    shown = {(user_id, reaction["emoji"]) for reaction in message["reactions"] for user_id in reaction["user_ids"]}
    asked: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind in {"add", "remove"}:
            asked[change.person, change.value].append(change)
    for key in shown - asked.keys():
        yield f"message {message['id']} has a reaction that was not requested: {key}"
    for key, of_one in asked.items():
        kinds = [Change(**{**_fields(change), "value": change.kind}) for change in of_one]
        if ("add" if key in shown else "remove") not in _allowed(kinds, "remove"):
            yield f"message {message['id']}: reaction {key} is {'there' if key in shown else 'gone'} after {of_one}"


def _allowed(changes: list[Change], original: str) -> set[str]:
    """Return the values that may stand in the end: the last confirmed one, or any without an answer."""
    done = [change for change in changes if change.outcome == "done"]
    last = max(done, key=lambda change: change.rev).value if done else original
    return {last} | {change.value for change in changes if change.outcome == "unknown"}


def _fields(change: Change) -> dict[str, object]:
    return {name: getattr(change, name) for name in change.__struct_fields__}


def _by_key(run: Observations) -> dict[tuple[str, str], MessageState]:
    """Return the stored text messages by sender and ``client_message_id``."""
    return {
        (message["sender_id"], message["client_message_id"]): message
        for stored in run.stored.values()
        for message in stored.messages
        if message["kind"] == "text"
    }


def _place(message: MessageState) -> tuple[str, str, int]:
    return message["id"], message["conversation_id"], message["seq"]


def _breaks(seqs: list[int]) -> str:
    found = [f"{a} then {b}" for a, b in pairwise([0, *seqs]) if b != a + 1]
    return ", ".join(found[:5])
