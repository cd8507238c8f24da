"""What a run counts for its report."""

import time
from collections import Counter

from msgspec import Struct, field


class Tally(Struct):
    """Numbers of one run; times in seconds."""

    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    """Acks, and errors by their code."""
    moves: Counter[str] = field(default_factory=Counter)
    """Members added and removed, and the requests for it that got no answer or changed nothing."""
    slow_readers: Counter[str] = field(default_factory=Counter)
    """What became of devices that stopped reading for a while."""
    connects: int = 0
    lost_connections: int = 0
    resets: int = 0
    longest_silence_s: float = 0.0
    slowest_answer_s: float = 0.0
    _last_write: float = 0.0

    def begin(self) -> None:
        """Start to measure the time without a successful write."""
        self._last_write = time.monotonic()

    def wrote(self) -> None:
        """Note a successful write."""
        now = time.monotonic()
        if self._last_write:
            self.longest_silence_s = max(self.longest_silence_s, now - self._last_write)
            self._last_write = now

    def end(self) -> None:
        """Stop to measure."""
        self.wrote()
        self._last_write = 0.0
