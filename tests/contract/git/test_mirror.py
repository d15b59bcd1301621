"""A project that follows another repository, over real HTTP and with credentials."""

import shutil
import socket
import threading
from pathlib import Path
from typing import Any

import gitlab
import pytest
import requests
from sqlalchemy import select

from app.domain.errors import InvalidRequest, NotAllowed
from app.domain.permissions import Role
from app.git.command import GitFailed
from app.models import Pipeline, Project, Push
from app.services.core import Core
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.repositories.mirror import alone, fetch_held, fetch_mirror
from app.services.repositories.request_fetch import fetch_next_mirror, fetch_state, request_fetch
from tests.contract.git.conftest import Hosted
from tests.factories import make_member, make_project, make_user
from tests.git_client import Checkout, clone


@pytest.fixture
def mirror(hosted: Hosted, pushed: Checkout) -> Project:
    """A private mirror of the hosted project, not fetched yet."""
    return make_project(hosted.core, "copies/hello", creator=hosted.owner, mirror_url=hosted.owner_url)


def pipelines_of(core: Core, project: Project) -> list[Pipeline]:
    core.session.rollback()
    return list(core.session.scalars(select(Pipeline).where(Pipeline.project_id == project.id).order_by(Pipeline.id)))


def test_a_fetch_brings_branches_and_makes_their_pipelines_once(
    hosted: Hosted, pushed: Checkout, mirror: Project
) -> None:
    fetch_mirror(hosted.core, mirror)
    first = pushed.git("rev-parse", "HEAD")
    assert [(made.ref, made.sha, made.source) for made in pipelines_of(hosted.core, mirror)] == [
        ("main", first, "push")
    ]
    assert fetch_mirror(hosted.core, mirror).pipelines == ()
    second = pushed.commit({"a": "1"})
    assert pushed.push("main").ok
    fetch_mirror(hosted.core, mirror)
    newest = pipelines_of(hosted.core, mirror)[-1]
    assert (newest.sha, newest.before_sha, newest.user_id) == (second, first, hosted.owner.id)
    assert mirror.mirror_fetched_at is not None
    assert mirror.mirror_error is None


