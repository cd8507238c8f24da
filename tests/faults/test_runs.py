"""The fault injection itself, short and with fixed seeds. `just test-faults` runs it for as long as you like."""

from pathlib import Path

import pytest

from tests.faults.report import repeat
from tests.faults.run import run

ENOUGH_MESSAGES = 100
"""Fewer would mean that nothing was tested."""


@pytest.mark.parametrize(("topology", "seconds", "seed"), [("single", 15.0, 7), ("three", 20.0, 7)])
async def test_contract_holds_under_faults(tmp_path: Path, topology: str, seconds: float, seed: int) -> None:
    result = await run(topology, seed=seed, seconds=seconds, directory=tmp_path)
    assert result.violations == [], f"to repeat: {repeat(result)}"
    assert result.messages > ENOUGH_MESSAGES
    assert sum(result.tally.faults.values()) > 5
