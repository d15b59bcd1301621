"""The Core with a clock that only tests move, and builders of pipelines."""

from dataclasses import replace

import pytest

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