def test_a_mirror_takes_over_the_default_branch_and_forgets_what_was_deleted(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    pushed.git("checkout", "--quiet", "-b", "topic")
    pushed.commit({"a": "1"})
    pushed.git("tag", "v1")
    assert pushed.push("topic", "v1").ok
    mirror = make_project(hosted.core, "copies/hello", creator=hosted.owner, mirror_url=hosted.owner_url)
    fetch_mirror(hosted.core, mirror)
    repository = hosted.core.repositories.open(mirror.id)
    assert [found.name for found in (*repository.branches(), *repository.tags())] == ["main", "topic", "v1"]
    assert pushed.push("--delete", "topic").ok
    fetch_mirror(hosted.core, mirror)
    assert [found.name for found in repository.branches()] == ["main"]
    copy = clone(tmp_path / "copy", hosted.server.clone_url("copies/hello", "owner", hosted.token))
    assert copy.git("branch", "--show-current") == "main"
    assert "refs/mirror" not in copy.git("ls-remote", "origin")


def test_a_trigger_fetches_first_and_makes_one_pipeline(hosted: Hosted, pushed: Checkout, mirror: Project) -> None:
    core = hosted.core
    pipeline = run_pipeline(core, request_for_ref(core, mirror, "main", hosted.owner))
    assert [made.id for made in pipelines_of(core, mirror)] == [pipeline.id]
    assert (pipeline.source, pipeline.sha) == ("api", pushed.git("rev-parse", "HEAD"))


def test_who_may_not_run_pipelines_cannot_make_the_server_fetch(hosted: Hosted, mirror: Project) -> None:
    reporter = make_user(hosted.core)
    make_member(hosted.core, reporter, mirror, Role.REPORTER)
    with pytest.raises(NotAllowed):
        request_for_ref(hosted.core, mirror, "main", reporter)
    assert mirror.mirror_fetched_at is None


def test_a_failure_is_kept_without_the_password(hosted: Hosted, pushed: Checkout) -> None:
    core, wrong = hosted.core, "glpat-this-is-a-secret"
    mirror = make_project(core, "copies/hello", mirror_url=hosted.url("owner-of-it", wrong))
    with pytest.raises(GitFailed) as failed:
        fetch_mirror(core, mirror)
    with pytest.raises(InvalidRequest, match="The mirror could not be fetched"):
        request_for_ref(core, mirror, "main", make_user(core, is_admin=True))
    assert "Authentication failed" in (mirror.mirror_error or "")
    for text in (str(failed.value), failed.value.detail, mirror.mirror_error or ""):
        assert wrong not in text
        assert "owner-of-it" not in text
        assert str(core.data_dir) not in text


def test_a_redirect_does_not_get_the_password(hosted: Hosted, pushed: Checkout) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", hosted.server.url + self.path)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Redirect) as elsewhere:
        thread = threading.Thread(target=elsewhere.serve_forever, args=(0.02,))
        thread.start()
        url = hosted.owner_url.replace(hosted.server.url.split("//")[1], f"127.0.0.1:{elsewhere.server_port}")
        mirror = make_project(hosted.core, "copies/hello", mirror_url=url)
        with pytest.raises(GitFailed):
            fetch_mirror(hosted.core, mirror)
        elsewhere.shutdown()
        thread.join()
    assert hosted.core.repositories.open(mirror.id).branches() == []


def test_an_interrupted_fetch_is_made_good_by_the_next(
    hosted: Hosted, pushed: Checkout, mirror: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("app.git.mirror.apply", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch_mirror(hosted.core, mirror)
    assert pipelines_of(hosted.core, mirror) == []
    assert len(fetch_mirror(hosted.core, mirror).pipelines) == 1
    assert hosted.core.session.scalar(select(Push).where(Push.project_id == mirror.id)) is not None


def test_a_fetch_asked_for_is_done_by_the_loop_and_once_more_when_asked_meanwhile(
    hosted: Hosted, pushed: Checkout, mirror: Project
) -> None:
    core, folder = hosted.core, hosted.core.repositories.path(mirror.id)
    assert fetch_state(core, mirror).status == "none"
    request_fetch(core, mirror, hosted.owner)
    request_fetch(core, mirror, hosted.owner)
    assert fetch_state(core, mirror).status == "scheduled"
    with alone(folder, 0):
        assert not fetch_next_mirror(core), "somebody is at work on it"
    assert fetch_next_mirror(core)
    assert fetch_state(core, mirror).status == "finished"
    assert len(pipelines_of(core, mirror)) == 1
    assert not fetch_next_mirror(core)


def test_a_fetch_whose_server_was_killed_begins_again_and_one_asked_for_meanwhile_follows(
    hosted: Hosted, pushed: Checkout, mirror: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = hosted.core

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    request_fetch(core, mirror, hosted.owner)
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr("app.services.repositories.request_fetch.fetch_held", killed)
        fetch_next_mirror(core)
    state = fetch_state(core, mirror)
    assert (state.status, state.started_at is not None) == ("started", True)

    def fetch_and_ask(*given: Any) -> None:
        fetch_held(*given)
        request_fetch(core, core.session.get_one(Project, mirror.id), hosted.owner)

    with monkeypatch.context() as busy:
        busy.setattr("app.services.repositories.request_fetch.fetch_held", fetch_and_ask)
        assert fetch_next_mirror(core)
    assert fetch_state(core, mirror).status == "scheduled"
    assert (fetch_next_mirror(core), fetch_next_mirror(core)) == (True, False)


def test_what_a_fetch_did_not_expect_is_noted_and_holds_up_no_other(
    hosted: Hosted, pushed: Checkout, mirror: Project
) -> None:
    core = hosted.core
    broken = make_project(core, "copies/broken", creator=hosted.owner, mirror_url=hosted.owner_url)
    for project in (broken, mirror):
        request_fetch(core, project, hosted.owner)
    shutil.rmtree(core.repositories.path(broken.id))
    assert (fetch_next_mirror(core), fetch_next_mirror(core), fetch_next_mirror(core)) == (True, True, False)
    assert fetch_state(core, broken).error == "Something unexpected went wrong in the server. Its log says what."
    assert fetch_state(core, mirror).status == "finished"


def test_a_pipeline_waits_for_its_remote_no_longer_than_it_may(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    core = hosted.core
    monkeypatch.setattr("app.services.pipelines.request_for_ref.WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = make_project(core, creator=hosted.owner, mirror_url=f"git://127.0.0.1:{silent.getsockname()[1]}/x")
        with pytest.raises(InvalidRequest, match=r"could not be fetched within 0\.2 seconds"):
            request_for_ref(core, slow, "main", hosted.owner)
    assert fetch_state(core, slow).status == "scheduled"


def test_a_mirror_is_pulled_through_the_api(hosted: Hosted, pushed: Checkout, mirror: Project) -> None:
    project = gitlab.Gitlab(hosted.server.url, private_token=hosted.token).projects.get(mirror.id)
    project.pull_mirror.start()
    assert project.pull_mirror.get().update_status == "scheduled"
    fetch_next_mirror(hosted.core)
    told = project.pull_mirror.get()
    assert (told.update_status, told.last_error) == ("finished", None)
    assert (told.last_successful_update_at is not None, told.url) == (True, hosted.url())
    address, headers = f"/api/v4/projects/{hosted.project.id}/mirror/pull", {"PRIVATE-TOKEN": hosted.token}
    refused = requests.post(hosted.server.url + address, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()) == (400, {"message": "The project is not mirrored"})


def test_a_branch_whose_name_is_too_long_becomes_no_default_branch(hosted: Hosted, checkout: Checkout) -> None:
    """SQLite would keep the name; a database that counts refuses it."""
    core, long = hosted.core, "a/" + "/".join(["b" * 50] * 6)
    assert checkout.push(f"HEAD:refs/heads/{long}").ok
    assert core.session.get_one(Project, hosted.project.id).default_branch == "main"
    core.repositories.open(hosted.project.id).set_head(long)
    mirror = make_project(core, "copies/hello", creator=hosted.owner, mirror_url=hosted.owner_url)
    fetch_mirror(core, mirror)
    assert core.session.get_one(Project, mirror.id).default_branch == "main"
    assert [made.ref for made in pipelines_of(core, mirror)] == [long], "it is mirrored all the same"
