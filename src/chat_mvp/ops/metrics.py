"""``GET /metrics``: counters and gauges in the Prometheus text format.

The application makes one registry, hands it to whoever counts something, and provides it to this handler as the
dependency ``metrics_registry``. Nothing is registered globally, so two applications in one process do not mix.
"""

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4"


def new_registry() -> CollectorRegistry:
    """Return a registry that knows the process itself: memory, open files, processor time, garbage collection."""
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
