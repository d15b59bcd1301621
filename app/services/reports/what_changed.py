"""What changed since a pipeline's ref was last green: the commits between."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.domain import status
from app.domain.errors import SkerryError
from app.git.changes import Totals, totals
from app.git.history import commits_between, read_commits
from app.git.repository import Repository
from app.models import Pipeline
from app.services.core import Core

#: No more commits are shown.
MOST_COMMITS = 100
#: Among so many of the last pipelines of a ref the green one is looked for.
LOOKED_BACK = 1000


@dataclass(frozen=True, slots=True)
class Changes:
    """`green`: the last pipeline of the same ref before it that passed, None where there was none; then its own
    commit is the only one.

    `commits`, newest first, are as `git.objects.parse_commit` shows them; `more`: there are more than these. `lost`:
    commits that the green pipeline had and this one has not (somebody rewrote the branch). `totals` counts lines of
    the whole difference. `readable` False: the repository does not know these commits any more.
    """

    green: Pipeline | None
    commits: list[dict[str, Any]] = field(default_factory=list)
    lost: list[dict[str, Any]] = field(default_factory=list)
    totals: Totals | None = None
    more: bool = False
    readable: bool = True


def last_green(core: Core, pipeline: Pipeline) -> Pipeline | None:
    """The last pipeline of the same ref before `pipeline` that passed; children of others do not count."""
    last = (
        select(Pipeline.id)
        .where(Pipeline.project_id == pipeline.project_id, Pipeline.ref == pipeline.ref, Pipeline.id < pipeline.id)
        .order_by(Pipeline.id.desc())
        .limit(LOOKED_BACK)
        .subquery()
    )
    query = select(Pipeline).where(
        Pipeline.id.in_(select(last.c.id)),
        Pipeline.tag == pipeline.tag,
        Pipeline.status == status.SUCCESS,
        Pipeline.source != "parent_pipeline",
    )
    return core.session.scalar(query.order_by(Pipeline.id.desc()).limit(1))


def what_changed(core: Core, pipeline: Pipeline, *, with_commits: bool) -> Changes:
    """The last green pipeline, and the commits between it and this one; without these `readable` is False."""
    green = last_green(core, pipeline)
    repository = core.repositories.open(pipeline.project_id)
    if not with_commits or not repository.exists:
        return Changes(green, readable=False)
    try:
        if green is None:
            return Changes(None, read_commits(repository, [pipeline.sha]))
        return _between(repository, green, pipeline.sha)
    except SkerryError:
        return Changes(green, readable=False)


def _between(repository: Repository, green: Pipeline, sha: str) -> Changes:
    if green.sha == sha:
        return Changes(green)
    gained = commits_between(repository, green.sha, sha, MOST_COMMITS + 1)[::-1]
    lost = commits_between(repository, sha, green.sha, MOST_COMMITS)[::-1]
    return Changes(
        green,
        commits=read_commits(repository, gained[:MOST_COMMITS]),
        lost=read_commits(repository, lost),
        totals=totals(repository, green.sha, sha),
        more=len(gained) > MOST_COMMITS,
    )
