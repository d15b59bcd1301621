"""The server is killed in the middle of a push, or its disk is full: nothing is lost, nothing is made twice,
nothing hangs.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select as select_rows

from app.git import push_lock
from app.models import Pipeline, Project, Push, User
from app.services.core import Core
from app.services.repositories.receive_push import finish_pushes
from tests.databases import BOTH
from tests.factories import make_project, make_token, make_user
from tests.git_client import Checkout, new_checkout
from tests.integration.git.process import ALONE, serving


@pytest.fixture
def owner(core: Core) -> User:
    return make_user(core, "owner")


@pytest.fixture
def project(core: Core, owner: User) -> Project:
    return make_project(core, "tools/hello", creator=owner)


@pytest.fixture
def token(core: Core, owner: User) -> str:
    return make_token(core, owner)[1]


def push_to(address: str, token: str, checkout: Checkout, *arguments: str) -> str:
    url = address.replace("://", f"://owner:{token}@") + "/tools/hello.git"
    return checkout.try_git("push", url, *arguments).text


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("point", ["after-git", "inside-write"])
def test_a_server_killed_between_a_push_and_its_pipeline_makes_it_later_once(
    core: Core, project: Project, token: str, tmp_path: Path, point: str, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    checkout = new_checkout(tmp_path / "checkout", "unused")
    head = checkout.git("rev-parse", "HEAD")
    with serving(core, point) as (address, process):
        text = push_to(address, token, checkout, "main", "HEAD:refs/heads/topic", "--push-option=ci.variable=A=1")
        assert process.wait(30) == -9, text
    repository = core.repositories.open(project.id)
    assert [found.target for found in repository.branches()] == [head, head]
    assert core.session.scalars(select_rows(Pipeline)).all() == []
    wait_for(lambda: finish_pushes(core) == 1)  # git may live a moment longer than the server
    made = core.session.scalars(select_rows(Pipeline).order_by(Pipeline.id)).all()
    assert [(found.ref, found.sha, found.status, found.iid) for found in made] == [
        ("main", head, "pending", 1),
        ("topic", head, "pending", 2),
    ]
    assert made[0].variables_sealed is not None
    assert finish_pushes(core) == 0
    assert len(core.session.scalars(select_rows(Pipeline)).all()) == 2
    assert list((repository.folder / "pushes").iterdir()) == []


def test_a_server_killed_before_git_got_the_push_makes_nothing_and_a_second_push_works(
    core: Core, project: Project, token: str, tmp_path: Path
) -> None:
    checkout = new_checkout(tmp_path / "checkout", "unused")
    with serving(core, "before-git") as (address, process):
        push_to(address, token, checkout, "main")
        assert process.wait(30) == -9
    assert finish_pushes(core) == 1
    assert core.session.scalars(select_rows(Pipeline)).all() == []
    with serving(core, "never") as (address, _):
        assert "/-/pipelines/1" in push_to(address, token, checkout, "main")


def test_a_push_that_was_overtaken_before_the_server_came_back_still_gets_its_pipeline(
    core: Core, project: Project, token: str, tmp_path: Path, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    checkout = new_checkout(tmp_path / "checkout", "unused")
    first = checkout.git("rev-parse", "HEAD")
    with serving(core, "after-git") as (address, process):
        push_to(address, token, checkout, "main")
        process.wait(30)
    second = checkout.commit({"a": "1"})
    with serving(core, "never") as (address, _):
        assert "/-/pipelines/1" in push_to(address, token, checkout, "main")
    wait_for(lambda: finish_pushes(core) == 1)
    made = core.session.scalars(select_rows(Pipeline).order_by(Pipeline.id)).all()
    assert [found.sha for found in made] == [second, first]


def test_a_push_at_which_somebody_is_still_at_work_is_left_alone(core: Core, project: Project, owner: User) -> None:
    from app.git.receive import RefUpdate
    from app.services.repositories.receive_push import journal_push

    update = RefUpdate("refs/heads/main", "0" * 40, "a" * 40)
    push_id, lock = journal_push(core, project, owner, [update], ["ci.skip"])
    inheritor = subprocess.Popen(["sleep", "60"], pass_fds=[lock.descriptor])
    os.close(lock.descriptor)  # the server is gone, git is not
    try:
        assert finish_pushes(core) == 0
    finally:
        inheritor.kill()
        inheritor.wait()
    assert finish_pushes(core) == 1
    assert core.session.get_one(Push, push_id).finished_at is not None
    with push_lock.abandoned(core.repositories.path(project.id), push_id) as nobody:
        assert nobody


def test_a_full_disk_refuses_the_push_and_leaves_the_repository_in_order(
    core: Core, project: Project, token: str, tmp_path: Path
) -> None:
    checkout = new_checkout(tmp_path / "checkout", "unused")
    with serving(core, "small-disk", ALONE) as (address, process):
        assert "/-/pipelines/1" in push_to(address, token, checkout, "main")
        checkout.commit({"noise": os.urandom(8 * 1024 * 1024)}, "Too large")
        started = time.monotonic()
        refused = push_to(address, token, checkout, "main")
        assert "No space left on device" in refused
        assert "[remote rejected] main -> main" in refused
        assert "Traceback" not in refused
        assert time.monotonic() - started < 30
        checkout.git("reset", "--quiet", "--hard", "HEAD~1")
        checkout.commit({"small": "1"})
        assert "/-/pipelines/2" in push_to(address, token, checkout, "main")
        assert process.poll() is None
    assert all(push.finished_at for push in core.session.scalars(select_rows(Push)))
