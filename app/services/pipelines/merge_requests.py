"""Pipelines of merge requests, which a push asks for (gitlab.md A.8, C.4).

A merge request here is two branches and what was said about them: it gives pipelines a number, variables, and the
changes of the whole branch to compare with. There is nothing to review or to merge.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select

from app.domain.errors import InvalidRequest, LimitExceeded, NotFound
from app.git.command import GitFailed
from app.git.repository import Repository
from app.models import MergeRequest, MergeRequestPipeline, Pipeline, User, write
from app.services.core import Core
from app.services.locks import lock_project
from app.services.pipelines.pipeline_request import MERGE_REQUEST, NO_COMMIT, OfMergeRequest, PipelineRequest
from app.services.repositories.push_options import AskedMergeRequest

MAX_TITLE = 255
#: A pipeline of any other source has no merge request, and none is looked for.
_SOURCES = frozenset({MERGE_REQUEST, "push", "parent_pipeline"})

#: Asked for every job that is handed out, and seldom true: a narrow look, put together once.
_LINK = select(MergeRequestPipeline.pipeline_id).where(MergeRequestPipeline.pipeline_id == bindparam("pipeline"))


def requests_of_push(
    core: Core, repository: Repository, request: PipelineRequest, asked: AskedMergeRequest
) -> Sequence[PipelineRequest]:
    """`request`, a branch's that was pushed, and the one of the merge request that the push asks for.

    Raises InvalidRequest with a sentence where there is nothing to merge into.
    """
    target = asked.target or request.project.default_branch
    found = next((one for one in repository.find(target) if not one.is_tag and one.commit), None)
    if found is None or found.commit is None:
        raise InvalidRequest(f"there is no branch {target} to merge into")
    if found.name == request.ref:
        raise InvalidRequest("a branch cannot be merged into itself")
    base = _base(repository, found.commit, request.sha)
    row = _save(core, request, found.name, asked, repository)
    of_branch = replace(request, merge_request=OfMergeRequest(row, base, own=False))
    own = OfMergeRequest(row, base, own=True)
    return of_branch, replace(request, source=MERGE_REQUEST, before_sha=NO_COMMIT, merge_request=own)


def merge_request_of(core: Core, pipeline: Pipeline) -> OfMergeRequest | None:
    """The merge request that the push of `pipeline` asked for; None for none."""
    if pipeline.source not in _SOURCES:
        return None
    if core.session.scalar(_LINK, {"pipeline": pipeline.id}) is None:
        return None
    link = core.session.get_one(MergeRequestPipeline, pipeline.id)
    return OfMergeRequest(link.merge_request, link.diff_base_sha, link.own)


def note_merge_request(core: Core, pipeline: Pipeline, of: OfMergeRequest) -> None:
    """*In a write* that adds `pipeline`: whose it is."""
    core.session.add(
        MergeRequestPipeline(
            pipeline_id=pipeline.id, merge_request_id=of.row.id, own=of.own, diff_base_sha=of.diff_base_sha
        )
    )


def _base(repository: Repository, target: str, sha: str) -> str | None:
    try:
        return repository.merge_base(target, sha)
    except GitFailed:  # a shallow past
        return None


def _save(
    core: Core, request: PipelineRequest, target: str, asked: AskedMergeRequest, repository: Repository
) -> MergeRequest:
    """The merge request of these branches as it is `asked` for now, made where there is none: its number stays."""
    project_id, user, now = request.project.id, request.user, core.now()
    with write(core.session):
        lock_project(core, project_id)
        row = _find(core, project_id, request.ref, target)
        if row is None:
            row = _new(core, project_id, user, request.ref, target)
            row.title = _title(repository, request.sha)
        row.title = (asked.title or row.title)[:MAX_TITLE]
        row.description = row.description if asked.description is None else asked.description
        row.labels = list(asked.labels) or row.labels
        row.draft, row.updated_at = asked.draft or row.draft, now
        core.session.add(row)
        core.session.flush()
        row_id = row.id
    return core.session.get_one(MergeRequest, row_id)


def _find(core: Core, project_id: int, source: str, target: str) -> MergeRequest | None:
    query = select(MergeRequest).where(
        MergeRequest.project_id == project_id,
        MergeRequest.source_branch == source,
        MergeRequest.target_branch == target,
    )
    return core.session.scalar(query)


def _new(core: Core, project_id: int, user: User | None, source: str, target: str) -> MergeRequest:
    last = core.session.scalar(select(func.max(MergeRequest.iid)).where(MergeRequest.project_id == project_id))
    return MergeRequest(
        project_id=project_id,
        author_id=user.id if user else None,
        iid=(last or 0) + 1,
        source_branch=source,
        target_branch=target,
        description="",
        draft=False,
        labels=[],
        created_at=core.now(),
    )


def _title(repository: Repository, sha: str) -> str:
    """What the commit says first. One that cannot be read is told of where its pipeline is prepared."""
    try:
        with repository.objects() as objects:
            return str(objects.commit(sha)["title"]) or sha
    except (NotFound, LimitExceeded):
        return sha
