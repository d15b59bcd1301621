"""A Core on SQLite with a clock that stands still."""

from dataclasses import replace

import pytest

from tests.support.world import Clock, World, make_app


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def core(app, clock):
    core = replace(app.extensions["skerry"], now=clock)
    app.extensions["skerry"] = core
    with app.app_context():
        yield core
        core.session.remove()
        core.session.get_bind().dispose()


@pytest.fixture
def world(core):
    return World(core)
