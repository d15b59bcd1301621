"""A token that is revoked, expired, of somebody blocked, of another project or of a job that ended opens nothing.

Each of them is tried on every kind of call: API, git, and the runner protocol.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from app.models import AccessToken, Job, Runner, User, write
from app.services.runners.create_runner import create_runner
from tests.contract.git.conftest import Hosted
from tests.contract.runner_protocol.stock import StockJob, StockRunner
from tests.factories import make_job, make_pipeline, make_project, make_token, make_user
from tests.git_client import Checkout

REFUSED = {401, 403, 404}


@pytest.fixture
def running(hosted: Hosted, pushed: Checkout) -> StockJob:
    """The pushed job, at work."""
    return StockRunner(hosted.server.url, create_runner(hosted.core)[1]).take()


def change(hosted: Hosted, kind: type, key: int, **columns: object) -> None:
    with write(hosted.core.session):
        row = hosted.core.session.get_one(kind, key)
        for name, value in columns.items():
            setattr(row, name, value)


def revoked(hosted: Hosted) -> str:
    row, token = make_token(hosted.core, hosted.owner)
    change(hosted, AccessToken, row.id, revoked_at=hosted.core.now())
    return token


def expired(hosted: Hosted) -> str:
    row, token = make_token(hosted.core, hosted.owner)
    change(hosted, AccessToken, row.id, expires_at=hosted.core.now() - timedelta(seconds=1))
    return token


def of_somebody_blocked(hosted: Hosted) -> str:
    user = make_user(hosted.core, is_admin=True)
    _, token = make_token(hosted.core, user)
    change(hosted, User, user.id, blocked=True)
    return token


def of_another_project(hosted: Hosted) -> str:
    stranger = make_user(hosted.core)
    make_project(hosted.core, creator=stranger)
    return make_token(hosted.core, stranger)[1]


def unknown(hosted: Hosted) -> str:
    return "glpat-" + "x" * 20


def calls(hosted: Hosted, running: StockJob) -> list[tuple[str, str]]:
    """All kinds of calls that a personal token is good for: API reads and writes, downloads, git."""
    api, repository = f"/api/v4/projects/{hosted.project.id}", f"/{hosted.path}.git"
    job = f"{api}/jobs/{running.id}"
    return [
        ("GET", api),
        ("GET", f"{api}/jobs"),
        ("GET", job),
        ("GET", f"{job}/trace"),
        ("GET", f"{job}/artifacts"),
        ("GET", f"{job}/artifacts/a/b"),
        ("POST", f"{job}/cancel"),
        ("POST", f"{job}/erase"),
        ("POST", f"{api}/pipeline?ref=main"),
        ("POST", f"{api}/variables?key=A&value=b"),
        ("GET", f"{repository}/info/refs?service=git-upload-pack"),
        ("GET", f"{repository}/info/refs?service=git-receive-pack"),
        ("POST", f"{repository}/git-upload-pack"),
        ("POST", f"{repository}/git-receive-pack"),
    ]


def is_as_it_was(hosted: Hosted, running: StockJob, pushed: Checkout) -> bool:
    hosted.core.session.rollback()
    job = hosted.core.session.get_one(Job, running.id)
    unmoved = hosted.ref("refs/heads/main") == pushed.git("rev-parse", "HEAD")
    return (job.status, job.trace_size, len(hosted.pipelines()), unmoved) == ("running", 0, 1, True)


@pytest.mark.parametrize("make", [revoked, expired, of_somebody_blocked, of_another_project, unknown])
def test_a_useless_personal_token_opens_nothing(
    hosted: Hosted, pushed: Checkout, running: StockJob, make: Callable[[Hosted], str]
) -> None:
    token = make(hosted)
    ways = {
        "api": [{"headers": {"PRIVATE-TOKEN": token}}, {"headers": {"Authorization": f"Bearer {token}"}}],
        "git": [{"auth": ("owner", token)}],
    }
    for method, path in calls(hosted, running):
        for way in ways["git" if ".git/" in path else "api"]:
            answer = requests.request(method, hosted.server.url + path, timeout=10, **way)
            assert answer.status_code in REFUSED, (method, path, answer.status_code)
            assert token not in answer.text
    assert is_as_it_was(hosted, running, pushed)


def of_a_job_that_ended(hosted: Hosted, running: StockJob) -> str:
    make_job(hosted.core, make_pipeline(hosted.core, hosted.project))
    ended = running.runner.take()
    assert ended.finish().status_code == 200
    return str(ended.token)


def of_a_job_elsewhere(hosted: Hosted, running: StockJob) -> str:
    make_job(hosted.core, make_pipeline(hosted.core, make_project(hosted.core)))
    return str(running.runner.take().token)


@pytest.mark.parametrize("make", [of_a_job_that_ended, of_a_job_elsewhere])
def test_a_useless_job_token_opens_nothing(
    hosted: Hosted, pushed: Checkout, running: StockJob, make: Callable[[Hosted, StockJob], str]
) -> None:
    token = make(hosted, running)
    for method, path in calls(hosted, running):
        way = {"auth": ("gitlab-ci-token", token)} if ".git/" in path else {"headers": {"JOB-TOKEN": token}}
        answer = requests.request(method, hosted.server.url + path, timeout=10, **way)
        assert answer.status_code in REFUSED, (method, path, answer.status_code)
    protocol = [
        running.update("success", token=token),
        running.patch(0, b"x", token=token),
        running.upload(b"x", token=token),
        running.download(running.id, token=token),
    ]
    assert {answer.status_code for answer in protocol} <= REFUSED
    hosted.core.session.rollback()
    assert hosted.core.session.get_one(Job, running.id).status == "running"
    assert running.print(b"x").status_code == 202


@pytest.mark.parametrize("way", ["expired", "gone", "unknown"])
def test_a_useless_runner_token_gets_no_job(hosted: Hosted, pushed: Checkout, way: str) -> None:
    runner, token = create_runner(hosted.core)
    stock = StockRunner(hosted.server.url, token if way != "unknown" else "glrt-" + "x" * 20)
    if way == "expired":
        change(hosted, Runner, runner.id, token_expires_at=hosted.core.now() - timedelta(seconds=1))
    elif way == "gone":
        assert stock.call("DELETE", "/runners", {"token": token}).status_code == 204
    assert stock.verify().status_code in REFUSED
    assert stock.request_job().status_code in REFUSED
    hosted.core.session.rollback()
    assert [pipeline.status for pipeline in hosted.pipelines()] == ["pending"]
