"""The options of a benchmark."""

from pathlib import Path

import msgspec
from msgspec import Struct

from chat_mvp.protocol import SUBPROTOCOL_JSON


class Options(Struct, kw_only=True, frozen=True):
    """Sizes and durations. The defaults give the figures of the documentation."""

    runs: int = 3
    warmup_s: float = 3.0
    seconds: float = 10.0
    pairs: int = 50
    group_members: int = 50
    group_senders: int = 5
    group_window: int = 16
    rate: float = 1_000.0
    connections: int = 10_000
    crowd: int = 2_000
    """How many people connect at once."""
    queued: int = 1_000
    changes: int = 100
    reconnects: int = 5
    """How many times draining and resuming are done in each run."""
    short_history: int = 10_000
    history: int = 500_000
    purged: int = 1_000_000
    """The number of messages of the conversation that is deleted."""
    confirm_each: bool = False
    """Clients confirm each message at once, instead of all that arrived once in ``orders.ACKNOWLEDGE_S``."""
    text_chars: int = 64
    subprotocol: str = SUBPROTOCOL_JSON
    directory: Path | None = None
    """The directory for the servers' temporary data directories. Default: the system's own."""


def quick(options: Options) -> Options:
    """Return the same options with short durations: to see that it works, not to measure."""
    return msgspec.structs.replace(
        options,
        runs=1,
        warmup_s=1.0,
        seconds=min(options.seconds, 3.0),
        pairs=min(options.pairs, 20),
        rate=min(options.rate, 500.0),
        connections=min(options.connections, 500),
        crowd=min(options.crowd, 200),
        reconnects=min(options.reconnects, 3),
        history=min(options.history, 50_000),
        purged=min(options.purged, 50_000),
    )
