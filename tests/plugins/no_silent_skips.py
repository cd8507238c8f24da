"""A test that did not run is a failure: the test command must install or start what a test needs.

The run fails when a test, or a whole file of tests, was skipped, or when one was expected to fail and did; the summary
names them.
"""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(NoSilentSkips(), "no-silent-skips")


class NoSilentSkips:
    """Counts what did not run, names it in the summary, and fails the run."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

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
        if self.skipped:
            terminalreporter.section("skipped, which counts as failed", red=True)
            for nodeid in self.skipped:
                terminalreporter.write_line(nodeid)
