"""Old pushes and stray repositories go; what may still be needed stays."""

import os
from datetime import timedelta

from sqlalchemy import select

from app.git.receive import RefUpdate
from app.models import Push, write
from app.services.core import Core
from app.services.repositories.receive_push import finish_push, journal_push
from app.services.repositories.tidy_repositories import tidy_repositories
from tests.factories import make_project


def test_finished_pushes_are_forgotten_after_a_week_and_unfinished_ones_never(core: Core) -> None:
    project = make_project(core)
    ids = []
    for _ in range(3):
        push_id, lock = journal_push(core, project, None, [RefUpdate("refs/heads/x", "0" * 40, "a" * 40)], [])
        lock.release()
        ids.append(push_id)
    old, recent, unfinished = ids
    finish_push(core, old, set())
    finish_push(core, recent, set())
    with write(core.session):
        core.session.get_one(Push, old).finished_at = core.now() - timedelta(days=8)
        core.session.get_one(Push, unfinished).created_at = core.now() - timedelta(days=30)
    tidy_repositories(core)
    assert list(core.session.scalars(select(Push.id).order_by(Push.id))) == [recent, unfinished]


def test_repositories_of_nobody_go_after_a_day_and_others_stay(core: Core) -> None:
    project = make_project(core)
    fresh, stale = core.repositories.prepare(), core.repositories.prepare()
    long_ago = (core.now() - timedelta(days=2)).timestamp()
    for folder in (stale.folder, core.repositories.path(project.id)):
        os.utime(folder, (long_ago, long_ago))
    tidy_repositories(core)
    assert not stale.folder.exists()
    assert fresh.folder.exists()
    assert core.repositories.open(project.id).exists
