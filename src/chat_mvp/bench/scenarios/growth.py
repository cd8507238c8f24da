"""Whether a send costs more after a long history."""

import msgspec

from chat_mvp.bench.options import Options
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, fresh_server
from chat_mvp.bench.scenarios.traffic import completed_per_s, counts_of, measure, pairs_order

WINDOW = 16

_PARTS = (
    ("messages_per_s", "durable, delivered and acknowledged", "messages/s", 0),
    ("to_ack_p50_ms", "send to ack, p50", "ms", 1),
    ("server_us_per_message", "CPU of the server for each message", "µs", 0),
    ("mongod_us_per_message", "CPU of mongod for each message", "µs", 0),
)


async def _growth(options: Options, watch: Watch) -> Run:
    figures: dict[str, float] = {"history": options.history}
    counts: dict[str, int] = {}
    async with fresh_server(options, watch) as (server, stage):
        # The same users and conversations twice. Only the length of the history differs.
        order = await pairs_order(options, server, stage, window=WINDOW)
        for name, total in (("short", options.short_history), ("long", options.history)):
            watch.phase(f"growing the history to {total:,}")
            ids = [room.conversation_id for room in order.rooms]
            counts[f"{name}_added"] = await stage.history(options.text_chars).grow(ids, total, watch.done)
            once = msgspec.structs.replace(order, suffix=name)
            outcome, measured = await measure(once, server, stage, watch)
            measured["messages_per_s"] = completed_per_s(outcome)
            counts |= {f"{name}_{key}": value for key, value in counts_of(outcome).items()}
            figures |= {f"{name}_{key}": measured[key] for key, *_ in _PARTS}
    figures["cpu_ratio"] = _cpu(figures, "long") / _cpu(figures, "short")
    return Run(figures=figures, counts=counts)


def _cpu(figures: dict[str, float], name: str) -> float:
    return figures[f"{name}_server_us_per_message"] + figures[f"{name}_mongod_us_per_message"]


GROWTH = Scenario(
    name="history",
    title="The same load on a short and on a long history",
    figures=(
        Figure("cpu_ratio", "CPU of server and mongod for each message, long to short", "times", 2),
        Figure("history", "messages in the long history", "", 0, "more"),
        *(
            Figure(f"{name}_{key}", f"{title}, {name} history", unit, digits)
            for key, title, unit, digits in _PARTS
            for name in ("short", "long")
        ),
    ),
    run=_growth,
)
