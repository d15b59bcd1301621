"""What lies in a repository, and changing its branches and tags, as CI clients ask for it."""

import base64
import hashlib
from pathlib import Path

import pytest

from app.models import Pipeline
from tests.git_client import PIPELINE, Checkout, new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place

HOME = "/projects/acme%2Frocket/repository"


@pytest.fixture
def pushed(place: Place, tmp_path: Path) -> Checkout:
    """`main` with three commits and two folders."""
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(place.project.id)))
    checkout.commit({"src/a b.txt": "one\n", "src/deep/x.sh": "#!/bin/sh\n", "raw.bin": b"\0\xff"}, "Add sources")
    checkout.commit({"src/a b.txt": "two\nthree\n"}, "Change a line\n\nBecause of it.\n")
    checkout.git("update-index", "--chmod=+x", "src/deep/x.sh")
    checkout.git("tag", "v9")
    checkout.git("tag", "-a", "v10", "-m", "Ten")
    assert checkout.push("main", "v9", "v10").ok
    return checkout


def test_branches(api: Api, place: Place, pushed: Checkout) -> None:
    head = pushed.git("rev-parse", "HEAD")
    listed = api.get(f"{HOME}/branches")
    assert listed.headers["X-Total"] == "1"
    [branch] = listed.json
    assert (branch["name"], branch["default"], branch["protected"], branch["merged"]) == ("main", True, True, False)
    assert (branch["commit"]["id"], branch["commit"]["title"]) == (head, "Change a line")
    assert branch["can_push"] is True
    assert api.get(f"{HOME}/branches", token=place.tokens["developer"]).json[0]["can_push"] is False
    assert api.get(f"{HOME}/branches/main").json == branch
    missing = api.get(f"{HOME}/branches/none")
    assert (missing.status_code, missing.json) == (404, {"message": "404 Branch Not Found"})
    assert api("HEAD", f"{HOME}/branches/main").status_code == 200
    assert api("HEAD", f"{HOME}/branches/none").status_code == 404
    for search, found in (("ma", ["main"]), ("^ai", []), ("in$", ["main"]), ("x", [])):
        assert [row["name"] for row in api.get(f"{HOME}/branches", query_string={"search": search}).json] == found


def test_making_and_removing_a_branch_moves_what_a_push_would(api: Api, place: Place, pushed: Checkout) -> None:
    head, developer = pushed.git("rev-parse", "HEAD~1"), place.tokens["developer"]
    made = api.post(f"{HOME}/branches", json={"branch": "topic/x", "ref": "main~1"}, token=developer)
    assert (made.status_code, made.json["name"], made.json["commit"]["id"]) == (201, "topic/x", head)
    assert made.json["merged"] is True
    assert pushed.git("ls-remote", "origin", "refs/heads/topic/x").split()[0] == head
    started = place.core.session.query(Pipeline).filter_by(ref="topic/x").one()
    assert (started.sha, started.source, started.user_id) == (head, "push", place.users["developer"].id)
    again = api.post(f"{HOME}/branches", json={"branch": "topic/x", "ref": "main"}, token=developer)
    assert (again.status_code, again.json) == (400, {"message": "Branch already exists"})
    assert api.delete(f"{HOME}/branches/topic%2Fx", token=developer).status_code == 204
    assert pushed.git("ls-remote", "origin", "refs/heads/topic/x") == ""
    assert api.delete(f"{HOME}/branches/topic%2Fx", token=developer).json == {"message": "404 Branch Not Found"}


def test_branches_that_cannot_be(api: Api, place: Place, pushed: Checkout) -> None:
    for name in ("-x", "a..b", "a b", "x.lock", "HEAD", "é" * 600):
        refused = api.post(f"{HOME}/branches", json={"branch": name, "ref": "main"})
        assert (refused.status_code, refused.json) == (400, {"message": "Branch name is invalid"})
    for start in ("nothing", "--all", ":/Begin", "main@{1}", "main^{/Begin}"):
        refused = api.post(f"{HOME}/branches", json={"branch": "fine", "ref": start})
        assert (refused.status_code, refused.json) == (400, {"message": f"Invalid reference name: {start}"})
    assert api.post(f"{HOME}/branches", json={}).json == {"error": "branch is missing, ref is missing"}
    assert api.delete(f"{HOME}/branches/main").json == {"message": "Cannot remove HEAD branch"}
    api.post("/projects/1/protected_branches", json={"name": "live*"})
    developer = place.tokens["developer"]
    assert api.post(f"{HOME}/branches", json={"branch": "live1", "ref": "main"}, token=developer).status_code == 403
    assert api.post(f"{HOME}/branches", json={"branch": "live1", "ref": "main"}).status_code == 201
    assert api.delete(f"{HOME}/branches/live1", token=developer).status_code == 405
    assert api.delete(f"{HOME}/branches/live1").status_code == 204
    place.set(place.project, archived=True)
    assert api.post(f"{HOME}/branches", json={"branch": "late", "ref": "main"}).status_code == 403


