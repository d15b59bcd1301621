"""Groups, members of groups and projects, and the settings of projects."""

import pytest

from app.models import Group, Job, Membership, Project, ProtectedRef
from tests.factories import make_member, make_project
from tests.git_client import new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place, zipped


def test_making_a_group_and_one_below_it(api: Api, place: Place) -> None:
    owner = place.tokens["stranger"]
    made = api.post("/groups", json={"name": "The Moon", "path": "moon", "visibility": "public"}, token=owner)
    assert made.status_code == 201
    assert {key: made.json[key] for key in ("name", "path", "full_path", "full_name", "visibility", "parent_id")} == {
        "name": "The Moon",
        "path": "moon",
        "full_path": "moon",
        "full_name": "The Moon",
        "visibility": "public",
        "parent_id": None,
    }
    below = api.post("/groups", json={"name": "Base", "path": "base", "parent_id": made.json["id"]}, token=owner)
    assert (below.json["full_path"], below.json["visibility"]) == ("moon/base", "private")
    assert api.get("/groups/moon%2FBASE", token=owner).json == below.json
    assert api.get("/groups/moon%2Fbase").json == {"message": "404 Group Not Found"}
    assert [row["path"] for row in api.get("/groups/moon/subgroups", token=owner).json] == ["base"]
    assert api.get("/groups/moon/subgroups", token=None).json == []
    assert [row["path"] for row in api.get("/groups/moon/descendant_groups", token=owner).json] == ["base"]
    taken = api.post("/groups", json={"name": "x", "path": "MOON"})
    assert (taken.status_code, taken.json) == (400, {"message": {"path": ["has already been taken"]}})
    inside = api.post("/groups", json={"name": "x", "path": "x", "parent_id": made.json["id"]})
    assert inside.status_code == 403


@pytest.mark.parametrize("path", ["api", "-x", "a b", "x.git", "..", "x" * 300])
def test_paths_that_no_group_can_have(api: Api, path: str) -> None:
    refused = api.post("/groups", json={"name": "x", "path": path})
    assert (refused.status_code, list(refused.json["message"])) == (400, ["path"])


def test_which_groups_one_sees(api: Api, place: Place) -> None:
    api.post("/groups", json={"name": "Open", "path": "open", "visibility": "public"}, token=place.tokens["stranger"])
    api.post("/groups", json={"name": "In", "path": "in", "visibility": "internal"}, token=place.tokens["stranger"])
    paths = {
        name: [row["full_path"] for row in api.get("/groups", token=place.tokens[name] if name else None).json]
        for name in ("", "developer", "stranger", "owner", "admin")
    }
    assert paths == {
        "": ["open"],
        "developer": ["acme", "in", "open"],  # sees the group of a project of theirs
        "stranger": ["in", "open"],
        "owner": ["acme", "in", "open"],
        "admin": ["acme", "in", "open"],
    }
    owned = api.get("/groups?owned=true", token=place.tokens["stranger"]).json
    assert [row["full_path"] for row in owned] == ["in", "open"]
    assert [row["path"] for row in api.get("/groups?search=OPE&sort=desc").json] == ["open"]
    keyset = api.get("/groups?pagination=keyset&order_by=id&per_page=1&sort=asc", token=place.tokens["admin"])
    assert ([row["path"] for row in keyset.json], 'rel="next"' in keyset.headers["Link"]) == (["acme"], True)


def test_changing_and_removing_a_group(api: Api, place: Place) -> None:
    owner, maintainer = place.tokens["owner"], place.tokens["maintainer"]
    changed = api.put(
        "/groups/acme", json={"name": "Acme Ltd", "description": "We", "visibility": "public"}, token=owner
    )
    assert [changed.json[key] for key in ("name", "description", "visibility")] == ["Acme Ltd", "We", "public"]
    assert api.put("/groups/acme", json={"name": "Mine"}, token=maintainer).status_code == 403
    assert api.delete("/groups/acme", token=maintainer).status_code == 403
    full = api.delete("/groups/acme", token=owner)
    assert full.status_code == 409
    made = api.post("/groups", json={"name": "x", "path": "empty"}, token=owner)
    gone = api.delete("/groups/empty", token=owner)
    assert (gone.status_code, gone.json) == (202, {"message": "202 Accepted"})
    assert place.core.session.get(Group, made.json["id"]) is None


