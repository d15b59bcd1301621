"""The log and the result of a pushed run, as its stages go by (candor.md A.7, A.8)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.masking import Masker
from runner.steps import StepReport
from runner.trace import Trace

PASSED, FAILED, ERROR, SKIPPED = "Passed", "Failed", "Error", "Skipped"
NOT_RUN, NO_RUNTIME, TIMED_OUT = -1, -2, -3
KILLED = 137


class PlanLog(Trace):
    """A log that holds what stages print, under a heading for each; what the runner itself says stays out of it."""

    _open = False
    _begun = False

    def say(self, text: str) -> None:
        """The runner's own words are not part of this log."""

    def write(self, data: bytes) -> None:
        if self._open:
            super().write(data)

    def begin(self, number: int, count: int) -> None:
        """A stage begins: its heading, behind a blank line for all but the first."""
        blank = "\n" if self._begun else ""
        self._begun = self._open = True
        super().say(f"{blank}**************** [{number}/{count}] ****************\n")

    def end(self, line: str) -> None:
        """The stage has ended, and how."""
        last = self.read(self.mark() - 1, 1)
        super().say(f"{line}\n" if last == b"\n" else f"\n{line}\n")
        self._open = False


class PlanSteps(StepReport):
    """Writes headings and endings to `log`, and keeps each stage's result in `results`."""

    def __init__(self, names: list[str], log: PlanLog) -> None:
        super().__init__(len(names))
        self._log = log
        self.results = [{"name": name, "status": SKIPPED, "exitCode": NOT_RUN} for name in names]
        self.any_began = False

    def start(self, position: int, offset: int) -> None:
        self.any_began = True
        self._log.begin(position + 1, len(self.results))
        super().start(position, offset)

    def end(self, position: int, status: str, offset: int, exit_code: int | None = None, reason: str = "") -> None:
        word, code = _result(status, exit_code, reason)
        self.results[position] |= {"status": word, "exitCode": code}
        self._log.end(_last_line(code))
        super().end(position, status, offset, exit_code, reason)

    def close(self) -> None:
        """Show what never began as skipped."""
        for number, result in enumerate(self.results, 1):
            if self.any_began and result["status"] == SKIPPED:
                self._log.begin(number, len(self.results))
                self._log.end(SKIPPED)
        super().close()

    @property
    def all_passed(self) -> bool:
        """Whether there were stages, and each has passed."""
        return bool(self.results) and all(one["status"] == PASSED for one in self.results)

    def outcome(self, broken: bool, archived: Sequence[str] = ()) -> dict[str, Any]:
        """The run's result. `broken`: something failed, be it before or behind the stages, which are then left out.
        `archived` are the names of the files that were kept.
        """
        first = next((one["status"] for one in self.results if one["status"] not in (PASSED, SKIPPED)), None)
        if first is not None:
            return {"status": first, "stages": self.results}
        if broken:
            return {"status": ERROR}
        passed: dict[str, Any] = {"status": PASSED, "stages": self.results}
        return passed | ({"archived": list(archived)} if self.results else {})


def _result(status: str, exit_code: int | None, reason: str) -> tuple[str, int]:
    if status == "success":
        return PASSED, 0
    if exit_code is not None:
        return FAILED, exit_code
    if reason == "job_execution_timeout":
        return FAILED, TIMED_OUT
    if reason == "script_failure":  # killed for its use of memory
        return FAILED, KILLED
    return ERROR, NO_RUNTIME if reason == "runner_configuration_error" else NOT_RUN


def _last_line(code: int) -> str:
    words = {TIMED_OUT: "Process exceeded stage execution time limit", NO_RUNTIME: "Runtime unavailable"}
    return words.get(code, f"Process exited with status code {code}")


def open_log(path: Path, limit: int) -> PlanLog:
    """The log at `path`, continued where there is one already."""
    return PlanLog(path, Masker((), ()), limit)