def test_tags(api: Api, place: Place, pushed: Checkout) -> None:
    head = pushed.git("rev-parse", "HEAD")
    listed = api.get(f"{HOME}/tags", query_string={"order_by": "version", "sort": "asc"}).json
    assert [(row["name"], row["message"]) for row in listed] == [("v9", None), ("v10", "Ten")]
    by_name = api.get(f"{HOME}/tags", query_string={"order_by": "name", "sort": "asc"}).json
    assert [row["name"] for row in by_name] == ["v10", "v9"]
    assert listed[0]["target"] == listed[0]["commit"]["id"] == listed[1]["commit"]["id"] == head
    assert listed[1]["target"] == pushed.git("rev-parse", "v10")
    made = api.post(f"{HOME}/tags", json={"tag_name": "v11", "ref": "v9", "message": "Eleven"})
    assert (made.status_code, made.json["message"], made.json["commit"]["id"]) == (201, "Eleven", head)
    pushed.git("fetch", "--quiet", "origin", "tag", "v11")
    assert pushed.git("for-each-ref", "--format=%(taggername) %(contents:subject)", "refs/tags/v11") == (
        "maintainer Eleven"
    )
    assert place.core.session.query(Pipeline).filter_by(ref="v11", tag=True).count() == 1
    assert api.get(f"{HOME}/tags/v11").json == made.json
    assert made.json["release"] is None
    api.post("/projects/1/releases", json={"tag_name": "v11", "description": "Louder"})
    assert api.get(f"{HOME}/tags/v11").json["release"] == {"tag_name": "v11", "description": "Louder"}
    twice = api.post(f"{HOME}/tags", json={"tag_name": "v11", "ref": "main"})
    assert (twice.status_code, twice.json) == (400, {"message": "Tag v11 already exists"})
    assert api.delete(f"{HOME}/tags/v11").status_code == 204
    assert api.get(f"{HOME}/tags/v11").json == {"message": "404 Tag Not Found"}


def test_commits(api: Api, place: Place, pushed: Checkout) -> None:
    ids = pushed.git("log", "--format=%H").split()
    listed = api.get(f"{HOME}/commits", query_string={"per_page": 2})
    assert [row["id"] for row in listed.json] == ids[:2]
    assert "X-Total" not in listed.headers
    assert (listed.headers["X-Next-Page"], 'rel="next"' in listed.headers["Link"]) == ("2", True)
    assert [row["id"] for row in api.get(f"{HOME}/commits?per_page=2&page=2").json] == ids[2:]
    of_file = api.get(f"{HOME}/commits", query_string={"path": "src/a b.txt", "ref_name": "v10"}).json
    assert [row["id"] for row in of_file] == ids[:2]
    assert api.get(f"{HOME}/commits", query_string={"path": ":(top)src"}).json == []
    assert api.get(f"{HOME}/commits", query_string={"since": "2999-01-01T00:00:00Z"}).json == []
    assert len(api.get(f"{HOME}/commits", query_string={"until": "2999-01-01"}).json) == 3
    assert [row["stats"]["total"] for row in api.get(f"{HOME}/commits?with_stats=true&per_page=1").json] == [3]
    assert api.get(f"{HOME}/commits?ref_name=none").json == {"message": "404 Reference Not Found"}
    one = api.get(f"{HOME}/commits/{ids[0][:8]}").json
    assert one["message"] == "Change a line\n\nBecause of it.\n"
    assert (one["id"], one["parent_ids"], one["short_id"]) == (ids[0], [ids[1]], ids[0][:8])
    assert one["stats"] == {"additions": 2, "deletions": 1, "total": 3}
    assert (one["status"], one["project_id"]) == (None, 1)
    assert one["web_url"].endswith(f"/acme/rocket/-/commit/{ids[0]}")
    assert api.get(f"{HOME}/commits/{'0' * 40}").json == {"message": "404 Commit Not Found"}
    refs = api.get(f"{HOME}/commits/{ids[0]}/refs").json
    assert refs == [{"type": "branch", "name": "main"}, *({"type": "tag", "name": name} for name in ("v10", "v9"))]
    assert api.get(f"{HOME}/commits/{ids[0]}/refs?type=branch").json == refs[:1]


