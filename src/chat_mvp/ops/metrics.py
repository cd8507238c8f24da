"""``GET /metrics``: counters and gauges in the Prometheus text format.

The application makes one registry, passes it to the parts that count, and provides it to this handler as the dependency
``metrics_registry``. Nothing is registered globally, so two applications in one process do not mix.
"""

from collections.abc import Callable, Iterator, Mapping

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Gauges = Mapping[str, tuple[str, Callable[[], float]]]
"""By the name of each gauge: its description, and the function that reads it."""

GaugesByName = Mapping[str, tuple[str, Callable[[], Mapping[str, float]]]]
"""By the name of each gauge: its description, and the function that reads its values by the value of their label."""

CONTENT_TYPE = "text/plain; version=0.0.4"


def new_registry() -> CollectorRegistry:
    """Return a registry with metrics of the process: memory, open files, processor time, garbage collection."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@get(
    "/metrics",
    media_type=MediaType.TEXT,
    security=[{}],
    tags=["operation"],
    summary="Metrics in the Prometheus text format",
)
async def metrics(metrics_registry: NamedDependency[CollectorRegistry]) -> Response[bytes]:
    """Return every metric of this process."""
    return Response(generate_latest(metrics_registry), media_type=CONTENT_TYPE)


def add_gauges(registry: CollectorRegistry, gauges: Gauges) -> None:
    """Add gauges to a registry. Each is read when the metrics are requested."""
    for name, (description, read) in gauges.items():
        Gauge(name, description, registry=registry).set_function(read)


def add_gauges_by_name(registry: CollectorRegistry, label: str, gauges: GaugesByName) -> None:
    """Add gauges with one value for each name that their function returns. The name is the value of ``label``."""
    registry.register(_GaugesByName(label, gauges))


class _GaugesByName(Collector):
    def __init__(self, label: str, gauges: GaugesByName) -> None:
        self._label = label
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, (description, read) in self._gauges.items():
            family = GaugeMetricFamily(name, description, labels=[self._label])
            for value_of_label, value in read().items():
                family.add_metric([value_of_label], value)
            yield family


def count_sign_ins(registry: CollectorRegistry) -> Callable[[str], None]:
    """Add a counter of attempts to sign in, and return the function that counts an attempt by its result."""
    description = "Attempts to sign in by result: ok, wrong, limited (refused before), unchecked (server too busy)"
    counter = Counter("chat_mvp_sign_ins", description, ["result"], registry=registry)
    return lambda result: counter.labels(result).inc()
