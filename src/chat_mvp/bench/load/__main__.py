"""``python -m chat_mvp.bench.load``: carries out the single order on standard input."""

import asyncio
import gc
import signal
from collections.abc import Callable

from chat_mvp.bench.load.away import AwayLoad
from chat_mvp.bench.load.connection import BrokenPromiseError
from chat_mvp.bench.load.crowd import CrowdLoad
from chat_mvp.bench.load.driver import Driver
from chat_mvp.bench.load.idle import IdleLoad
from chat_mvp.bench.load.traffic import TrafficLoad
from chat_mvp.bench.orders import AnyOrder, Crowd, Event, Failed, Idle, Traffic


async def _carry_out(order: AnyOrder, driver: Driver) -> Event:
    try:
        if isinstance(order, Traffic):
            return await TrafficLoad(order, driver).run()
        if isinstance(order, Idle):
            return await IdleLoad(order, driver).run()
        if isinstance(order, Crowd):
            return await CrowdLoad(order, driver).run()
        return await AwayLoad(order, driver).run()
    except BrokenPromiseError as error:
        return Failed(reason=str(error))
    except (OSError, TimeoutError) as error:
        return Failed(reason=f"the load generator failed: {type(error).__name__} {error}".rstrip())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def main() -> None:
    """Run until the order is carried out."""
    # Nothing here creates cycles that matter, and collecting garbage would be counted as latency.
    gc.disable()
    # The driver handles Ctrl-C and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    driver = Driver()
    order = driver.read_order()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        driver.tell(runner.run(_carry_out(order, driver)))


if __name__ == "__main__":
    main()
