"""A test that did not run is a failure: the test command must install or start what a test needs.

The run fails when a test, or a whole file of tests, was skipped, or when one was expected to fail and did; the summary
names them. It also names the slow tests that were left out, which is no failure: `just test-slow` runs them.
"""

from collections.abc import Sequence

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(NoSilentSkips(), "no-silent-skips")


class NoSilentSkips:
    """Counts what did not run, names it in the summary, and fails the run."""

    def __init__(self) -> None:
        self.skipped: list[str] = []
        self.slow: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.slow += [item.nodeid for item in items if item.get_closest_marker("slow") is not None]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.skipped and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.slow:
            terminalreporter.section("slow tests that were left out: just test-slow")
            for nodeid in self.slow:
                terminalreporter.write_line(nodeid)
        if self.skipped:
            terminalreporter.section("skipped, which counts as failed", red=True)
            for nodeid in self.skipped:
                terminalreporter.write_line(nodeid)
