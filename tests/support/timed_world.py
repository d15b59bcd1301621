"""Fixtures for folders of tests whose Core has a clock that only tests move, with builders of pipelines."""

from dataclasses import replace

import pytest

from tests.databases import BOTH
from tests.support.world import Clock, World


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def core(app, clock):
    core = replace(app.extensions["skerry"], now=clock)
    app.extensions["skerry"] = core
    return core


@pytest.fixture
def world(core):
    return World(core)


def pytest_generate_tests(metafunc):
    """Every test here runs on both databases."""
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", BOTH, indirect=True)
