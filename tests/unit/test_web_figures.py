"""What `just bench-web` reports: which goals are met, and that a table and a plot show them all."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chat_mvp.bench.machine import Machine
from tests.unit.house.files import ROOT

MACHINE = Machine(
    version="1.2.3", processor="a processor", cores=2, memory_gib=8.0, system="Linux", python="3.11", file_system="ext4"
)


@pytest.fixture
def web_figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("web_figures", ROOT / "tools" / "web_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "web_figures", module)
    spec.loader.exec_module(module)
    return module


def figure(module: ModuleType, value: float, goal: float | None, **others: Any) -> Any:
    fields = {"key": "it", "what": "Enter & text", "unit": "ms", "statistic": "p95", "samples": [1.0, value]}
    return module.WebFigure(**(fields | {"value": value, "goal": goal} | others))


@pytest.mark.parametrize(
    ("value", "goal", "floor", "met"),
    [
        (60.0, 60.0, False, True),
        (60.1, 60.0, False, False),
        (55.0, 55.0, True, True),
        (54.9, 55.0, True, False),
        (0.02, 0.0, False, True),  # shown as 0.0: a fraction of a pixel that is not visible
        (0.3, 0.0, False, False),
        (1e9, None, False, True),
    ],
)
def test_a_goal_is_met_by_what_is_shown(
    web_figures: ModuleType, value: float, goal: float | None, floor: bool, met: bool
) -> None:
    assert figure(web_figures, value, goal, floor=floor).met is met


def test_the_page_names_missed_goals(web_figures: ModuleType) -> None:
    figures = [figure(web_figures, 40.0, 60.0), figure(web_figures, 80.0, 60.0), figure(web_figures, 7.0, None)]
    page = web_figures.markdown(figures, MACHINE, "Chromium 156", "2026-11-21T12:00:00+00:00", 0.25)
    assert "| Enter & text | at most 60 ms | 40.0 ms | met | 95th percentile of 2 |" in page
    assert "| Enter & text | at most 60 ms | 80.0 ms | missed | 95th percentile of 2 |" in page
    assert "| Enter & text | 7.0 ms |" in page
    assert "2 cores of a processor" in page
    assert "2026-11-21" in page


def test_the_plot_has_a_bar_for_each_goal_that_ends_within_it(web_figures: ModuleType) -> None:
    figures = [figure(web_figures, value, 60.0) for value in (30.0, 60.0, 6000.0)] + [figure(web_figures, 7.0, None)]
    plot = ET.fromstring(web_figures.svg(figures))  # noqa: S314 - our own
    width = float(plot.attrib["viewBox"].split()[2])
    bars = [it for it in plot.iter("{http://www.w3.org/2000/svg}rect") if it.get("fill") in {"#3f9142", "#c0392b"}]
    assert [it.get("fill") for it in bars] == ["#3f9142", "#3f9142", "#c0392b"]
    lengths = [float(it.attrib["width"]) for it in bars]
    assert lengths[1] == pytest.approx(2 * lengths[0])
    assert all(float(it.attrib["x"]) + float(it.attrib["width"]) <= width for it in bars)
