"""A live server with a project, and a stock runner that serves it."""

import pytest

from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.databases import BOTH
from tests.support.world import World


@pytest.fixture
def world(core):
    return World(core)


@pytest.fixture
def project(world):
    return world.project()


@pytest.fixture
def make_stock(core, server):
    """Make a stock runner with a token of its own; keywords as `create_runner` takes them."""

    def make(features=None, system_id="s_0123456789ab", **columns):
        _, token = create_runner(core, **columns)
        return StockRunner(server.url, token, system_id, features)

    return make


@pytest.fixture
def stock(make_stock):
    return make_stock()


def pytest_generate_tests(metafunc):
    """Who gets which job is asked of both databases; the rest is the same code in front of services tested on both."""
    if "database" in metafunc.fixturenames and metafunc.module.__name__.endswith("test_request"):
        metafunc.parametrize("database", BOTH, indirect=True)