def test_a_commit_knows_its_newest_pipeline(api: Api, place: Place, pushed: Checkout) -> None:
    head = pushed.git("rev-parse", "HEAD")
    place.set(place.pipeline, sha=head, status="running")
    shown = api.get(f"{HOME}/commits/main").json
    assert (shown["status"], shown["last_pipeline"]["id"]) == ("running", place.pipeline.id)
    place.set(place.project, visibility="public", public_jobs=False)
    assert api.get(f"{HOME}/commits/main", token=None).json["status"] is None


def test_what_a_commit_changed(api: Api, pushed: Checkout) -> None:
    [change] = api.get(f"{HOME}/commits/main/diff").json
    assert (change["old_path"], change["new_path"], change["new_file"]) == ("src/a b.txt", "src/a b.txt", False)
    assert change["diff"] == "@@ -1 +1,2 @@\n-one\n+two\n+three\n"
    first = api.get(f"{HOME}/commits/main~2/diff").json
    assert [(row["new_path"], row["new_file"]) for row in first] == [(".gitlab-ci.yml", True)]
    binary = {row["new_path"]: row for row in api.get(f"{HOME}/commits/main~1/diff").json}
    assert binary["raw.bin"]["diff"] == "Binary files /dev/null and b/raw.bin differ\n"


def test_renamed_and_removed_files_and_those_that_became_links(api: Api, pushed: Checkout) -> None:
    pushed.git("mv", "src/deep/x.sh", "moved.sh")
    pushed.git("rm", "--quiet", "raw.bin")
    (pushed.folder / ".gitlab-ci.yml").unlink()
    (pushed.folder / ".gitlab-ci.yml").symlink_to("moved.sh")
    pushed.commit({"z.txt": "last\n"}, "Move")
    assert pushed.push("main").ok
    rows = {row["new_path"]: row for row in api.get(f"{HOME}/commits/main/diff").json}
    assert (rows["moved.sh"]["renamed_file"], rows["moved.sh"]["old_path"]) == (True, "src/deep/x.sh")
    assert rows["raw.bin"]["deleted_file"] is True
    assert rows[".gitlab-ci.yml"]["b_mode"] == "120000"
    assert "-build:" in rows[".gitlab-ci.yml"]["diff"]
    assert "+moved.sh" in rows[".gitlab-ci.yml"]["diff"]
    assert rows["z.txt"]["diff"] == "@@ -0,0 +1 @@\n+last\n"


def test_a_change_that_is_too_large_is_named_without_its_text(api: Api, pushed: Checkout) -> None:
    pushed.commit({"big.txt": "a line of text\n" * 20_000, "small.txt": "x\n"}, "Grow")
    assert pushed.push("main").ok
    rows = {row["new_path"]: row for row in api.get(f"{HOME}/commits/main/diff").json}
    assert (rows["big.txt"]["diff"], rows["big.txt"]["too_large"]) == ("", True)
    assert (rows["small.txt"]["diff"], rows["small.txt"]["too_large"]) == ("@@ -0,0 +1 @@\n+x\n", False)


def test_comparing(api: Api, pushed: Checkout) -> None:
    ids = pushed.git("log", "--format=%H", "--reverse").split()
    shown = api.get(f"{HOME}/compare", query_string={"from": "main~2", "to": "main"}).json
    assert [row["id"] for row in shown["commits"]] == ids[1:]
    assert (shown["commit"]["id"], shown["compare_same_ref"]) == (ids[2], False)
    assert [row["new_path"] for row in shown["diffs"]] == ["raw.bin", "src/a b.txt", "src/deep/x.sh"]
    same = api.get(f"{HOME}/compare", query_string={"from": "main", "to": "v10"}).json
    assert (same["commits"], same["diffs"], same["compare_same_ref"]) == ([], [], True)
    assert api.get(f"{HOME}/compare?from=main&to=none").json == {"message": "404 Ref Not Found"}
    assert api.get(f"{HOME}/compare").json == {"error": "from is missing, to is missing"}


def test_folders(api: Api, pushed: Checkout) -> None:
    top = api.get(f"{HOME}/tree")
    assert [(row["type"], row["path"]) for row in top.json] == [
        ("blob", ".gitlab-ci.yml"),
        ("blob", "raw.bin"),
        ("tree", "src"),
    ]
    assert top.headers["X-Total"] == "3"
    below = api.get(f"{HOME}/tree?path=src&recursive=true&ref=main").json
    assert [(row["name"], row["path"], row["mode"]) for row in below] == [
        ("a b.txt", "src/a b.txt", "100644"),
        ("deep", "src/deep", "040000"),
        ("x.sh", "src/deep/x.sh", "100644"),
    ]
    for path in ("none", "../x", "src//deep", "raw.bin", ":/src"):
        assert api.get(f"{HOME}/tree", query_string={"path": path}).json == {"message": "404 Tree Not Found"}
    assert api.get(f"{HOME}/tree?ref=none").status_code == 404


