"""A repository with a branch `master` behind LayerCI's API: `layerci` calls it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services.core import Core
from tests.support.calls import count_statements
from tests.support.layerci import LayerCi, make_layerci


@pytest.fixture
def layerci(core: Core, client: FlaskClient, tmp_path: Path) -> LayerCi:
    return make_layerci(core, client, tmp_path)


@pytest.fixture
def queries(core: Core) -> Callable[[Callable[[], Any]], int]:
    """How many statements a call sends to the database."""
    return count_statements
