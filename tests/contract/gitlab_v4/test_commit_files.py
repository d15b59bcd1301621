"""Files that change by commits which the server makes."""

import base64
from pathlib import Path

import pytest

from app.models import Pipeline
from tests.git_client import Checkout, new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place

HOME = "/projects/1/repository"


@pytest.fixture
def pushed(place: Place, tmp_path: Path) -> Checkout:
    checkout = new_checkout(
        tmp_path / "checkout", str(place.core.repositories.path(1)), {"a.txt": "1\n", "d/b.txt": "2\n"}
    )
    assert checkout.push("main").ok
    return checkout


def commit(api: Api, *actions: dict, **given: object):
    body = {"branch": "main", "commit_message": "Write", "actions": list(actions), **given}
    return api.post(f"{HOME}/commits", json=body)


def files_of(checkout: Checkout, branch: str = "main") -> dict[str, str]:
    """Path and mode of each file on the server."""
    checkout.git("fetch", "--quiet", "origin", branch)
    lines = checkout.git("ls-tree", "-r", "FETCH_HEAD").splitlines()
    return {line.partition("\t")[2]: line.split()[0] for line in lines}


def test_one_commit_of_every_kind_of_action(api: Api, place: Place, pushed: Checkout) -> None:
    before = pushed.git("rev-parse", "HEAD")
    made = commit(
        api,
        {
            "action": "create",
            "file_path": "new/c.bin",
            "content": base64.b64encode(b"\0\xff").decode(),
            "encoding": "base64",
        },
        {"action": "update", "file_path": "a.txt", "content": "changed\n"},
        {"action": "move", "file_path": "moved.txt", "previous_path": "d/b.txt"},
        {"action": "chmod", "file_path": "a.txt", "execute_filemode": True},
        {"action": "create", "file_path": "gone", "content": ""},
        {"action": "delete", "file_path": "gone"},
        author_name="Eve <evil>\n",
        author_email="eve@example.com",
    )
    assert made.status_code == 201, made.json
    assert (made.json["parent_ids"], made.json["title"], made.json["author_name"]) == ([before], "Write", "Eve evil")
    assert made.json["committer_name"] == "maintainer"
    assert files_of(pushed) == {"a.txt": "100755", "moved.txt": "100644", "new/c.bin": "100644"}
    assert pushed.git("show", "FETCH_HEAD:a.txt") == "changed"
    assert api.get(f"{HOME}/files/new%2Fc.bin/raw").data == b"\0\xff"
    assert pushed.git("rev-parse", "FETCH_HEAD") == made.json["id"]


def test_a_commit_to_a_new_branch_starts_a_pipeline(api: Api, place: Place, pushed: Checkout) -> None:
    content = "build:\n  script: [make]\n"
    action = {"action": "create", "file_path": ".gitlab-ci.yml", "content": content}
    made = commit(api, action, branch="topic", start_branch="main")
    started = place.core.session.query(Pipeline).filter_by(ref="topic").one()
    assert (started.sha, started.source) == (made.json["id"], "push")


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"action": "create", "file_path": "a.txt"}, "A file with this name already exists"),
        ({"action": "update", "file_path": "none", "content": ""}, "A file with this name doesn't exist"),
        ({"action": "delete", "file_path": "d"}, "A file with this name doesn't exist"),
        ({"action": "move", "file_path": "x", "previous_path": "none"}, "A file with this name doesn't exist"),
        ({"action": "create", "file_path": "d"}, "A directory with this name already exists"),
        ({"action": "move", "file_path": "d", "previous_path": "a.txt"}, "A directory with this name already exists"),
        ({"action": "create", "file_path": "../x"}, "invalid path"),
        ({"action": "create", "file_path": ".git/hooks/x"}, "invalid path"),
        ({"action": "create", "file_path": "d/.GIT/config"}, "invalid path"),
        (
            {"action": "create", "file_path": "a.txt/below"},
            "A file with the name of a folder above it already exists",
        ),
        (
            {"action": "update", "file_path": "a.txt", "content": "", "last_commit_id": "a" * 40},
            "You are attempting to update a file that has changed since you started editing it.",
        ),
    ],
)
def test_actions_that_cannot_be(api: Api, pushed: Checkout, action: dict, said: str) -> None:
    refused = commit(api, action)
    assert (refused.status_code, refused.json) == (400, {"message": said})
    assert files_of(pushed) == {"a.txt": "100644", "d/b.txt": "100644"}


def test_branches_that_are_not_there(api: Api, pushed: Checkout) -> None:
    action = {"action": "create", "file_path": "x"}
    assert commit(api, action, branch="other").json == {
        "message": "You can only create or edit files when you are on a branch"
    }
    assert commit(api, action, branch="other", start_branch="no").json == {"message": "Cannot find start_branch 'no'"}
    assert commit(api, action, branch="-x").json == {"message": "Branch name is invalid"}
    assert commit(api, branch="main").status_code == 400


def test_single_files(api: Api, pushed: Checkout) -> None:
    given = {"branch": "main", "commit_message": "One file"}
    made = api.post(f"{HOME}/files/new%2Fx.txt", json={**given, "content": "x"})
    assert (made.status_code, made.json) == (201, {"file_path": "new/x.txt", "branch": "main"})
    changed = api.put(f"{HOME}/files/new%2Fx.txt", json={**given, "content": "y"})
    assert (changed.status_code, api.get(f"{HOME}/files/new%2Fx.txt/raw").text) == (200, "y")
    assert api.delete(f"{HOME}/files/new%2Fx.txt", json=given).status_code == 204
    assert api.get(f"{HOME}/files/new%2Fx.txt").status_code == 404
