"""Messages under load: pairs, open loop, a group."""

from chat_mvp.bench.clocks import Clocks
from chat_mvp.bench.generator import carry_out
from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import ACKNOWLEDGE_S, Person, Room, Traffic, TrafficOutcome
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import RunOnce, Scenario, Watch, fresh_server
from chat_mvp.bench.server import ServerUnderTest
from chat_mvp.bench.stage import Stage

MESSAGES_PER_S = Figure("messages_per_s", "durable, delivered and acknowledged", "messages/s", 0, "more")
DELIVERIES_PER_S = Figure("deliveries_per_s", "delivered", "messages/s", 0, "more")

TO_RECIPIENT = "to the recipient"
TO_ACK = "to the acknowledgement"

LATENCIES = tuple(
    Figure(f"{key}_{percentile}_ms", f"{title}, {name}", "ms")
    for key, title in (("to_ack", "send to ack"), ("to_recipient", "send to recipient"))
    for percentile, name in (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"))
)
COSTS = (
    Figure("fsyncs_per_message", "fsyncs for each message", "", 4),
    Figure("messages_per_batch", "messages in a transaction", "", 1, "more"),
    Figure("server_us_per_message", "CPU of the server for each message", "µs", 0),
    Figure("mongod_us_per_message", "CPU of mongod for each message", "µs", 0),
    Figure("load_us_per_message", "CPU of the load generator for each message", "µs", 0),
    Figure("server_cpu_s", "CPU of the server", "s", 2),
    Figure("mongod_cpu_s", "CPU of mongod", "s", 2),
    Figure("load_cpu_s", "CPU of the load generator", "s", 2),
    Figure("server_mib", "memory of the server", "MiB", 0),
    Figure("mongod_mib", "memory of mongod", "MiB", 0),
)
_LATENESS = Figure("lateness_p99_ms", "the generator's own delay, p99", "ms")


async def measure(
    order: Traffic, server: ServerUnderTest, stage: Stage, watch: Watch
) -> tuple[TrafficOutcome, dict[str, float]]:
    """Carry out the order, and return its outcome with the figures that all traffic has."""
    clocks = Clocks(server, stage)
    watch.phase("sending")
    outcome = await carry_out(order, TrafficOutcome, on_moment=clocks.read, on_progress=watch.done)
    figures = clocks.costs("measuring", "measured", load_cpu_s=outcome.load_cpu_s, messages=outcome.acked)
    for key, encoded in (("to_ack", outcome.to_ack), ("to_recipient", outcome.to_recipient)):
        percentiles = Histogram(encoded).percentiles()
        for name in ("p50", "p95", "p99", "p999"):
            figures[f"{key}_{name}_ms"] = getattr(percentiles, name)
    return outcome, figures


def completed_per_s(outcome: TrafficOutcome) -> float:
    """Return the rate at which messages were stored, delivered and confirmed: the lowest of the three.

    There is one sender and one recipient in each room.
    """
    return min(outcome.acked, outcome.delivered, outcome.confirmed) / outcome.seconds


def counts_of(outcome: TrafficOutcome) -> dict[str, int]:
    """Return how many messages were sent and reached recipients, from the first message to the last."""
    return {"sent": outcome.sent_total, "delivered": outcome.delivered_total}


async def pairs_order(
    options: Options, server: ServerUnderTest, stage: Stage, *, window: int = 1, rate: float | None = None
) -> Traffic:
    """Create the users and their conversations, one sender and one recipient each, and return the order."""
    people = await stage.people(2 * options.pairs)
    rooms = [
        Room(await stage.direct(people[i], people[i + 1]), members=[i, i + 1], senders=[i])
        for i in range(0, len(people), 2)
    ]
    return _order(options, server, people, rooms, window=window, rate=rate)


def _order(
    options: Options,
    server: ServerUnderTest,
    people: list[Person],
    rooms: list[Room],
    *,
    window: int,
    rate: float | None = None,
) -> Traffic:
    return Traffic(
        url=server.websocket_url,
        subprotocol=options.subprotocol,
        people=people,
        rooms=rooms,
        warmup_s=options.warmup_s,
        seconds=options.seconds,
        text_chars=options.text_chars,
        window=window,
        rate=rate,
        acknowledge_s=0 if options.confirm_each else ACKNOWLEDGE_S,
    )


def _pairs(*, window: int = 1, open_loop: bool = False) -> RunOnce:
    async def run(options: Options, watch: Watch) -> Run:
        async with fresh_server(options, watch) as (server, stage):
            watch.phase("creating users and conversations")
            rate = options.rate if open_loop else None
            order = await pairs_order(options, server, stage, window=window, rate=rate)
            outcome, figures = await measure(order, server, stage, watch)
        figures["messages_per_s"] = completed_per_s(outcome)
        if open_loop:
            figures["lateness_p99_ms"] = Histogram(outcome.lateness).percentiles().p99
        return _run(outcome, figures)

    return run


async def _group(options: Options, watch: Watch) -> Run:
    async with fresh_server(options, watch) as (server, stage):
        watch.phase("creating users and the group")
        people = await stage.people(options.group_members)
        members = list(range(len(people)))
        room = Room(await stage.group(people), members=members, senders=members[: options.group_senders])
        order = _order(options, server, people, [room], window=options.group_window)
        outcome, figures = await measure(order, server, stage, watch)
    figures["deliveries_per_s"] = outcome.delivered / outcome.seconds
    figures["messages_per_s"] = outcome.acked / outcome.seconds
    return _run(outcome, figures)


def _run(outcome: TrafficOutcome, figures: dict[str, float]) -> Run:
    return Run(
        figures=figures,
        counts=counts_of(outcome),
        histograms={TO_ACK: outcome.to_ack, TO_RECIPIENT: outcome.to_recipient},
    )


PAIRS_16 = Scenario(
    name="pairs-16",
    title="Pairs, 16 messages under way for each",
    figures=(MESSAGES_PER_S, *LATENCIES, *COSTS),
    run=_pairs(window=16),
)
PAIRS_1 = Scenario(
    name="pairs-1",
    title="Pairs, one message under way for each",
    figures=(MESSAGES_PER_S, *LATENCIES, *COSTS),
    run=_pairs(window=1),
)
OPEN_LOOP = Scenario(
    name="open-loop",
    title="Pairs, messages at a fixed rate",
    figures=(*LATENCIES, MESSAGES_PER_S, _LATENESS, *COSTS),
    run=_pairs(open_loop=True),
)
GROUP = Scenario(
    name="group",
    title="A group with several senders",
    figures=(DELIVERIES_PER_S, Figure("messages_per_s", "sent", "messages/s", 0, "more"), *LATENCIES, *COSTS),
    run=_group,
)
