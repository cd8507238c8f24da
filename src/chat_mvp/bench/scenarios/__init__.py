"""The scenarios by name, in the order in which they are run."""

from chat_mvp.bench.scenarios.away import DRAIN, RESUME
from chat_mvp.bench.scenarios.crowd import CROWD
from chat_mvp.bench.scenarios.growth import GROWTH
from chat_mvp.bench.scenarios.idle import IDLE
from chat_mvp.bench.scenarios.purge import PURGE
from chat_mvp.bench.scenarios.scenario import Scenario
from chat_mvp.bench.scenarios.start import START
from chat_mvp.bench.scenarios.traffic import GROUP, OPEN_LOOP, PAIRS_1, PAIRS_16

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        PAIRS_16,
        PAIRS_1,
        OPEN_LOOP,
        GROUP,
        IDLE,
        CROWD,
        DRAIN,
        RESUME,
        START,
        GROWTH,
        PURGE,
    )
}
