"""Podman keeps the port's contract: the tests are those of the fake executor."""

from collections.abc import Callable

import pytest

from runner.executor.base import Build
from tests.unit.runner.executor_contract import ExecutorContract


@pytest.fixture
def build(make_build: Callable[..., Build]) -> Build:
    return make_build(environment={"GREETING": "hello 'you'"})


@pytest.mark.podman
class TestPodmanExecutor(ExecutorContract):
    """All of the contract."""
