"""Projects: lists, one, making one."""

import pytest

from app.domain.permissions import Role
from app.models import Group
from tests.contract.gitlab_v4.shapes import differences
from tests.factories import make_member, make_project
from tests.support.gitlab import Api
from tests.support.place import Place

SIMPLE = {
    "id": "integer",
    "description": "text?",
    "name": "text",
    "name_with_namespace": "text",
    "path": "text",
    "path_with_namespace": "text",
    "created_at": "time",
    "default_branch": "text?",
    "tag_list": "list",
    "topics": "list",
    "ssh_url_to_repo": "text?",
    "http_url_to_repo": "text",
    "web_url": "text",
    "readme_url": "text?",
    "avatar_url": "text?",
    "forks_count": "integer",
    "star_count": "integer",
    "last_activity_at": "time",
    "visibility": "text",
    "namespace": {
        "id": "integer",
        "name": "text",
        "path": "text",
        "kind": "text",
        "full_path": "text",
        "parent_id": "integer?",
        "avatar_url": "text?",
        "web_url": "text",
    },
}
WHOLE = SIMPLE | {
    "_links": {"self": "text"},
    "archived": "boolean",
    "jobs_enabled": "boolean",
    "builds_access_level": "text",
    "shared_runners_enabled": "boolean",
    "public_jobs": "boolean",
    "build_timeout": "integer",
    "build_git_strategy": "text",
    "ci_default_git_depth": "integer",
    "ci_config_path": "text?",
    "permissions": {"project_access": "object?", "group_access": "object?"},
}


def names(response) -> list[str]:
    assert response.status_code == 200, response.json
    return [row["path_with_namespace"] for row in response.json]


@pytest.fixture
def several(place: Place) -> None:
    """Beside acme/rocket: a public and an internal project of somebody, and one below a group of the maintainer."""
    owner = place.users["owner"]
    make_project(place.core, "zoo/open", creator=owner, visibility="public")
    make_project(place.core, "zoo/inside", creator=owner, visibility="internal")
    hidden = make_project(place.core, "team/sub/hidden", creator=owner)
    group = place.core.session.get_one(Group, hidden.group.parent_id)
    make_member(place.core, place.users["maintainer"], group, Role.REPORTER)


def test_a_project_has_every_key_in_its_type(api: Api) -> None:
    for path in ("/projects/1", "/projects/acme%2Frocket"):
        assert differences(api.get(path).json, WHOLE) == []
    assert differences(api.get("/projects?simple=true").json[0], SIMPLE) == []
    assert "permissions" not in api.get("/projects?simple=true").json[0]


def test_a_project_says_what_the_caller_is_in_it(api: Api, several: None) -> None:
    shown = {row["path"]: row["permissions"] for row in api.get("/projects").json}
    assert shown["rocket"] == {"project_access": {"access_level": 40, "notification_level": 3}, "group_access": None}
    assert shown["hidden"]["group_access"]["access_level"] == 20
    assert shown["open"] == {"project_access": None, "group_access": None}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (None, ["zoo/open"]),
        ("stranger", ["zoo/inside", "zoo/open"]),
        ("maintainer", ["team/sub/hidden", "zoo/inside", "zoo/open", "acme/rocket"]),
        ("admin", ["team/sub/hidden", "zoo/inside", "zoo/open", "acme/rocket"]),
    ],
)
def test_everyone_sees_what_they_may(
    api: Api, place: Place, several: None, role: str | None, expected: list[str]
) -> None:
    assert names(api.get("/projects", token=role and place.tokens[role])) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("membership=true", ["team/sub/hidden", "acme/rocket"]),
        ("min_access_level=30", ["acme/rocket"]),
        ("owned=true", []),
        ("visibility=public", ["zoo/open"]),
        ("search=SUB", ["team/sub/hidden"]),
        ("search=%25", []),
        ("order_by=path&sort=asc", ["team/sub/hidden", "zoo/inside", "zoo/open", "acme/rocket"]),
        ("order_by=id&sort=asc", ["acme/rocket", "zoo/open", "zoo/inside", "team/sub/hidden"]),
        ("order_by=similarity", ["team/sub/hidden", "zoo/inside", "zoo/open", "acme/rocket"]),
        ("id_after=2&sort=asc", ["zoo/inside", "team/sub/hidden"]),
        ("id_before=2", ["acme/rocket"]),
        ("archived=true", []),
        ("archived=false&search=rocket", ["acme/rocket"]),
    ],
)
def test_filters(api: Api, several: None, query: str, expected: list[str]) -> None:
    assert names(api.get(f"/projects?{query}")) == expected


