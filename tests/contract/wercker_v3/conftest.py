"""The API as its callers see it: `api` calls it, `place` is the project `acme/rocket` with people of every role."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.wercker_v3.entities.common import id_of
from app.services.core import Core
from tests.contract.gitlab_v4.conftest import Place, place, queries
from tests.git_client import Checkout, new_checkout

__all__ = ["place", "queries"]


@dataclass
class Api:
    """Calls below /api/v3. `token` signs in; None calls without."""

    client: FlaskClient
    token: str | None = None

    def __call__(self, method: str, path: str, *, token: str | None = "", **given: Any) -> TestResponse:
        chosen = self.token if token == "" else token
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        headers |= given.pop("headers", {})
        path = path if path.startswith(("/api/", "/status/", "/project/")) else f"/api/v3{path}"
        return self.client.open(path, method=method, headers=headers, buffered=True, **given)

    def get(self, path: str, **given: Any) -> TestResponse:
        return self("GET", path, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        return self("POST", path, **given)

    def put(self, path: str, **given: Any) -> TestResponse:
        return self("PUT", path, **given)

    def patch(self, path: str, **given: Any) -> TestResponse:
        return self("PATCH", path, **given)

    def delete(self, path: str, **given: Any) -> TestResponse:
        return self("DELETE", path, **given)


@pytest.fixture
def api(client: FlaskClient, place: Place) -> Api:
    """Calls as the project's maintainer, unless told otherwise."""
    return Api(client, place.tokens["maintainer"])


@dataclass
class Ids:
    """The ids under which the API shows the place."""

    application: str
    pipeline: str
    run: str


@pytest.fixture
def ids(core: Core, place: Place) -> Ids:
    from app.services.runs.definitions import defaults

    definition = defaults(core, {place.project.id})[place.project.id]
    return Ids(id_of(place.project), id_of(definition), id_of(place.pipeline))


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
