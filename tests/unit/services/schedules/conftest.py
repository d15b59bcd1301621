"""A project with a pushed branch, a clock that only tests move, and people."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.permissions import Role
from app.models import Pipeline, PipelineSchedule, Project, User, write
from app.services.core import Core
from app.services.schedules.save_schedule import Draft, create_schedule
from tests.factories import make_member, make_project, make_user
from tests.git_client import Checkout, new_checkout
from tests.support.world import Clock

#: The job is there for schedules alone.
PIPELINE = """
nightly:
  script: [make]
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule" && $CI_PIPELINE_SCHEDULE_DESCRIPTION == "Every night"
"""


@dataclass
class Place:
    """`core` has the clock in it; `checkout` is what was pushed."""

    core: Core
    clock: Clock
    project: Project
    owner: User
    checkout: Checkout

    def schedule(self, user: User | None = None, **given: Any) -> PipelineSchedule:
        values = {"description": "Every night", "ref": "main", "cron": "0 1 * * *", **given}
        return create_schedule(self.core, self.project, user or self.owner, Draft(**values))

    def member(self, role: Role = Role.DEVELOPER) -> User:
        user = make_user(self.core)
        make_member(self.core, user, self.project, role)
        return user

    def set(self, row: Any, **columns: Any) -> None:
        kind, key = type(row), row.id
        with write(self.core.session):
            fresh = self.core.session.get_one(kind, key)
            for name, value in columns.items():
                setattr(fresh, name, value)

    def pipelines(self) -> list[Pipeline]:
        self.core.session.rollback()
        return list(self.core.session.scalars(select(Pipeline).order_by(Pipeline.id)))

    def pass_hours(self, hours: float) -> None:
        self.clock.pass_seconds(hours * 3600)


@pytest.fixture
def place(core: Core, tmp_path: Path) -> Place:
    clock = Clock()
    timed = replace(core, now=clock)
    owner = make_user(timed)
    project = make_project(timed, "acme/rocket", creator=owner)
    checkout = new_checkout(
        tmp_path / "checkout", str(core.repositories.path(project.id)), {".gitlab-ci.yml": PIPELINE}
    )
    assert checkout.push("main").ok
    return Place(timed, clock, project, owner, checkout)


@pytest.fixture
def again(place: Place) -> Callable[[PipelineSchedule], PipelineSchedule]:
    """The schedule as it is now."""

    def read(schedule: PipelineSchedule) -> PipelineSchedule:
        place.core.session.rollback()
        return place.core.session.get_one(PipelineSchedule, schedule.id, populate_existing=True)

    return read
