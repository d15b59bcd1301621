"""The real services on a database, with a clock that only tests move."""

from dataclasses import replace

import pytest
from flask import Flask

from app.services.core import Core
from tests.support.world import Clock, World


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(app: Flask, clock: Clock) -> World:
    core: Core = replace(app.extensions["skerry"], now=clock)
    return World(core)
