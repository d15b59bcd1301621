"""The shared Core with a clock that stands still."""

from dataclasses import replace

import pytest

from tests.support.world import Clock, World


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def core(app, clock):
    parts = replace(app.extensions["skerry"], now=clock)
    app.extensions["skerry"] = parts
    return parts


@pytest.fixture
def world(core):
    return World(core)
