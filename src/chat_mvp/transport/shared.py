"""The state that all connections of one server share, and the limits on each connection."""

import msgspec

from chat_mvp import limits
from chat_mvp.transport.connections import ConnectionCounts
from chat_mvp.transport.intake import IntakeBudget
from chat_mvp.transport.reading import ReadBuffer
from chat_mvp.transport.watch import Watch


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits on one connection. ``chat_mvp.limits`` gives the reasons."""

    url_bytes: int = limits.MAX_URL_BYTES
    head_bytes: int = limits.MAX_HEAD_BYTES
    headers: int = limits.MAX_HEADERS
    body_bytes: int = limits.MAX_BODY_BYTES
    pipelined: int = limits.MAX_PIPELINED_REQUESTS
    head_s: float = limits.HEAD_TIMEOUT_S
    body_s: float = limits.BODY_TIMEOUT_S
    body_bytes_per_s: float = limits.MIN_BODY_BYTES_PER_S
    pings_per_s: int = limits.MAX_PINGS_PER_S
    fragments: int = limits.MAX_FRAGMENTS
    read_s: float = limits.READ_TIMEOUT_S
    linger_s: float = limits.LINGER_S


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The state that all connections of one server share."""

    counts: ConnectionCounts
    intake: IntakeBudget
    unread: IntakeBudget
    """The memory for answers that their clients do not read."""
    watch: Watch
    buffer: ReadBuffer
    trusted_proxies: int = 0
    limits: HttpLimits
