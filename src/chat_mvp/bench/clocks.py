"""The resources that the processes use between two moments of a run."""

from msgspec import Struct

from chat_mvp.bench.server import ServerUnderTest, Usage
from chat_mvp.bench.stage import Stage

_MIB = 1024 * 1024


class Reading(Struct, frozen=True):
    """The clocks and counters of the server and mongod at one moment."""

    usage: Usage
    fsyncs: int
    batches: int


class Clocks:
    """Reads them at each named moment. The load generator waits for ``read``."""

    def __init__(self, server: ServerUnderTest, stage: Stage) -> None:
        """Read the clocks of this server."""
        self._server = server
        self._stage = stage
        self._readings: dict[str, Reading] = {}

    async def read(self, moment: str) -> None:
        """Store the current values for this moment."""
        self._readings[moment] = Reading(
            usage=self._server.usage(), fsyncs=await self._stage.fsyncs(), batches=await self._stage.batches()
        )

    def at(self, moment: str) -> Reading:
        """Return the values of this moment."""
        return self._readings[moment]

    def costs(self, first: str, last: str, *, load_cpu_s: float, messages: int) -> dict[str, float]:
        """Return the CPU seconds between two moments, and with ``messages`` the costs for each message."""
        before, after = self._readings[first], self._readings[last]
        server = after.usage.server_cpu_s - before.usage.server_cpu_s
        mongod = after.usage.mongod_cpu_s - before.usage.mongod_cpu_s
        figures = {
            "server_cpu_s": server,
            "mongod_cpu_s": mongod,
            "load_cpu_s": load_cpu_s,
            "server_mib": after.usage.server_rss / _MIB,
            "mongod_mib": after.usage.mongod_rss / _MIB,
        }
        if messages:
            figures |= {
                "server_us_per_message": 1e6 * server / messages,
                "mongod_us_per_message": 1e6 * mongod / messages,
                "load_us_per_message": 1e6 * load_cpu_s / messages,
                "fsyncs_per_message": (after.fsyncs - before.fsyncs) / messages,
            }
            if after.batches > before.batches:
                figures["messages_per_batch"] = messages / (after.batches - before.batches)
        return figures
