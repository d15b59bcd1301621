"""What pushes and projects leave behind, removed when nobody needs it any more. For the background's loop."""

from datetime import timedelta

from sqlalchemy import select

from app.models import Push, write
from app.services.core import Core

#: How long finished pushes stay in the journal: they tell where a ref was when another push moved it on.
PUSHES_KEPT = timedelta(days=7)
#: How long a repository may wait for its project, and the one of a project that is gone for its end.
REPOSITORIES_KEPT = timedelta(days=1)
_AT_ONCE = 1000


def tidy_repositories(core: Core) -> None:
    """Forget old pushes; remove repositories that were never adopted, or were moved aside."""
    with write(core.session):
        old = select(Push).where(Push.finished_at < core.now() - PUSHES_KEPT).order_by(Push.id).limit(_AT_ONCE)
        for push in core.session.scalars(old):
            core.session.delete(push)
    core.repositories.sweep(core.now() - REPOSITORIES_KEPT)
