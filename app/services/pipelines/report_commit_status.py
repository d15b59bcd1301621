"""Another system reports how it stands with a commit (gitlab.md B.10)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from app.domain import external_status, refs, status
from app.domain.errors import InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Action
from app.git.history import find_commit, refs_with
from app.models import CommitStatus, Pipeline, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_pipeline, lock_project
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.pipeline_request import NO_COMMIT
from app.services.repositories.protected_refs import is_protected, may_act_on
from app.services.repositories.ref_access import require_ref

MAX_TEXT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is reported. None: as it was. `ref` None: that of the newest pipeline, else a branch with the commit."""

    state: str
    ref: str | None = None
    name: str = "default"
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    pipeline_id: int | None = None


def report_commit_status(core: Core, project: Project, user: User, sha: str, report: Report) -> CommitStatus:
    """Note the report in the pipeline of that commit, or in a new one of source external.

    Raises InvalidRequest (also for a state that cannot follow), NotFound("Commit" …), NotAllowed.
    """
    access.require(core, Action.UPDATE_PIPELINE, user, project)
    if project.archived:
        raise NotAllowed("the project is archived")
    _check(report)
    commit = _commit(core, project, sha)
    known = _pipeline(core, project, commit["id"], report)
    if known is not None:
        require_ref(core, user, known)
        ref, tag = known.ref, known.tag
    else:
        ref, tag = _ref(core, project, commit["id"], report.ref)
        if not may_act_on(core, user, project, ref, tag):
            raise NotAllowed(f"{ref} is protected, and your role does not allow to report on it")
    known_id, project_id, user_id = known.id if known else None, project.id, user.id
    with write(core.session):
        if known_id is None:
            lock_project(core, project_id)  # two first reports at once make one pipeline
            meanwhile = _pipeline(core, project, commit["id"], report)
            known_id = meanwhile.id if meanwhile else _new_pipeline(core, project_id, user_id, commit, ref, tag).id
        pipeline = lock_pipeline(core, known_id)
        noted = _note(core, pipeline, user_id, report)
        core.session.flush()
        advance(core, pipeline)
    return noted


def _check(report: Report) -> None:
    for name in ("target_url", "description", "name"):
        if len(getattr(report, name) or "") > MAX_TEXT:
            raise InvalidRequest(f"is too long (maximum is {MAX_TEXT} characters)", name)
    if report.target_url and not report.target_url.lower().startswith(("http://", "https://")):
        raise InvalidRequest("is blocked: Only allowed schemes are http, https", "target_url")
    if not report.name.strip():
        raise InvalidRequest("can't be blank", "name")


def _commit(core: Core, project: Project, sha: str) -> dict[str, Any]:
    repository = core.repositories.open(project.id)
    found = find_commit(repository, sha, project.default_branch) if repository.exists else None
    if found is None:
        raise NotFound("Commit")
    return repository.commit(found)


def _pipeline(core: Core, project: Project, sha: str, report: Report) -> Pipeline | None:
    """The newest pipeline of the commit that the report may mean. Raises NotFound for an id that is none of them."""
    query = select(Pipeline).where(Pipeline.project_id == project.id, Pipeline.sha == sha)
    query = query.where(Pipeline.source != "parent_pipeline") if report.pipeline_id is None else query
    if report.ref is not None:
        query = query.where(Pipeline.ref == _short(report.ref))
    if report.pipeline_id is not None:
        query = query.where(Pipeline.id == report.pipeline_id)
    found = core.session.scalar(query.order_by(Pipeline.id.desc()).limit(1))
    if found is None and report.pipeline_id is not None:
        raise NotFound("Pipeline")
    return found


def _short(ref: str) -> str:
    return ref if refs.split(ref).kind == "other" else refs.split(ref).name


def _ref(core: Core, project: Project, sha: str, wanted: str | None) -> tuple[str, bool]:
    """The ref of a new pipeline: the one that was named, else a branch with the commit. (name, whether it is a tag)"""
    repository = core.repositories.open(project.id)
    found = repository.find(wanted) if wanted is not None else refs_with(repository, sha)
    branches = [each for each in found if not each.is_tag]
    if wanted is None and not branches:
        raise NotFound("References for commit")
    if not found:
        raise NotFound("References for commit")
    chosen = next((each for each in branches if each.name == project.default_branch), (branches or found)[0])
    return chosen.name, chosen.is_tag


def _new_pipeline(core: Core, project_id: int, user_id: int, commit: dict[str, Any], ref: str, tag: bool) -> Pipeline:
    """*In a write*, with the project held."""
    project, now, sha = core.session.get_one(Project, project_id), core.now(), str(commit["id"])
    project.last_iid += 1
    pipeline = Pipeline(
        iid=project.last_iid,
        project_id=project_id,
        user_id=user_id,
        ref=ref,
        tag=tag,
        protected=is_protected(core, project, ref, tag),
        sha=sha,
        before_sha=NO_COMMIT,
        source="external",
        status=status.CREATED,
        stages=[],
        commit=commit,
        created_at=now,
        updated_at=now,
    )
    core.session.add(pipeline)
    core.session.flush()
    core.repositories.open(project_id).keep_for_pipeline(pipeline.id, sha)
    return pipeline


def _note(core: Core, pipeline: Pipeline, user_id: int, report: Report) -> CommitStatus:
    """*In a write*, with the pipeline held: the status as reported. One that has ended stays, and gets a successor."""
    same = (CommitStatus.pipeline_id == pipeline.id, CommitStatus.name == report.name)
    noted = core.session.scalar(
        select(CommitStatus)
        .where(*same, CommitStatus.retried.is_(False), CommitStatus.status.in_(external_status.OPEN))
        .order_by(CommitStatus.id.desc())
        .limit(1)
    )
    external_status.check_move(noted.status if noted else status.CREATED, report.state)
    if noted is None:
        core.session.execute(update(CommitStatus).where(*same).values(retried=True))
        noted = CommitStatus(pipeline_id=pipeline.id, name=report.name, created_at=core.now())
        core.session.add(noted)
    for name in ("target_url", "description", "coverage"):
        if getattr(report, name) is not None:
            setattr(noted, name, getattr(report, name))
    noted.user_id, noted.status = user_id, report.state
    if report.state == status.RUNNING:
        noted.started_at = core.now()
    elif report.state != status.PENDING:
        noted.finished_at = core.now()
    return noted
