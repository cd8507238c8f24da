"""Latencies as HDR histograms: three significant digits, from a microsecond to a minute."""

from collections.abc import Iterable

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # it has no types
from msgspec import Struct

_HIGHEST_US = 60_000_000
_DIGITS = 3
_NS_PER_US = 1_000
_US_PER_MS = 1_000


class Percentiles(Struct, kw_only=True, frozen=True):
    """Latencies in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    p999: float
    highest: float


class Histogram:
    """A distribution of latencies that can be merged with others and encoded as text."""

    def __init__(self, encoded: str | None = None) -> None:
        """Start empty, or with an encoded distribution."""
        self._counts = HdrHistogram(1, _HIGHEST_US, _DIGITS)
        if encoded:
            self._counts.decode_and_add(encoded)

    @classmethod
    def of_ns(cls, latencies: Iterable[int]) -> "Histogram":
        """Return the distribution of latencies in nanoseconds."""
        histogram = cls()
        for latency in latencies:
            histogram._counts.record_value(min(max(1, latency // _NS_PER_US), _HIGHEST_US))
        return histogram

    def add(self, other: "Histogram") -> None:
        """Add the values of the other one."""
        self._counts.add(other._counts)  # noqa: SLF001 - an object of the same class

    def encode(self) -> str:
        """Return it in the format that HDR histograms of every language share (version 2, compressed, base 64)."""
        return str(self._counts.encode().decode("ascii"))

    def value_ms(self, percentile: float) -> float:
        """Return the latency in milliseconds that this share of all values did not exceed."""
        return float(self._counts.get_value_at_percentile(percentile)) / _US_PER_MS

    def percentiles(self) -> Percentiles:
        """Return the usual percentiles."""
        return Percentiles(
            count=self._counts.get_total_count(),
            p50=self.value_ms(50),
            p95=self.value_ms(95),
            p99=self.value_ms(99),
            p999=self.value_ms(99.9),
            highest=self.value_ms(100),
        )
