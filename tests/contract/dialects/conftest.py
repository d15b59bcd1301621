"""One project, looked at through every API at once: `story`."""

from pathlib import Path

import pytest
from flask import Flask

from app.services.core import Core
from tests.conftest import LiveServer
from tests.support.story import Story, make_story


@pytest.fixture
def story(app: Flask, core: Core, server: LiveServer, tmp_path: Path) -> Story:
    return make_story(app, core, server.url, tmp_path)
