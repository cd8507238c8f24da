"""What the driver asks of the load generator, and what that tells in return: one JSON object a line.

The driver writes one order to the generator's standard input and reads events from its standard output. After every
``Moment`` the generator waits for an empty line, so that the driver can read the clocks of all processes at that
point. The last event is an outcome or a ``Failed``. Latencies travel as HDR histograms in microseconds (``latency``).
"""

from msgspec import Struct


class Person(Struct, frozen=True):
    """A user who can connect."""

    user_id: str
    token: str


class Room(Struct, frozen=True):
    """A conversation under load; members and senders are indices into the order's people."""

    conversation_id: str
    members: list[int]
    senders: list[int]


class Order(Struct, kw_only=True, tag_field="order"):
    """Where the server is, who connects, and in which encoding."""

    url: str
    subprotocol: str
    people: list[Person]


class Traffic(Order, kw_only=True, tag="traffic"):
    """Messages in rooms, warmed up for ``warmup_s`` and then measured for ``seconds``.

    Closed loop with ``window`` messages of each sender under way; with a ``rate`` (messages a second in all), open
    loop instead. ``delivered`` leaves each recipient at most once in ``acknowledge_s`` and conversation. ``suffix``
    ends the ids of all messages, and no other order on this server may have it.
    """

    rooms: list[Room]
    warmup_s: float
    seconds: float
    text_chars: int
    window: int = 1
    rate: float | None = None
    acknowledge_s: float = 0.1
    suffix: str = "a"


class Idle(Order, kw_only=True, tag="idle"):
    """Everybody connects once and does nothing for ``seconds``; the first ``warmup`` of them did so before as well."""

    warmup: int
    seconds: float


class Drain(Order, kw_only=True, tag="drain"):
    """The first of two people writes ``count`` messages while the second is away, who then connects: ``times`` over."""

    conversation_id: str
    count: int
    times: int
    text_chars: int


class Resume(Order, kw_only=True, tag="resume"):
    """As ``Drain``, but the second knows the conversation and misses ``count`` changes: new, edited and reacted to."""

    conversation_id: str
    count: int
    times: int
    text_chars: int


AnyOrder = Traffic | Idle | Drain | Resume


class Event(Struct, kw_only=True, tag_field="event"):
    """Something the load generator tells."""


class Progress(Event, kw_only=True, tag="progress"):
    """How much is done of what is being done."""

    done: int


class Moment(Event, kw_only=True, tag="moment"):
    """The generator waits here until the driver has read the clocks."""

    name: str


class Failed(Event, kw_only=True, tag="failed"):
    """The order was not carried out, or the server broke a promise."""

    reason: str


class TrafficOutcome(Event, kw_only=True, tag="traffic"):
    """What came of messages in rooms.

    ``acked``, ``delivered`` and ``confirmed`` count what happened within ``seconds``: acknowledgements to senders,
    messages that reached recipients, and those of them whose ``delivered`` was stored. ``sent_total`` and
    ``delivered_total`` count from the first message to the last.
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
    """How far behind the intended moment the generator itself was; open loop only."""
    load_cpu_s: float


class IdleOutcome(Event, kw_only=True, tag="idle"):
    """How long it took until all were connected, and how fast some of them were answered while all were."""

    connected: int
    connecting_s: float
    to_pong: str
    load_cpu_s: float


class CatchUpOutcome(Event, kw_only=True, tag="catch_up"):
    """How long it took each time from opening the connection to ``ready``, the last message and ``drained``."""

    changes: int
    """Messages that came, new or changed, over all times."""
    to_ready: str
    to_last: str
    to_drained: str
    load_cpu_s: float


AnyEvent = Progress | Moment | Failed | TrafficOutcome | IdleOutcome | CatchUpOutcome