def test_what_one_owns(api: Api, place: Place, several: None) -> None:
    found = names(api.get("/projects?owned=true&simple=true&order_by=id&sort=asc", token=place.tokens["owner"]))
    assert found == ["acme/rocket", "zoo/open", "zoo/inside", "team/sub/hidden"]


def test_a_list_needs_few_queries_however_long_it_is(api: Api, place: Place, several: None, queries) -> None:
    api.get("/user")
    make_project(place.core, "g/sub/p", creator=place.users["maintainer"])
    few = queries(lambda: api.get("/projects"))
    for number in range(4):
        make_project(place.core, f"g{number}/sub/p", creator=place.users["maintainer"])
    assert queries(lambda: api.get("/projects")) == few <= 12


def test_making_a_project(api: Api) -> None:
    response = api.post("/projects", json={"name": "My First Rocket!", "description": "up"})
    assert (response.status_code, response.json["path_with_namespace"]) == (201, "maintainer/my-first-rocket")
    assert (response.json["description"], response.json["visibility"]) == ("up", "private")
    assert response.json["permissions"]["project_access"]["access_level"] == 50
    taken = api.post("/projects", json={"path": "my-first-rocket"})
    assert taken.status_code == 400
    assert taken.json == {"message": {"name": ["has already been taken"], "path": ["has already been taken"]}}


def test_making_a_project_in_a_group(api: Api, place: Place) -> None:
    given = {"path": "second", "namespace_id": 1, "visibility": "private"}
    assert api.post("/projects", json=given).status_code == 404  # a private group of which one knows nothing
    response = api.post("/projects", json=given, token=place.tokens["owner"])
    assert (response.status_code, response.json["path_with_namespace"]) == (201, "acme/second")
    assert api.post("/projects", json=given | {"namespace_id": 99}).status_code == 404


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {"error": "name, path are missing, at least one parameter must be provided"}),
        ({"path": "x", "visibility": "secret"}, {"error": "visibility does not have a valid value"}),
        ({"path": "-/x"}, None),
        ({"path": "x.git"}, None),
        ({"path": "x", "import_url": "file:///etc/passwd"}, None),
    ],
)
def test_what_cannot_be_made(api: Api, given: dict, body: dict | None) -> None:
    response = api.post("/projects", json=given)
    assert response.status_code == 400
    assert response.json == body if body else set(response.json) == {"message"}


def test_a_project_is_made_with_its_settings_and_a_first_commit(api: Api, place: Place) -> None:
    api.token = place.tokens["owner"]
    given = {"default_branch": "trunk", "ci_config_path": "ci.yml", "build_timeout": 700, "public_jobs": False}
    made = api.post(
        "/projects", json={"name": "My Project", "namespace_id": 1, "initialize_with_readme": True, **given}
    )
    assert made.status_code == 201
    assert {key: made.json[key] for key in given} == given
    assert (made.json["name"], made.json["path"], made.json["empty_repo"]) == ("My Project", "my-project", False)
    home = f"/projects/{made.json['id']}/repository"
    readme = api.get(f"{home}/files/README.md/raw?ref=trunk")
    assert readme.text == "# My Project\n"
    [commit] = api.get(f"{home}/commits").json
    assert (commit["title"], commit["author_name"]) == ("Initial commit", "owner")
    assert [branch["default"] for branch in api.get(f"{home}/branches").json] == [True]


def test_a_new_mirror_is_fetched_without_being_asked(api: Api, place: Place) -> None:
    api.token = place.tokens["owner"]
    made = api.post("/projects", json={"path": "copy", "namespace_id": 1, "import_url": "http://127.0.0.1:9/x.git"})
    pulled = api.get(f"/projects/{made.json['id']}/mirror/pull").json
    assert pulled["update_status"] == "scheduled"


def test_a_project_that_cannot_have_its_settings_is_not_made(api: Api, place: Place) -> None:
    api.token = place.tokens["owner"]
    refused = api.post("/projects", json={"name": "late", "namespace_id": 1, "build_timeout": 5})
    assert (refused.status_code, list(refused.json["message"])) == (400, ["build_timeout"])
    assert api.get("/projects?search=late").json == []
