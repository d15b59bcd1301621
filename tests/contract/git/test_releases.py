"""Releases: of jobs that have passed and by the API, with their tags, and what follows from these."""

from typing import Any

import pytest
import requests
from sqlalchemy import select

from app.domain import status
from app.domain.permissions import Role
from app.models import Environment, Job, ProtectedRef, Release, ReleaseOrder, write
from app.services.jobs.finish_job import finish
from app.services.jobs.retry_job import retry_job
from app.services.locks import lock_job
from app.services.releases import make_ordered_releases as ordering
from app.services.releases.make_ordered_releases import make_ordered_releases
from tests.contract.git.conftest import Hosted
from tests.factories import make_member, make_token, make_user
from tests.git_client import Checkout

RELEASE = """
release:
  script: [make]
  variables: {VERSION: "1.2"}
  rules: [{if: $CI_COMMIT_BRANCH}]
  release:
    tag_name: v$VERSION
    name: Release $VERSION of $CI_PROJECT_NAME
    description: %s
    assets: {links: [{name: binary, url: "https://example.com/$VERSION", link_type: package}]}
after: {script: [make], rules: [{if: $CI_COMMIT_TAG}]}
"""


def push(checkout: Checkout, description: str = "Notes", **files: str) -> str:
    checkout.commit({".gitlab-ci.yml": RELEASE % description, **files})
    assert checkout.push("main").ok
    return checkout.git("rev-parse", "HEAD")


def run(hosted: Hosted, name: str = "release") -> Job:
    """Let the newest job of that name pass."""
    core = hosted.core
    core.session.rollback()
    job_id = core.session.scalars(select(Job.id).where(Job.name == name).order_by(Job.id.desc())).first()
    assert job_id is not None
    with write(core.session):
        lock_job(core, job_id).status = status.RUNNING
    with write(core.session):
        finish(core, lock_job(core, job_id), status.SUCCESS, exit_code=0)
    return core.session.get_one(Job, job_id)


def releases(hosted: Hosted) -> list[Release]:
    hosted.core.session.rollback()
    return list(hosted.core.session.scalars(select(Release).order_by(Release.id)))


def protect_tags(hosted: Hosted, role: Role) -> None:
    with write(hosted.core.session):
        rule = ProtectedRef(project_id=hosted.project.id, kind="tag", pattern="v*", push_role=int(role))
        hosted.core.session.add(rule)


def test_a_job_that_passed_makes_its_release_and_the_tag_starts_a_pipeline(hosted: Hosted, checkout: Checkout) -> None:
    commit = push(checkout)
    assert run(hosted).status == "success"
    assert releases(hosted) == []  # ordered, and made by the background
    assert make_ordered_releases(hosted.core) == 1
    (made,) = releases(hosted)
    assert (made.tag_name, made.name, made.description) == ("v1.2", "Release 1.2 of hello", "Notes")
    assert (made.sha, made.author_id) == (commit, hosted.owner.id)
    assert [(link.name, link.url, link.link_type) for link in made.links] == [
        ("binary", "https://example.com/1.2", "package")
    ]
    assert hosted.ref("refs/tags/v1.2") == commit
    newest = hosted.pipelines()[-1]
    assert (newest.ref, newest.tag, newest.source) == ("v1.2", True, "push")
    assert make_ordered_releases(hosted.core) == 0


def test_running_the_job_again_changes_the_release_and_moves_no_tag(hosted: Hosted, checkout: Checkout) -> None:
    commit = push(checkout)
    job = run(hosted)
    make_ordered_releases(hosted.core)
    retry_job(hosted.core, job, hosted.owner)
    run(hosted)
    assert make_ordered_releases(hosted.core) == 1
    assert len(releases(hosted)) == 1
    assert len(releases(hosted)[0].links) == 1
    assert hosted.ref("refs/tags/v1.2") == commit


def test_a_description_may_be_a_file_of_the_commit(hosted: Hosted, checkout: Checkout) -> None:
    push(checkout, "./CHANGES.md", **{"CHANGES.md": "All that is new\n"})
    run(hosted)
    make_ordered_releases(hosted.core)
    assert releases(hosted)[0].description == "All that is new\n"


def test_a_job_that_may_not_make_the_tag_has_failed_and_says_why(hosted: Hosted, checkout: Checkout) -> None:
    protect_tags(hosted, Role.MAINTAINER)
    push(checkout)
    developer = make_user(hosted.core)
    make_member(hosted.core, developer, hosted.project, Role.DEVELOPER)
    developer_id = developer.id
    with write(hosted.core.session):
        hosted.core.session.scalars(select(Job).where(Job.name == "release")).one().user_id = developer_id
    job = run(hosted)
    assert (job.status, job.failure_reason) == ("failed", "script_failure")
    assert "You are not allowed to create this tag" in (job.failure_message or "")
    assert hosted.core.session.scalar(select(ReleaseOrder)) is None
    assert hosted.ref("refs/tags/v1.2") is None


def test_whoever_left_the_project_releases_nothing_any_more(hosted: Hosted, checkout: Checkout) -> None:
    push(checkout)
    checkout.git("tag", "v1.2")
    assert checkout.push("v1.2").ok
    stranger_id = make_user(hosted.core).id
    with write(hosted.core.session):
        hosted.core.session.scalars(select(Job).where(Job.name == "release")).one().user_id = stranger_id
    assert run(hosted).failure_message == "Whoever the job runs for may not make releases."
    assert make_ordered_releases(hosted.core) == 0


