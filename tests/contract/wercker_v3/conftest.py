"""The API as its callers see it: `api` calls it, `place` is the project `acme/rocket` with people of every role."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.core import Core
from tests.git_client import Checkout, new_checkout
from tests.prepared import Prepared
from tests.support.calls import count_statements
from tests.support.place import Place, make_place
from tests.support.wercker import Api, Ids, ids_of


@pytest.fixture
def place(core: Core, prepared: Prepared) -> Place:
    return prepared(core, make_place)


@pytest.fixture
def queries(core: Core) -> Callable[[Callable[[], Any]], int]:
    """How many statements a call sends to the database."""
    return count_statements


@pytest.fixture
def api(client: FlaskClient, place: Place) -> Api:
    """Calls as the project's maintainer, unless told otherwise."""
    return Api(client, place.tokens["maintainer"])


@pytest.fixture
def ids(place: Place) -> Ids:
    return ids_of(place)


@pytest.fixture
def error() -> Callable[[TestResponse], tuple[int, str, str]]:
    """Status, name and message of an answer, which has to be an error in this API's form."""

    def read(response: TestResponse) -> tuple[int, str, str]:
        body = response.get_json()
        assert set(body) <= {"statusCode", "error", "message", "details"}, body
        assert body["statusCode"] == response.status_code
        assert response.content_length
        for each in body.get("details", ()):
            assert set(each) == {"message", "path", "type", "context"}
        return response.status_code, body["error"], body["message"]

    return read


@pytest.fixture
def pushed(place: Place, tmp_path: Path) -> Checkout:
    """The project's repository holds one commit, on main."""
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(place.project.id)))
    assert checkout.push("main").ok
    return checkout
