"""Run tests in a second pytest as an ordinary user, and report them here as they go."""

import contextlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner_account import UnavailableError, ready_base_image, ready_user

REPORTS = "SKERRY_TEST_REPORTS"
HERE = Path(__file__).parent
RUN = pytest.StashKey["Run"]()


class Reporter:
    """In the second pytest: every report goes to the first one, a JSON line each."""

    def __init__(self, config: pytest.Config, descriptor: int) -> None:
        self._config = config
        self._file = os.fdopen(descriptor, "w", buffering=1)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._file.write(json.dumps(data) + "\n")


class Run:
    """In the first pytest: the second one, and its reports as they come. Both have selected the same tests."""

    def __init__(self, session: pytest.Session) -> None:
        user = ready_user()
        ready_base_image()
        nodes = [item.nodeid for item in session.items if HERE in item.path.parents]
        reader, writer = os.pipe()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *nodes]
        self._config = session.config
        self._reports: defaultdict[str, list[pytest.TestReport]] = defaultdict(list)
        self._process = user.popen(
            command,
            cwd=user.checkout,
            env={REPORTS: str(writer)},
            pass_fds=[writer],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.close(writer)
        self._lines = os.fdopen(reader)
        session.config.add_cleanup(self.end)

    def reports(self, nodeid: str) -> list[pytest.TestReport]:
        """The reports of one test, up to its teardown. Both sides may sort the tests differently."""
        while not any(report.when == "teardown" for report in self._reports[nodeid]):
            line = self._lines.readline()
            if not line:
                words, _ = self._process.communicate()
                raise RuntimeError(f"the tests as an ordinary user ended early:\n{words}")
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=json.loads(line))
            if isinstance(report.longrepr, list):
                report.longrepr = tuple(report.longrepr)  # where a test was skipped: JSON has no tuples
            self._reports[report.nodeid].append(report)
        return self._reports.pop(nodeid)

    def end(self) -> None:
        self._lines.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=60)
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()


def report_to_parent(config: pytest.Config) -> None:
    """In the second pytest, once: start to report."""
    descriptor = os.environ.pop(REPORTS, "")
    if descriptor:
        config.stash[RUN] = None  # type: ignore[assignment]
        config.pluginmanager.register(Reporter(config, int(descriptor)))


def run_as_ordinary_user(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report `item` from the second pytest; None, which lets pytest run it here, for whoever is an ordinary user
    already. What of this pytest's own fixtures `nextitem` does not share ends here, as after any test.
    """
    if os.geteuid() != 0 or HERE not in item.path.parents:  # pytest asks this folder's hook about all tests
        return None
    session = item.session
    if RUN not in session.config.stash:
        try:
            session.config.stash[RUN] = Run(session)
        except UnavailableError:
            return None  # the fixture `base_image` says so, test by test
    hooks: Any = item.ihook
    hooks.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in session.config.stash[RUN].reports(item.nodeid):
        hooks.pytest_runtest_logreport(report=report)
    hooks.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    session._setupstate.teardown_exact(nextitem)
    return True
