"""The API as its callers see it: `api` calls it, `place` is a project with people of every role in it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services.core import Core
from tests.prepared import Prepared
from tests.support.calls import count_statements
from tests.support.gitlab import Api
from tests.support.openapi import watch
from tests.support.place import Place, make_place


@pytest.fixture(autouse=True)
def wrong_answers(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Hold every answer that a test gets, over whichever client, against the OpenAPI document."""
    if "app" not in request.fixturenames:
        yield []
        return
    wrong = watch(request.getfixturevalue("app"))
    yield wrong
    assert wrong == []


@pytest.fixture
def place(core: Core, prepared: Prepared) -> Place:
    return prepared(core, make_place)


@pytest.fixture
def api(client: FlaskClient, place: Place) -> Api:
    """Calls as the project's maintainer, unless told otherwise."""
    return Api(client, place.tokens["maintainer"])


@pytest.fixture
def queries(core: Core) -> Callable[[Callable[[], Any]], int]:
    """How many statements a call sends to the database."""
    return count_statements