def test_projects_of_a_group(api: Api, place: Place) -> None:
    make_project(place.core, "acme/deep/second", creator=place.users["owner"])
    owner = place.tokens["owner"]
    assert [row["path"] for row in api.get("/groups/acme/projects", token=owner).json] == ["rocket"]
    both = api.get("/groups/acme/projects?include_subgroups=true&order_by=path&sort=asc", token=owner)
    assert [row["path"] for row in both.json] == ["rocket", "second"]
    assert api.get("/groups/acme/projects", token=None).status_code == 404


def test_members_of_a_project(api: Api, place: Place) -> None:
    stranger, home = place.users["stranger"], "/projects/1/members"
    assert [row["username"] for row in api.get(home).json] == [
        "developer",
        "guest",
        "maintainer",
        "owner",
        "reporter",
    ]
    added = api.post(home, json={"user_id": stranger.id, "access_level": 30, "expires_at": "2999-01-02"})
    assert added.status_code == 201
    assert [added.json[key] for key in ("id", "username", "access_level", "expires_at", "state")] == [
        stranger.id,
        "stranger",
        30,
        "2999-01-02",
        "active",
    ]
    twice = api.post(home, json={"username": "STRANGER", "access_level": 30})
    assert (twice.status_code, twice.json) == (409, {"message": "Member already exists"})
    assert api.put(f"{home}/{stranger.id}", data={"access_level": "20"}).json["access_level"] == 20
    assert api.get(f"{home}/{stranger.id}").json["access_level"] == 20
    assert api.delete(f"{home}/{stranger.id}", token=place.tokens["stranger"]).status_code == 204
    assert api.get(f"{home}/{stranger.id}").json == {"message": "404 Not Found"}


def test_nobody_gives_or_takes_more_than_they_have(api: Api, place: Place) -> None:
    home, owner, stranger = "/projects/1/members", place.users["owner"].id, place.users["stranger"].id
    assert api.post(home, json={"user_id": stranger, "access_level": 50}).status_code == 403
    assert api.put(f"{home}/{owner}", json={"access_level": 10}).status_code == 403
    assert api.delete(f"{home}/{owner}").status_code == 403
    assert api.post(home, json={"user_id": 999, "access_level": 30}).json == {"message": "404 User Not Found"}
    assert api.post(home, json={"user_id": stranger, "access_level": 35}).status_code == 400
    assert api.post(home, json={"access_level": 30}).status_code == 400
    place.core.session.query(Membership).filter_by(group_id=1).delete()
    place.core.session.commit()
    last = api.delete(f"{home}/{owner}", token=place.tokens["owner"])
    assert (last.status_code, last.json) == (
        409,
        {"message": "409 Conflict - a project or group keeps at least one owner"},
    )


def test_members_by_the_group_above(api: Api, place: Place) -> None:
    stranger, owner = place.users["stranger"], place.tokens["owner"]
    added = api.post("/groups/acme/members", json={"username": "stranger", "access_level": 40}, token=owner)
    assert added.status_code == 201
    assert stranger.id not in [row["id"] for row in api.get("/projects/1/members").json]
    inherited = {row["id"]: row["access_level"] for row in api.get("/projects/1/members/all").json}
    assert inherited[stranger.id] == 40
    assert api.get(f"/projects/1/members/all/{stranger.id}").json["access_level"] == 40
    assert [row["username"] for row in api.get("/groups/acme/members", token=owner).json] == ["owner", "stranger"]
    assert [row["username"] for row in api.get("/groups/acme/members/all?query=stra", token=owner).json] == ["stranger"]
    changed = api.put(f"/groups/acme/members/{stranger.id}", json={"access_level": 20}, token=owner)
    assert changed.json["access_level"] == 20
    assert api.get("/groups/acme/members", token=place.tokens["developer"]).status_code == 403
    assert api.post("/groups/acme/members", json={"user_id": 1, "access_level": 10}).status_code == 403
    assert api.delete(f"/groups/acme/members/{stranger.id}", token=place.tokens["stranger"]).status_code == 204


