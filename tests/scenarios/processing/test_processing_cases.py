"""Every case file of this folder (`files`) is played twice: on the pure domain, and on the real services."""

from pathlib import Path

import pytest

from tests.scenarios.processing.files import FILES, Player, read_case
from tests.scenarios.processing.machines import DomainMachine, ServiceMachine
from tests.support.world import Clock, World

each_case = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_there_are_cases() -> None:
    assert len(FILES) > 50


@each_case
def test_the_domain_does_what_the_case_says(path: Path) -> None:
    case = read_case(path)
    for moment, found, expected in Player(case, DomainMachine(case.plan)).play():
        assert found == expected, moment


@each_case
def test_the_services_do_what_the_case_says(path: Path, world: World, clock: Clock) -> None:
    case = read_case(path)
    project = world.project()
    user = world.user(project)
    pipeline = world.pipeline_of(project, case.plan, user=user)
    for moment, found, expected in Player(case, ServiceMachine(world.core, pipeline, user, clock)).play():
        assert found == expected, moment
