"""Checks of who was a member of which conversation when, and of what they got.

System messages show it: for each member who was added or removed, one of them has a ``seq`` among the others. So
the history is the evidence, also for changes whose answer was lost.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import Struct

from tests.faults.observations import Ack, Connection, MessageState, Observations, Seen

ADD, REMOVE, LEAVE = "add", "remove", "leave"
LEFT, JOINED, RECEIPT, ACK = "conversation.left", "conversation.joined", "receipt", "message.ack"


def _name(role: str) -> str:
    """Return the pattern of a name in a system message, which stands between direction isolates."""
    return rf"\u2068(?P<{role}>\S+)\u2069"


_TEXTS = {
    ADD: re.compile(rf"{_name('actor')} added {_name('person')}"),
    REMOVE: re.compile(rf"{_name('actor')} removed {_name('person')}"),
    LEAVE: re.compile(r"\u2068(?P<actor>(?P<person>\S+))\u2069 left"),
}


class Witness(Struct, frozen=True):
    """A system message about a member who was added or removed."""

    kind: str
    actor: str
    person: str
    seq: int
    rev: int
    at: str


class Period(Struct):
    """A time in which a person was a member, from the first ``seq`` and ``rev`` to before the last."""

    first_seq: int
    first_rev: int
    at: str
    end_seq: int | None = None
    end_rev: int | None = None

    def has_rev(self, rev: int) -> bool:
        """Tell whether what happened at this revision happened within."""
        return self.first_rev <= rev and (self.end_rev is None or rev < self.end_rev)


Periods = dict[tuple[str, str], list[Period]]
"""By person and conversation, in order."""


def witnesses(run: Observations, conversation_id: str) -> list[Witness]:
    """Return everything that the history of a conversation tells of people who came and went, in order."""
    found: list[Witness] = []
    for message in run.stored[conversation_id].messages:
        if message["kind"] == "system":
            found += _read(run, message)
    return found


def periods(run: Observations) -> Periods:
    """Return who was where when."""
    result: Periods = {}
    for conversation_id in run.stored:
        for person in run.founders.get(conversation_id, ()):
            result[person, conversation_id] = [Period(1, 1, run.founded_at.get(conversation_id, ""))]
        for it in witnesses(run, conversation_id):
            own = result.setdefault((it.person, conversation_id), [])
            if it.kind == ADD:
                own.append(Period(it.seq, it.rev, it.at))
            elif own:
                own[-1].end_seq, own[-1].end_rev = it.seq, it.rev
    return result


def check_moves(run: Observations) -> Iterator[str]:
    """Each join and each removal was requested, in order, once; what was acknowledged has happened."""
    was_in = periods(run)
    asked: Counter[tuple[str, str, str, str]] = Counter()
    confirmed: Counter[tuple[str, str, str, str]] = Counter()
    for move in run.moves:
        key = (move.conversation_id, move.kind, move.actor, move.person)
        asked[key] += move.transmissions
        if move.kind != ADD:
            confirmed[key] += move.outcome == "done"
        elif move.outcome == "done" and not _began_at(was_in, move.person, move.conversation_id, move.joined_at):
            yield f"added and acknowledged, and not in since {move.joined_at}: {move}"
    happened: Counter[tuple[str, str, str, str]] = Counter()
    for conversation_id in run.stored:
        inside = set(run.founders.get(conversation_id, ()))
        for it in witnesses(run, conversation_id):
            happened[conversation_id, it.kind, it.actor, it.person] += 1
            if (it.kind == ADD) == (it.person in inside):
                yield f"conversation {conversation_id}: {it} of a person who was {'in' if it.kind == ADD else 'out'}"
            inside ^= {it.person}
        if inside != run.stored[conversation_id].members:
            members = sorted(run.stored[conversation_id].members)
            yield f"conversation {conversation_id}: members are {members}, its messages tell {sorted(inside)}"
    yield from (f"happened {n} times, asked {asked[key]} times: {key}" for key, n in happened.items() if n > asked[key])
    yield from (
        f"confirmed {n} times, happened {happened[key]} times: {key}"
        for key, n in confirmed.items()
        if n > happened[key]
    )


def check_views(run: Observations) -> Iterator[str]:
    """Each member gets the messages since they joined, others nothing; no member gets ``not_found``."""
    was_in = periods(run)
    for conversation_id, stored in run.stored.items():
        for person in stored.members:
            view = run.views.get((person, conversation_id))
            own = was_in.get((person, conversation_id))
            if view is None or not own:
                yield f"{person} is a member of {conversation_id} and is not shown it"
                continue
            if view.joined_seq != own[-1].first_seq - 1:
                yield f"{person} sees {conversation_id} from behind {view.joined_seq} on, came at {own[-1].first_seq}"
            expected = [message for message in stored.messages if message["seq"] >= own[-1].first_seq]
            if (view.rev, view.messages) != (stored.rev, expected):
                yield f"{person} is shown another conversation {conversation_id} than those who were always in it"
    for person, conversation_id in run.views:
        if person not in run.stored[conversation_id].members:
            yield f"{person} is shown conversation {conversation_id} and is no member of it"
    for person, conversation_id in set(run.strangers):
        own = was_in.get((person, conversation_id), [])
        if own and own[0].first_seq == 1 and own[0].end_seq is None:
            yield f"{person} was called a stranger to {conversation_id} and has always been in it"
    yield from _check_refused(run)


def check_frames(run: Observations) -> Iterator[str]:
    """No frame of a conversation reaches people who were not members then, or before ``conversation.joined``."""
    was_in = periods(run)
    for connection in run.connections:
        yield from _check_told(connection)
        for seen in connection.seen:
            own = was_in.get((connection.person, seen.conversation_id), [])
            if not own and not (seen.type == ACK and seen.repeats):
                yield f"{connection.device} got a frame of {seen.conversation_id} without ever being a member: {seen}"
            elif (seen.message_id or seen.type == RECEIPT) and not _may_see(seen, own):
                yield f"{connection.device} got a frame of a time when they were not a member: {seen}, {own}"


def _check_told(connection: Connection) -> Iterator[str]:
    """Between ``conversation.left`` and the next ``conversation.joined`` there is nothing."""
    open_now = set(connection.listed)
    told: dict[str, list[str]] = defaultdict(list)
    for seen in connection.seen:
        if seen.type in {JOINED, LEFT}:
            told[seen.conversation_id].append(f"{seen.type} {'live' if seen.live else 'while catching up'}")
        if seen.type == JOINED:
            open_now.add(seen.conversation_id)
        elif seen.conversation_id not in open_now and not _may_be_late(seen):
            where = "listed" if seen.conversation_id in connection.listed else "not listed"
            told_before = [where, *told[seen.conversation_id]]
            yield f"{connection.device} got {seen} outside of its memberships: {told_before}"
        if seen.type == LEFT:
            open_now.discard(seen.conversation_id)


def _may_be_late(seen: Seen) -> bool:
    """Return whether a frame may come to people who left, or before ``conversation.joined``.

    That is an ack of what they sent before, a mark that was raised before, and an answer while they are catching up.
    """
    return (seen.type == ACK and seen.repeats) or seen.type in {RECEIPT, LEFT} or (seen.answers and not seen.live)


def _may_see(seen: Seen, own: list[Period]) -> bool:
    if seen.type == ACK and seen.repeats:
        # A repeated send is answered, also if the sender is no longer a member.
        return True
    if seen.type == RECEIPT:
        return any(period.end_seq is None or seen.seq < period.end_seq for period in own)
    return any(period.has_rev(seen.rev) and seen.seq >= period.first_seq for period in own)


def _check_refused(run: Observations) -> Iterator[str]:
    acks: dict[tuple[str, str], list[Ack]] = defaultdict(list)
    for ack in run.acks:
        acks[ack.sender, ack.client_message_id].append(ack)
    stored = {
        (message["sender_id"], message["client_message_id"])
        for conversation in run.stored.values()
        for message in conversation.messages
    }
    for key, attempt in run.attempts.items():
        if attempt.refused and attempt.transmissions == 1 and (key in stored or acks[key]):
            yield f"refused and stored all the same: {attempt}"


def _began_at(was_in: Periods, person: str, conversation_id: str, at: str) -> bool:
    return any(period.at == at for period in was_in.get((person, conversation_id), []))


def _read(run: Observations, message: MessageState) -> Iterator[Witness]:
    for kind, text in _TEXTS.items():
        match = text.fullmatch(message["text"])
        if match is not None:
            actor, person = run.names[match["actor"]], run.names[match["person"]]
            yield Witness(kind, actor, person, message["seq"], message["rev"], message["created_at"])
