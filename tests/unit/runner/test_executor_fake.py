"""The fake executor keeps the port's contract."""

import pytest

from runner.executor.base import Build, ConfigurationError, ImageRef, ServiceRef
from runner.executor.fake import FakeExecutor
from tests.unit.runner.executor_contract import ExecutorContract, Never


@pytest.fixture
def executor():
    return FakeExecutor(grace=0.3)


@pytest.fixture
def build(tmp_path):
    return make_build(tmp_path)


def make_build(tmp_path, services=()):
    workspace, control = tmp_path / "work", tmp_path / "work.tmp"
    workspace.mkdir()
    control.mkdir()
    return Build(
        job_id=1,
        name="test",
        image=None,
        services=services,
        environment={"GREETING": "hello 'you'"},
        workspace=workspace,
        project_dir=str(workspace),
        control=control,
        control_dir=str(control),
        read_only_mounts={},
        labels={},
        timeout=60,
    )


class TestFakeExecutor(ExecutorContract):
    """All of the contract."""


def test_services_are_refused_rather_than_left_out(executor, tmp_path):
    build = make_build(tmp_path, [ServiceRef(ImageRef("postgres"))])
    with pytest.raises(ConfigurationError):
        executor.prepare(build, lambda data: None, Never())
