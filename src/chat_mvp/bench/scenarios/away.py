"""Reconnecting: the queue is drained, a known conversation is resumed."""

from chat_mvp.bench.generator import carry_out
from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import CatchUpOutcome, Drain, Resume
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, fresh_server

_FIGURES = (
    Figure("to_last_ms", "connect to the last message", "ms"),
    Figure("to_drained_ms", "connect to drained", "ms"),
    Figure("to_ready_ms", "connect to ready", "ms"),
    Figure("to_last_highest_ms", "connect to the last message, slowest", "ms"),
)


async def _drain(options: Options, watch: Watch) -> Run:
    return await _away(Drain, options.queued, options, watch)


async def _resume(options: Options, watch: Watch) -> Run:
    return await _away(Resume, options.changes, options, watch)


async def _away(kind: type[Drain] | type[Resume], count: int, options: Options, watch: Watch) -> Run:
    async with fresh_server(options, watch) as (server, stage):
        people = await stage.people(2)
        order = kind(
            url=server.websocket_url,
            subprotocol=options.subprotocol,
            people=people,
            conversation_id=await stage.direct(*people),
            count=count,
            times=options.reconnects,
            text_chars=options.text_chars,
        )
        watch.phase("writing and coming back")
        outcome = await carry_out(order, CatchUpOutcome, on_moment=_no_moment, on_progress=watch.done)
    to_last = Histogram(outcome.to_last).percentiles()
    return Run(
        figures={
            "to_last_ms": to_last.p50,
            "to_last_highest_ms": to_last.highest,
            "to_drained_ms": Histogram(outcome.to_drained).percentiles().p50,
            "to_ready_ms": Histogram(outcome.to_ready).percentiles().p50,
        },
        counts={"changes": outcome.changes, "returns": to_last.count},
    )


async def _no_moment(_: str) -> None:
    """Do nothing: catching up is too short for the clocks of processes."""


DRAIN = Scenario(name="drain", title="Coming back to queued messages", figures=_FIGURES, run=_drain)
RESUME = Scenario(name="resume", title="Coming back to a known conversation", figures=_FIGURES, run=_resume)
