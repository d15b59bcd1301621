"""One pipeline seen through all APIs at once tells one story, by the table of docs/reference/dialects.md.

A stock runner carries the pipeline on; every moment is compared in every vocabulary.
"""

import re
from pathlib import Path

import pytest

from app.api.wercker_v3.entities.common import id_of
from tests.databases import BOTH
from tests.support.story import Moment, Story

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "dialects.md"


def read_table() -> dict[str, Moment]:
    """The page's table: what a pipeline does, and what each API says of it then."""
    found = {}
    for line in PAGE.read_text().partition("## One pipeline")[2].partition("\n## ")[0].splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells and cells[0].startswith("`"):
            gitlab, wercker, layerci, candor, running, cctray = (re.findall(r"`(\w+)`", cell) for cell in cells)
            found[name] = Moment(
                gitlab=gitlab[0],
                wercker=(wercker[0], wercker[1]),
                layerci=(layerci[0], layerci[1]),
                candor=candor[0] if candor else None,
                running=running[0] == "true",
                cctray=(cctray[0], cctray[1]),
            )
    return found


TABLE = read_table()
QUEUED, STARTING = TABLE["queued"], TABLE["taken by a runner that was not heard of since"]
RUNNING, FAILING = TABLE["running"], TABLE["running on, and a job has failed"]
WAITING, PASSED, FAILED = TABLE["waiting for a person"], TABLE["passed"], TABLE["failed"]
BROKEN, UNREADABLE = TABLE["failed by the runner's fault"], TABLE["without a configuration that can be read"]
CANCELING, CANCELED = TABLE["being canceled"], TABLE["canceled"]


def test_from_the_queue_over_a_failure_and_a_person_to_success(story: Story) -> None:
    story.layerci("/run/rocket", "POST", branch="main")
    assert story.now() == QUEUED
    assert story.jobs() == {"compile": "pending", "unit": "created", "lint": "created", "ship": "created"}
    assert story.runners() == {"compile": "NEW"} | dict.fromkeys(("unit", "lint", "ship"), "WAITING_PARENTS")

    compiling = story.runner.take()
    assert story.now() == STARTING
    assert (story.jobs()["compile"], story.runners()["compile"]) == ("running", "NEW")
    compiling.update("running")
    assert story.now() == RUNNING
    assert (story.jobs()["compile"], story.runners()["compile"]) == ("running", "RUNNING")
    compiling.finish()
    assert story.now() == RUNNING
    assert story.jobs() == {"compile": "success", "unit": "pending", "lint": "pending", "ship": "created"}

    unit, lint = story.runner.take(), story.runner.take()
    lint.update("running")
    unit.finish("failed", failure_reason="script_failure", exit_code=1)
    assert story.now() == FAILING
    assert story.runners() == {"compile": "SUCCESS", "unit": "FAILURE", "lint": "RUNNING", "ship": "WAITING_PARENTS"}
    lint.finish()
    assert story.now() == FAILED
    assert (story.jobs()["ship"], story.runners()["ship"]) == ("skipped", "SUCCESS")

    story.gitlab(f"/jobs/{story.job_id('unit')}/retry", "POST")
    assert story.now() == RUNNING
    story.runner.take().finish()
    assert story.now() == WAITING
    assert (story.jobs()["ship"], story.runners()["ship"]) == ("manual", "WAITING_PARENTS")

    story.gitlab(f"/jobs/{story.job_id('ship')}/play", "POST")
    assert story.now() == RUNNING
    story.runner.take().finish()
    assert story.now() == PASSED
    assert set(story.jobs().values()) == {"success"}
    assert set(story.runners().values()) == {"SUCCESS"}


def test_canceled_while_a_script_runs(story: Story) -> None:
    story.layerci("/run/rocket", "POST", branch="main")
    compiling = story.runner.take()
    compiling.update("running")
    assert story.now() == RUNNING
    aborted = story.wercker(f"/runs/{id_of(story.newest())}/abort", "PUT")
    assert (aborted["status"], aborted["result"]) == ("finished", "aborted")
    assert story.now() == CANCELING
    assert story.jobs() == {"compile": "canceling"} | dict.fromkeys(("unit", "lint", "ship"), "canceled")
    told = story.newest().updated_at
    compiling.finish("failed")
    assert story.now() == CANCELED
    assert set(story.jobs().values()) == {"canceled"}
    assert set(story.runners().values()) == {"CANCELLED"}
    assert story.newest().finished_at >= told


def test_canceled_before_any_runner_came(story: Story) -> None:
    story.layerci("/run/rocket", "POST", branch="main")
    story.gitlab(f"/pipelines/{story.newest().id}/cancel", "POST")
    assert story.now() == CANCELED


def test_a_fault_of_the_runner_and_a_configuration_that_is_wrong(story: Story) -> None:
    story.layerci("/run/rocket", "POST", branch="main")
    story.runner.take().finish("failed", failure_reason="runner_system_failure")
    assert story.now() == BROKEN
    assert story.runners()["compile"] == "ERROR"

    story.commit({".gitlab-ci.yml": "compile: [nonsense"})
    story.layerci("/run/rocket", "POST", branch="main")
    assert story.now() == UNREADABLE
    assert (story.jobs(), story.runners()) == ({}, {})


def test_while_one_builds_monitors_go_by_the_last_that_ended(story: Story) -> None:
    story.layerci("/run/rocket", "POST", branch="main")
    story.runner.take().finish("failed", failure_reason="script_failure", exit_code=1)
    assert story.now() == FAILED
    story.layerci("/run/rocket", "POST", branch="main")
    assert story.now() == QUEUED.last_build("Failure")
    compiling = story.runner.take()
    assert story.now() == STARTING.last_build("Failure")
    compiling.update("running")
    assert story.now() == RUNNING.last_build("Failure")
