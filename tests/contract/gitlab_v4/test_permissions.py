"""What everyone is answered, route by route: permissions.txt is the whole truth."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app.api.gitlab_v4 import ENDPOINTS
from app.models import Artifact
from tests.contract.gitlab_v4.permission_bodies import BODIES
from tests.contract.gitlab_v4.permission_things import Things, credentials
from tests.git_client import new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

TABLE = Path(__file__).parent / "permissions.txt"
#: The table's, and last the runner, who is answered as `expired` is.
COLUMNS = (
    "anonymous",
    "stranger",
    "guest",
    "reporter",
    "developer",
    "maintainer",
    "owner",
    "admin",
    "job",
    "otherjob",
    "endedjob",
    "revoked",
    "expired",
    "runner",
)


def read_tables() -> dict[str, dict[str, tuple[int, ...]]]:
    """Per visibility: the statuses of each call, in the order of COLUMNS."""
    tables: dict[str, dict[str, tuple[int, ...]]] = {}
    for line in TABLE.read_text().splitlines():
        if line.startswith("== "):
            current = tables.setdefault(line.split()[1], {})
        elif line and not line.startswith("#"):
            words = line.split()
            current[" ".join(words[:2])] = tuple(int(word) for word in words[2:])
    return tables


TABLES = read_tables()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("visibility", TABLES)
def test_everyone_gets_what_the_table_says(
    api: Api, place: Place, tmp_path: Path, visibility: str, column: str
) -> None:
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(place.project.id)), {"a": "1"})
    assert checkout.push("main").ok
    place.set(place.project, visibility=visibility)
    things, position = Things(place), COLUMNS.index("expired" if column == "runner" else column)
    things.make("variable")
    things.make("release")
    headers = credentials(place, column)
    expected, found = {}, {}
    for call, statuses in TABLES[visibility].items():
        method, path = call.split()
        path = re.sub(r"{(\w+)}", lambda match: str(things.make(match[1])), path)
        expected[call] = statuses[position]
        found[call] = api(method, path, token=None, headers=headers, json=BODIES.get(call)).status_code
        if method != "GET" and found[call] < 400:  # it may have changed what it was about, and used up the token
            things.forget(re.findall(r"{(\w+)}", call))
            headers = credentials(place, column)
    assert found == expected


def test_private_things_look_like_things_that_are_not_there(api: Api, place: Place) -> None:
    for path in ("", "/jobs", "/jobs/1", "/pipelines", "/jobs/1/artifacts", "/jobs/artifacts/main/download?job=x"):
        hidden = api.get(f"/projects/1{path}", token=place.tokens["stranger"])
        missing = api.get(f"/projects/99{path}", token=place.tokens["stranger"])
        assert (
            (hidden.status_code, hidden.json)
            == (missing.status_code, missing.json)
            == (
                404,
                {"message": "404 Project Not Found"},
            )
        )


def test_jobs_that_are_not_public_are_for_reporters(api: Api, place: Place) -> None:
    job = place.job()
    place.archive(job, zipped({"a": b"1"}))
    place.set(place.project, visibility="public", public_jobs=False)
    for path in ("/jobs", f"/jobs/{job.id}", f"/jobs/{job.id}/trace", f"/jobs/{job.id}/artifacts", "/pipelines"):
        assert api.get(f"/projects/1{path}", token=None).status_code == 403
        assert api.get(f"/projects/1{path}", token=place.tokens["guest"]).status_code == 403
        assert api.get(f"/projects/1{path}", token=place.tokens["reporter"]).status_code == 200
    assert api.get("/projects/1", token=None).status_code == 200
    assert place.core.session.get(Artifact, 1) is not None


#: About the caller alone, or the same for everyone who is signed in: tested with users, tokens and projects.
ELSEWHERE = {
    "create",
    "get_metadata",
    "get_openapi",
    "get_own_token",
    "get_token",
    "get_user",
    "list_users",
    "revoke_own_token",
    "revoke_token",
}


def test_the_table_has_every_endpoint(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    listed = set()
    for call in TABLES["private"]:
        method, path = call.split()
        endpoint, _ = adapter.match("/api/v4" + re.sub(r"{\w+}", "1", path.partition("?")[0]), method)
        listed.add(endpoint.removeprefix("gitlab_v4."))
    assert listed == {endpoint.name for endpoint in ENDPOINTS} - ELSEWHERE
