"""A project that follows another repository, over real HTTP and with credentials."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import InvalidRequest, NotAllowed
from app.domain.permissions import Role
from app.git.command import GitFailed
from app.models import Pipeline, Project, Push
from app.services.core import Core
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.repositories.mirror import fetch_mirror
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
