"""The messages between the driver and the load generator: one JSON object per line.

The driver writes one order to the generator's standard input and reads events from its standard output. After every
``Moment`` the generator waits for an empty line, so that the driver can read the clocks of all processes at that point.
The last event is an outcome or a ``Failed``. Latencies are sent as HDR histograms in microseconds (``latency``).
"""

from msgspec import Struct

ACKNOWLEDGE_S = 0.1
"""How long a client waits after a message before it confirms all that arrived by then, as the protocol suggests."""


class Person(Struct, frozen=True):
    """A user who can connect."""

    user_id: str
    token: str


class Room(Struct, frozen=True):
    """A conversation under load. Members and senders are indices into the order's people."""

    conversation_id: str
    members: list[int]
    senders: list[int]


class Order(Struct, kw_only=True, tag_field="order"):
    """The address of the server, the users who connect, and the encoding."""

    url: str
    subprotocol: str
    people: list[Person]


class Traffic(Order, kw_only=True, tag="traffic"):
    """Messages in rooms, with a warm-up of ``warmup_s`` and then a measurement of ``seconds``.

    Closed loop with ``window`` messages of each sender in flight. With a ``rate`` (messages per second in total), open
    loop instead. Each recipient sends ``delivered`` at most once in ``acknowledge_s`` and conversation, or for each
    message if that is 0. ``suffix`` ends the ids of all messages, and no other order on this server may use it.
    """

    rooms: list[Room]
    warmup_s: float
    seconds: float
    text_chars: int
    window: int = 1
    rate: float | None = None
    acknowledge_s: float = ACKNOWLEDGE_S
    suffix: str = "a"


class Idle(Order, kw_only=True, tag="idle"):
    """All users connect once and do nothing for ``seconds``. The first ``warmup`` of them also did so before."""

    warmup: int
    seconds: float


class Returning(Struct, frozen=True):
    """What a user knows who connects again, and what the server must send."""

    known: dict[str, int]
    missed: list[tuple[str, int]]
    """The conversation and sequence number of each message that is owed to the user."""


class Crowd(Order, kw_only=True, tag="crowd"):
    """All users connect at the same moment. There is one ``returning`` for each of them."""

    epoch: str
    returning: list[Returning]


class Drain(Order, kw_only=True, tag="drain"):
    """The first of two users writes ``count`` messages while the second is offline. Then the second connects.

    This is done ``times`` times.
    """

    conversation_id: str
    count: int
    times: int
    text_chars: int


class Resume(Order, kw_only=True, tag="resume"):
    """Like ``Drain``, but the second user knows the conversation.

    They miss ``count`` changes: new messages, edits and reactions.
    """

    conversation_id: str
    count: int
    times: int
    text_chars: int


AnyOrder = Traffic | Idle | Crowd | Drain | Resume


class Event(Struct, kw_only=True, tag_field="event"):
    """An event of the load generator."""


class Progress(Event, kw_only=True, tag="progress"):
    """How much of the current work is done."""

    done: int


class Moment(Event, kw_only=True, tag="moment"):
    """The generator waits here until the driver has read the clocks."""

    name: str


class Failed(Event, kw_only=True, tag="failed"):
    """The order was not carried out, or the server broke a promise."""

    reason: str


class TrafficOutcome(Event, kw_only=True, tag="traffic"):
    """The outcome of messages in rooms.

    ``acked``, ``delivered`` and ``confirmed`` count within ``seconds``: acknowledgements to senders, messages that
    reached recipients, and those of them whose ``delivered`` was stored. ``sent_total`` and ``delivered_total`` count
    from the first message to the last.
    """

    seconds: float
    acked: int
    delivered: int
    confirmed: int
    sent_total: int
    delivered_total: int
    to_ack: str
    to_recipient: str
    lateness: str
    """How far the generator itself was behind the intended send times. Open loop only."""
    load_cpu_s: float


class IdleOutcome(Event, kw_only=True, tag="idle"):
    """How long it took until all were connected, and how fast some of them got answers during that."""

    connected: int
    connecting_s: float
    to_pong: str
    load_cpu_s: float


class CrowdOutcome(Event, kw_only=True, tag="crowd"):
    """How long it took until everyone was up to date, and for each connection until ``ready`` and ``drained``."""

    connected: int
    conversations: int
    """The number of conversations in all ``ready`` frames."""
    missed: int
    """The number of owed messages that arrived."""
    seconds: float
    to_ready: str
    to_drained: str
    load_cpu_s: float


class CatchUpOutcome(Event, kw_only=True, tag="catch_up"):
    """The times from opening the connection to ``ready``, the last message and ``drained``, for each reconnect."""

    changes: int
    """The number of new or changed messages that arrived, over all reconnects."""
    to_ready: str
    to_last: str
    to_drained: str
    load_cpu_s: float


AnyEvent = Progress | Moment | Failed | TrafficOutcome | IdleOutcome | CrowdOutcome | CatchUpOutcome
