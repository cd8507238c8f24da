"""How the deletion of a long conversation affects the others."""

import time

import msgspec

from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import TrafficOutcome
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, fresh_server
from chat_mvp.bench.scenarios.traffic import counts_of, measure, pairs_order

MEMBERS = 5


async def _purge(options: Options, watch: Watch) -> Run:
    async with fresh_server(options, watch) as (server, stage):
        order = await pairs_order(options, server, stage, rate=options.rate)
        people = await stage.people(MEMBERS)
        group = await stage.group(people)
        watch.phase(f"growing the history to {options.purged:,}")
        added = await stage.history(options.text_chars).grow([group], options.purged, watch.done)
        before, _ = await measure(msgspec.structs.replace(order, suffix="before"), server, stage, watch)
        await stage.watch_removals()
        begun = time.monotonic()
        await stage.delete(people[0], group)
        deleted = time.monotonic()
        while_purging, _ = await measure(msgspec.structs.replace(order, suffix="purging"), server, stage, watch)
        watch.phase("waiting for the end of the purge")
        await stage.until_purged(group)
        ended = time.monotonic()
        slowest_ms = await stage.slowest_removal_ms()
    figures = {
        "p99_before_ms": _p99(before),
        "p99_purging_ms": _p99(while_purging),
        "p99_ratio": _p99(while_purging) / _p99(before),
        "slowest_removal_ms": slowest_ms,
        "delete_ms": 1_000 * (deleted - begun),
        "purge_s": ended - deleted,
        "messages": added,
    }
    counts = {"added": added} | {f"purging_{key}": value for key, value in counts_of(while_purging).items()}
    return Run(figures=figures, counts=counts)


def _p99(outcome: TrafficOutcome) -> float:
    return Histogram(outcome.to_ack).percentiles().p99


PURGE = Scenario(
    name="purge",
    title="The deletion of a long conversation while others write",
    figures=(
        Figure("p99_ratio", "send to ack of the others, p99, while purging to before", "times", 2),
        Figure("p99_before_ms", "send to ack, p99, before", "ms"),
        Figure("p99_purging_ms", "send to ack, p99, while purging", "ms"),
        Figure("slowest_removal_ms", "slowest removal of a piece", "ms", 0),
        Figure("delete_ms", "the answer to DELETE", "ms", 0),
        Figure("purge_s", "until the last message is gone", "s"),
        Figure("messages", "messages in the conversation", "", 0, "more"),
    ),
    run=_purge,
)