def test_settings_of_a_project(api: Api, place: Place, tmp_path) -> None:
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(1)))
    assert checkout.push("main", "main:next").ok
    given = {
        "name": "The Rocket",
        "description": "Flies",
        "default_branch": "next",
        "ci_config_path": "ci/main.yml",
        "build_timeout": 900,
        "build_git_strategy": "clone",
        "ci_default_git_depth": 0,
        "public_jobs": False,
        "shared_runners_enabled": False,
        "auto_cancel_pending_pipelines": "disabled",
    }
    shown = api.put("/projects/acme%2Frocket", json=given)
    assert shown.status_code == 200
    assert {key: shown.json[key] for key in given} == given
    assert checkout.git("ls-remote", "--symref", "origin", "HEAD").startswith("ref: refs/heads/next")
    assert place.core.session.query(ProtectedRef).filter_by(project_id=1, pattern="next").count() == 1
    missing = api.put("/projects/1", json={"default_branch": "none"})
    assert (missing.status_code, list(missing.json["message"])) == (400, ["base"])
    assert api.put("/projects/1", json={"ci_config_path": ""}).json["ci_config_path"] == ".gitlab-ci.yml"
    assert api.put("/projects/1", json={"visibility": "public"}).status_code == 403
    moved = api.put("/projects/1", json={"visibility": "public", "path": "moved"}, token=place.tokens["owner"])
    assert (moved.json["visibility"], moved.json["path_with_namespace"]) == ("public", "acme/moved")
    assert api.get("/projects/acme%2Fmoved", token=None).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"build_timeout": 5}, "build_timeout"),
        ({"default_branch": "a..b"}, "base"),
        ({"ci_config_path": "../x"}, "ci_config_path"),
        ({"ci_default_git_depth": 5000}, "ci_default_git_depth"),
        ({"ci_default_git_depth": -1}, "ci_default_git_depth"),
        ({"ci_config_path": "x" * 256}, "ci_config_path"),
        ({"name": "x" * 256}, "name"),
        ({"description": "x" * 2001}, "description"),
        ({"path": "a/b"}, "path"),
    ],
)
def test_settings_that_cannot_be(api: Api, place: Place, given: dict, field: str) -> None:
    refused = api.put("/projects/1", json=given, token=place.tokens["owner"])
    assert (refused.status_code, list(refused.json["message"])) == (400, [field])


def test_a_setting_has_to_be_named(api: Api) -> None:
    refused = api.put("/projects/1", json={"unknown": 1})
    assert refused.status_code == 400
    assert refused.json["error"].endswith("are missing, at least one parameter must be provided")


def test_archiving(api: Api, place: Place) -> None:
    owner = place.tokens["owner"]
    assert api.post("/projects/1/archive").status_code == 403
    assert api.post("/projects/1/archive", token=owner).json["archived"] is True
    assert api.post("/projects/1/pipeline", json={"ref": "main"}).status_code == 400
    assert api.post("/projects/1/unarchive", token=owner).json["archived"] is False


def test_removing_a_project_removes_all_that_is_in_it(api: Api, place: Place) -> None:
    job = place.job(status="running")
    place.archive(job, zipped({"a": b"1"}))
    place.log(job, b"log")
    make_member(place.core, place.users["stranger"], place.project)
    key, folder, token = job.artifacts[0].storage_key, place.core.repositories.path(1), place.job_token(job)
    assert folder.exists()
    assert api.delete("/projects/1").status_code == 403
    gone = api.delete("/projects/1", token=place.tokens["owner"])
    assert (gone.status_code, gone.json) == (202, {"message": "202 Accepted"})
    session = place.core.session
    assert [session.query(kind).count() for kind in (Project, Job)] == [0, 0]
    assert session.query(Membership).filter_by(project_id=1).count() == 0
    assert not folder.exists()
    with pytest.raises(FileNotFoundError):
        place.core.artifacts.open(key)
    assert api.get("/job", token=None, headers={"JOB-TOKEN": token}).status_code == 401
    assert api.get("/projects/1").status_code == 404
