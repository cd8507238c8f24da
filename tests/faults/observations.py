"""What a run records for the checker: what clients saw and did, without judging it."""

from typing import Any, Literal

from msgspec import Struct, field

MessageState = dict[str, Any]
Copies = dict[str, dict[str, MessageState]]
"""Messages by conversation, then by id."""

Outcome = Literal["unknown", "done", "refused"]


ChangeKind = Literal["edit", "delete", "add", "remove"]


class Attempt(Struct):
    """A message that a person tried to send, however often."""

    sender: str
    client_message_id: str
    conversation_id: str
    text: str
    transmissions: int = 0
    refused: bool = False
    """Whether it was answered that the sender is not in the conversation."""


class Ack(Struct, frozen=True):
    """One acknowledgement of a message, over a WebSocket or as an answer over HTTP."""

    sender: str
    client_message_id: str
    message_id: str
    conversation_id: str
    seq: int
    duplicate: bool


class Change(Struct):
    """An edit, a deletion or a reaction that a person requested. ``rev`` is that of the message in the answer."""

    person: str
    message_id: str
    kind: ChangeKind
    value: str = ""
    outcome: Outcome = "unknown"
    rev: int = 0


class Move(Struct):
    """A request to add or remove a member. ``joined_at`` is that of the answer to an ``add``."""

    actor: str
    person: str
    conversation_id: str
    kind: Literal["add", "remove", "leave"]
    transmissions: int = 0
    outcome: Outcome = "unknown"
    joined_at: str = ""


class Seen(Struct, frozen=True):
    """A frame about a conversation as one connection got it. ``live`` is whether it came after ``drained``.

    Frames that are about no message have neither ``message_id`` nor ``seq`` nor ``rev``, but receipts, whose delivered
    mark is their ``seq``.

    ``repeats`` marks what is no news to this device: an ack with ``duplicate``, the present state of a message as the
    answer to a request that changed nothing, a message from the queue that the device holds already.
    """

    type: str
    conversation_id: str
    message_id: str
    seq: int
    rev: int
    live: bool
    repeats: bool
    answers: bool = False
    """Whether the device asked for it: answers are not held back by catching up, as everything else is."""


class Connection(Struct):
    """All that came over one connection, in order."""

    device: str
    person: str
    listed: frozenset[str] = frozenset()
    """The conversations that ``ready`` named."""
    seen: list[Seen] = field(default_factory=list)
    receipts: list[tuple[str, str, int, int]] = field(default_factory=list)
    """Conversation, user, delivered and read marks."""


class Stored(Struct):
    """A conversation as fetched at the end by a person who was a member all the time."""

    members: frozenset[str]
    rev: int
    last_seq: int
    messages: list[MessageState]


class View(Struct):
    """A conversation as a fresh fetch by one of its members shows it, who sees it from behind ``joined_seq`` on."""

    joined_seq: int
    rev: int
    messages: list[MessageState]


class Observations(Struct):
    """Everything about one run."""

    names: dict[str, str] = field(default_factory=dict)
    """The ids of people by the names that the messages of the system call them."""
    founders: dict[str, frozenset[str]] = field(default_factory=dict)
    """For each conversation those who are in it from its beginning."""
    founded_at: dict[str, str] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    strangers: list[tuple[str, str]] = field(default_factory=list)
    """The people who got ``not_found``, and for which conversation."""
    attempts: dict[tuple[str, str], Attempt] = field(default_factory=dict)
    acks: list[Ack] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    states: dict[tuple[str, int], MessageState] = field(default_factory=dict)
    """The first state that was seen of each message and revision."""
    faults_seen: list[str] = field(default_factory=list)
    """What clients noticed themselves: a request without an answer, two states for one revision, …"""
    stored: dict[str, Stored] = field(default_factory=dict)
    views: dict[tuple[str, str], View] = field(default_factory=dict)
    """By person and conversation."""
    copies: dict[str, tuple[str, Copies]] = field(default_factory=dict)
    """For each device: whose it is, and what it holds."""
    queued: dict[str, int] = field(default_factory=dict)
    """How many messages wait for each person after everything was confirmed."""

    def note_state(self, message: MessageState) -> None:
        """Keep the state of a message at its revision, and complain where it was another one before.

        ``thread`` is left out: replies change it without a revision.
        """
        state = {name: value for name, value in message.items() if name != "thread"}
        first = self.states.setdefault((message["id"], message["rev"]), state)
        if first != state:
            self.faults_seen.append(f"two states of message {message['id']} at rev {message['rev']}: {first}, {state}")