def test_what_fails_for_a_while_is_made_later_and_given_up_in_the_end(
    hosted: Hosted, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(checkout)
    run(hosted)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(ordering, "create_release", broken)
        assert make_ordered_releases(hosted.core) == 0
    assert hosted.core.session.scalars(select(ReleaseOrder)).one().attempts == 1
    assert make_ordered_releases(hosted.core) == 1
    run(hosted)
    monkeypatch.setattr(ordering, "create_release", broken)
    for _ in range(ordering.ATTEMPTS):
        assert hosted.core.session.scalar(select(ReleaseOrder)) is not None
        make_ordered_releases(hosted.core)
    assert hosted.core.session.scalar(select(ReleaseOrder)) is None


class TestByTheApi:
    @pytest.fixture
    def call(self, hosted: Hosted, checkout: Checkout) -> Any:
        push(checkout)

        def send(method: str, path: str = "", token: str = "", **body: Any) -> Any:
            return requests.request(
                method,
                f"{hosted.server.url}/api/v4/projects/tools%2Fhello/releases{path}",
                headers={"PRIVATE-TOKEN": token or hosted.token},
                json=body or None,
                timeout=30,
                allow_redirects=False,
            )

        return send

    def test_a_release_is_made_shown_changed_and_removed(self, hosted: Hosted, call: Any) -> None:
        made = call("POST", tag_name="v/1", ref="main", tag_message="Signed off", description="d", milestones="m")
        assert made.status_code == 201
        body = made.json()
        assert (body["name"], body["description"], body["milestones"]) == ("v/1", "d", [{"title": "m"}])
        assert (body["commit"]["id"], body["author"]["username"]) == (hosted.ref("refs/heads/main"), "owner")
        assert hosted.core.repositories.open(hosted.project.id).tag_message("v/1") == "Signed off\n"
        assert call("GET", "/v%2F1").json() == body
        assert call("GET").json() == [body]
        assert call("PUT", "/v%2F1", name="One").json()["name"] == "One"
        assert call("GET", "/permalink/latest").headers["Location"].endswith("/releases/v%2F1")
        assert call("DELETE", "/v%2F1").status_code == 200
        assert call("GET", "/v%2F1").status_code == 404
        assert hosted.ref("refs/tags/v/1") is not None

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            ({"tag_name": "v1"}, 400, "400 Bad request - Ref is not specified"),
            ({"tag_name": "v1", "ref": "nothing"}, 400, "400 Bad request - Ref is not found"),
            ({"tag_name": "-v", "ref": "main"}, 400, {"tag_name": ["Tag name invalid"]}),
            (
                {"tag_name": "v1", "ref": "main", "assets": {"links": [{"name": "a", "url": "javascript:x"}]}},
                400,
                {"url": ["is blocked: Only allowed schemes are http, https, ftp"]},
            ),
        ],
    )
    def test_what_cannot_be_released(self, hosted: Hosted, call: Any, body: Any, code: int, message: Any) -> None:
        answer = call("POST", **body)
        assert (answer.status_code, answer.json()["message"]) == (code, message)
        assert releases(hosted) == []
        assert hosted.ref("refs/tags/v1") is None

    def test_a_tag_is_released_once(self, call: Any) -> None:
        assert call("POST", tag_name="v1", ref="main").status_code == 201
        again = call("POST", tag_name="v1", ref="main")
        assert (again.status_code, again.json()) == (409, {"message": "Release already exists"})

    def test_a_protected_tag_takes_the_right_to_make_it(self, hosted: Hosted, call: Any) -> None:
        protect_tags(hosted, Role.MAINTAINER)
        developer = make_user(hosted.core)
        make_member(hosted.core, developer, hosted.project, Role.DEVELOPER)
        token = make_token(hosted.core, developer)[1]
        assert call("POST", token=token, tag_name="v1", ref="main").status_code == 403
        assert hosted.ref("refs/tags/v1") is None
        assert call("POST", token=token, tag_name="other", ref="main").status_code == 201
        assert call("POST", tag_name="v1", ref="main").status_code == 201
        assert call("PUT", "/v1", token=token, name="mine").status_code == 403

    def test_links_are_added_changed_and_removed(self, call: Any) -> None:
        call("POST", tag_name="v1", ref="main")
        links = "/v1/assets/links"
        made = call("POST", links, name="a", url="https://a.example.com", link_type="image").json()
        assert made | {"id": 0} == {
            "id": 0,
            "name": "a",
            "url": "https://a.example.com",
            "direct_asset_url": "https://a.example.com",
            "link_type": "image",
        }
        assert call("POST", links, name="a", url="https://b.example.com").status_code == 400
        changed = call("PUT", f"{links}/{made['id']}", url="https://c.example.com").json()
        assert (changed["name"], changed["url"]) == ("a", "https://c.example.com")
        assert call("GET", links).json() == [changed]
        assert call("DELETE", f"{links}/{made['id']}").json() == changed
        assert call("GET", f"{links}/{made['id']}").status_code == 404


def test_deleting_a_branch_stops_what_was_deployed_from_it(hosted: Hosted, checkout: Checkout) -> None:
    checkout.commit(
        {
            ".gitlab-ci.yml": """
deploy: {script: [x], environment: {name: review/$CI_COMMIT_REF_SLUG, on_stop: stop}}
stop: {script: [x], when: manual, environment: {name: review/$CI_COMMIT_REF_SLUG, action: stop}}
"""
        }
    )
    checkout.git("branch", "topic")
    assert checkout.push("main", "topic").ok
    core = hosted.core
    core.session.rollback()  # see what the server wrote
    for job_id in core.session.scalars(select(Job.id).where(Job.name == "deploy")).all():
        with write(core.session):
            finish(core, lock_job(core, job_id), status.SUCCESS)
    assert checkout.push(":topic").ok
    core.session.rollback()
    states = {row.name: row.state for row in core.session.scalars(select(Environment))}
    assert states == {"review/main": "available", "review/topic": "stopping"}