def test_a_folder_by_key(api: Api, pushed: Checkout) -> None:
    seen, address = [], f"{HOME}/tree?recursive=true&pagination=keyset&per_page=2"
    while address:
        page = api.get(address)
        seen += [row["path"] for row in page.json]
        link = page.headers.get("Link", "")
        address = link.partition("/api/v4")[2].partition(">")[0]
    assert seen == [".gitlab-ci.yml", "raw.bin", "src", "src/a b.txt", "src/deep", "src/deep/x.sh"]


def test_files(api: Api, pushed: Checkout) -> None:
    ids = pushed.git("log", "--format=%H").split()
    shown = api.get(f"{HOME}/files/src%2Fa%20b.txt?ref=main")
    content = b"two\nthree\n"
    assert shown.json == {
        "file_name": "a b.txt",
        "file_path": "src/a b.txt",
        "size": len(content),
        "encoding": "base64",
        "content": base64.b64encode(content).decode(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": "main",
        "blob_id": pushed.git("rev-parse", "HEAD:src/a b.txt"),
        "commit_id": ids[0],
        "last_commit_id": ids[0],
        "execute_filemode": False,
    }
    head = api("HEAD", f"{HOME}/files/raw.bin?ref=main")
    assert (head.status_code, head.data) == (200, b"")
    assert (head.headers["X-Gitlab-Size"], head.headers["X-Gitlab-Last-Commit-Id"]) == ("2", ids[1])
    raw = api.get(f"{HOME}/files/raw.bin/raw")
    assert (raw.data, raw.headers["X-Content-Type-Options"]) == (b"\0\xff", "nosniff")
    assert raw.headers["Content-Disposition"].startswith("inline")
    text = api.get(f"{HOME}/files/.gitlab-ci.yml/raw?ref=v9")
    assert (text.text, text.mimetype) == (PIPELINE, "text/plain")
    for path in ("none", "src", "..%2Fconfig", "%2Fetc%2Fpasswd", "src%2F..%2Fraw.bin"):
        assert api.get(f"{HOME}/files/{path}?ref=main").json == {"message": "404 File Not Found"}
    assert api.get(f"{HOME}/files/raw.bin?ref=none").json == {"message": "404 Commit Not Found"}


def test_an_empty_repository(api: Api) -> None:
    assert api.get(f"{HOME}/branches").json == []
    assert api.get(f"{HOME}/tags").json == []
    assert api.get(f"{HOME}/commits").json == []
    assert api.get(f"{HOME}/tree").json == {"message": "404 Tree Not Found"}
    assert api.get(f"{HOME}/files/a").status_code == 404
    assert api.get(f"{HOME}/commits/main").status_code == 404


def test_protected_branches(api: Api) -> None:
    home = "/projects/1/protected_branches"
    [main] = api.get(home).json
    assert (main["name"], main["push_access_levels"][0]["access_level"]) == ("main", 40)
    made = api.post(home, data={"name": "release/*", "push_access_level": "0", "merge_access_level": "30"})
    assert made.status_code == 201
    assert [level["access_level_description"] for level in made.json["push_access_levels"]] == ["No one"]
    assert made.json["merge_access_levels"][0]["access_level"] == 30
    assert api.get(f"{home}/release%2F%2A").json == made.json
    twice = api.post(home, json={"name": "release/*"})
    assert (twice.status_code, twice.json) == (409, {"message": "Protected branch 'release/*' already exists"})
    changed = api.patch(
        f"{home}/release%2F*", json={"allow_force_push": True, "allowed_to_push": [{"access_level": 30}]}
    )
    assert (changed.json["allow_force_push"], changed.json["push_access_levels"][0]["access_level"]) == (True, 30)
    assert [row["name"] for row in api.get(f"{home}?search=rel").json] == ["release/*"]
    assert api.delete(f"{home}/release%2F*").status_code == 204
    assert api.get(f"{home}/release%2F*").json == {"message": "404 Not Found"}
    assert api.post(home, json={"name": "x", "push_access_level": 50}).json == {
        "error": "push_access_level does not have a valid value"
    }
    assert api.post(home, json={"name": " "}).json == {"message": {"name": ["is invalid"]}}


def test_protected_tags(api: Api) -> None:
    home = "/projects/1/protected_tags"
    made = api.post(home, json={"name": "v*", "create_access_level": 30})
    assert (made.status_code, made.json["name"]) == (201, "v*")
    assert made.json["create_access_levels"][0]["access_level_description"] == "Developers + Maintainers"
    assert api.get(home).json == [made.json]
    assert api.get(f"{home}/v%2A").json == made.json
    assert api.delete(f"{home}/v%2A").status_code == 204
    assert api.get(home).json == []
