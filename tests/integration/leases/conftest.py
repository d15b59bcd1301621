"""A real server process beside the test, on the same data."""

import pytest

from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.support.served import Served
from tests.support.world import World


@pytest.fixture
def served_settings():
    """Settings of the server process. Override it in a test module or class."""
    return {}


@pytest.fixture
def world(core):
    return World(core)


@pytest.fixture
def served(core, data_dir, database, served_settings):
    served = Served(data_dir, database, **served_settings)
    served.start()
    yield served
    served.close()


@pytest.fixture
def stock(core, served):
    return StockRunner(served.url, create_runner(core)[1])
