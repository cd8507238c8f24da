"""Metrics as Prometheus reads them."""

from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from chat_mvp.ops.metrics import add_gauges_by_name, metrics, new_registry


def app_with(registry: CollectorRegistry) -> Litestar:
    provided = {"metrics_registry": Provide(lambda: registry, sync_to_thread=False)}
    return Litestar([metrics], dependencies=provided, logging_config=None)


async def test_what_is_counted_is_shown() -> None:
    registry = new_registry()
    Counter("chat_sends", "Messages sent.", registry=registry).inc(3)
    async with AsyncTestClient(app_with(registry)) as client:
        answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found["chat_sends"].samples[0].value == 3
    assert found["process_resident_memory_bytes"].samples[0].value > 0


def test_two_registries_do_not_mix() -> None:
    Counter("chat_sends", "Messages sent.", registry=new_registry())
    Counter("chat_sends", "Messages sent.", registry=new_registry())
    assert "chat_sends" not in {metric.name for metric in new_registry().collect()}


async def test_a_gauge_has_a_value_for_each_name_there_is_now() -> None:
    registry = new_registry()
    lags: dict[str, float] = {}
    add_gauges_by_name(registry, "consumer", {"chat_lag": ("How far behind.", lambda: lags)})
    lags |= {"search": 1.5, "push": 0.0}
    async with AsyncTestClient(app_with(registry)) as client:
        answer = await client.get("/metrics")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {it.labels["consumer"]: it.value for it in found["chat_lag"].samples} == lags
