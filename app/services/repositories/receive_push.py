"""A push, from what git is about to do to the pipelines that come of it.

1. `journal_push` writes down what is going to be tried, before git gets it.
2. Git moves the refs.
3. `finish_push` looks which refs moved, and makes their pipelines and the journal's end in one transaction.
After a crash between 1 and 3, `finish_pushes` does 3 for every push that nobody is at work on any more.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from app.domain import refs
from app.domain.branch_patterns import any_matches
from app.domain.errors import InvalidRequest, LimitExceeded, NotFound
from app.git import push_lock
from app.git.push_lock import PushLock
from app.git.receive import RefUpdate
from app.git.repository import FoundRef, Repository
from app.models import Project, Push, User, write
from app.services.core import Core
from app.services.environments.stop_environment import stop_for_branches
from app.services.pipelines.create_pipeline import insert_pipeline
from app.services.pipelines.merge_requests import requests_of_push
from app.services.pipelines.pipeline_request import MAX_INPUTS, MERGE_REQUEST, PipelineRequest
from app.services.pipelines.prepare_pipeline import Prepared, prepare_pipeline
from app.services.pipelines.require_variables import require_variables
from app.services.projects.create_project import protect_branch
from app.services.repositories.push_options import PushOptions, parse_push_options

#: A push that moves more branches and tags than this makes no pipelines.
MAX_PIPELINES = 4
#: So many errors of a configuration are told at once; its page shows them all.
MAX_NOTES = 5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a push came to: the ids of its pipelines, and the sentences for whoever pushed."""

    pipelines: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()


def journal_push(
    core: Core, project: Project, user: User | None, updates: Sequence[RefUpdate], options: Sequence[str]
) -> tuple[int, PushLock]:
    """Write the push down; return its id and the lock to hold while git is at work. Raises StorageFull."""
    project_id, user_id = project.id, user.id if user else None
    lock: PushLock | None = None
    try:
        with write(core.session):
            push = Push(
                project_id=project_id,
                user_id=user_id,
                refs=[{"ref": update.ref, "old": update.old, "new": update.new} for update in updates],
                options=[],
                created_at=core.now(),
            )
            core.session.add(push)
            core.session.flush()
            # Options hold variables, and these may be secrets.
            push.options = [core.box.seal(json.dumps(list(options)), _context(push))] if options else []
            # Before the row can be seen: whoever sees it without a lock takes it for abandoned.
            lock = push_lock.hold(core.repositories.path(project_id), push.id)
            return push.id, lock
    except BaseException:
        if lock:
            lock.release()
        raise


def finish_push(core: Core, push_id: int, done: Collection[str] | None = None) -> Outcome:
    """Make the pipelines of a push, once, however often this is called. `done`: the refs that git said it
    moved, if known.
    """
    push = core.session.get(Push, push_id)
    if push is None or push.finished_at is not None:
        return Outcome()
    project, user = core.session.get_one(Project, push.project_id), core.session.get(User, push.user_id or 0)
    options = parse_push_options(json.loads(core.box.open(push.options[0], _context(push))) if push.options else ())
    repository = core.repositories.open(project.id)
    moved, push_refs, project_id = _moved(core, push, done), list(push.refs), project.id
    branch = _new_default_branch(repository, project, moved)
    prepared, notes = _prepare(core, repository, project, user, moved, options)
    with write(core.session):
        held = core.session.get_one(Push, push_id, with_for_update=True, populate_existing=True)
        if held.finished_at is not None:
            return Outcome()
        held.finished_at = core.now()
        project = core.session.get_one(Project, held.project_id)
        if branch:
            project.default_branch = branch
            protect_branch(core, project, branch)
        if moved:
            project.last_activity_at = core.now()
        made = [(pipeline.id, pipeline.ref) for each in prepared if (pipeline := insert_pipeline(core, each))]
    if gone := _gone_branches(repository, push_refs, done):
        stop_for_branches(core, project_id, gone, user)
    return Outcome(tuple(made), tuple(notes))


def finish_pushes(core: Core) -> int:
    """Finish every push whose server was killed before it could; return how many. For the background's loop."""
    core.session.rollback()  # see what is there now
    waiting = core.session.execute(
        select(Push.id, Push.project_id).where(Push.finished_at.is_(None)).order_by(Push.id)
    ).all()
    core.session.rollback()
    finished = 0
    for push_id, project_id in waiting:
        try:
            with push_lock.abandoned(core.repositories.path(project_id), push_id) as nobody:
                outcome = finish_push(core, push_id) if nobody else None
        except Exception:  # one repository that is broken must not hold up the others; it is tried again next time
            _log.exception("could not finish an interrupted push", push=push_id, project=project_id)
            core.session.rollback()
            continue
        if outcome is not None:
            finished += 1
            _log.info("finished an interrupted push", push=push_id, pipelines=[made for made, _ in outcome.pipelines])
    return finished


def _context(push: Push) -> str:
    return f"push_options:{push.project_id}:{push.id}"


def _moved(core: Core, push: Push, done: Collection[str] | None) -> list[RefUpdate]:
    """The updates that took place, none of which delete."""
    updates = [RefUpdate(entry["ref"], entry["old"], entry["new"]) for entry in push.refs]
    updates = [update for update in updates if not update.deletes]
    if done is not None:
        return [update for update in updates if update.ref in done]
    names = [update.ref for update in updates]
    now = {found.full_name: found.target for found in core.repositories.open(push.project_id).current(names)}
    # A ref may have moved on since. Then the push that moved it says where it was before.
    later = core.session.scalars(select(Push.refs).where(Push.project_id == push.project_id, Push.id > push.id)).all()
    left = {(entry["ref"], entry["old"]) for entries in later for entry in entries}
    return [update for update in updates if now.get(update.ref) == update.new or (update.ref, update.new) in left]


def _gone_branches(
    repository: Repository, entries: Sequence[dict[str, str]], done: Collection[str] | None
) -> list[str]:
    """The names of the branches that the push deleted."""
    updates = [RefUpdate(entry["ref"], entry["old"], entry["new"]) for entry in entries]
    names = [update.ref for update in updates if update.deletes and refs.split(update.ref).kind == "branch"]
    if not names:
        return []
    left = {found.full_name for found in repository.current(names)}
    return [refs.split(name).name for name in names if name not in left and (done is None or name in done)]


def _new_default_branch(repository: Repository, project: Project, moved: Sequence[RefUpdate]) -> str | None:
    """The branch that becomes the default one, because the repository held none before this push. One whose name is
    too long for that stays an ordinary one.
    """
    created = [
        refs.split(update.ref).name for update in moved if update.creates and refs.split(update.ref).kind == "branch"
    ]
    if any(found.name not in created for found in repository.branches()):
        return None
    fitting = [name for name in created if len(name) <= refs.MAX_DEFAULT_BRANCH]
    if not fitting:
        return None
    branch = project.default_branch if project.default_branch in fitting else fitting[0]
    repository.set_head(branch)
    return branch


def _prepare(
    core: Core,
    repository: Repository,
    project: Project,
    user: User | None,
    moved: Sequence[RefUpdate],
    options: PushOptions,
) -> tuple[list[Prepared], list[str]]:
    """The pipelines to be, and what to tell about those that are not."""
    notes = list(options.notes)
    ways = [update for update in moved if refs.split(update.ref).kind != "other"]
    if options.no_pipeline or not ways:
        return [], notes
    if len(ways) > MAX_PIPELINES:
        return [], [
            *notes,
            f"More than {MAX_PIPELINES} branches and tags were pushed at once: no pipelines were created.",
        ]
    if refused := _refusal(core, project, user, options):
        return [], [*notes, f"No pipelines were created: {refused}"]
    prepared = []
    for update in ways:
        found = FoundRef(update.ref, update.new, repository.commit_of(update.new))
        if found.commit is None:
            continue
        if not found.is_tag and any_matches(project.ignored_branches, found.name):
            notes.append(f"No pipeline for {found.name}: this project ignores the branch.")
            continue
        request = PipelineRequest(
            project=project,
            ref=found.name,
            tag=found.is_tag,
            sha=found.commit,
            before_sha=update.old,
            user=user,
            variables=options.variables,
            inputs=dict(options.inputs),
            skip=options.skip,
        )
        requests: Sequence[PipelineRequest] = (request,)
        if options.merge_request is not None and not found.is_tag:
            try:
                requests = requests_of_push(core, repository, request, options.merge_request)
            except InvalidRequest as error:
                notes.append(f"No merge request pipeline for {found.name}: {error}.")
        for wanted in requests:
            one = _prepare_one(core, wanted, notes)
            prepared += [one] if one is not None else []
    return prepared, notes


def _prepare_one(core: Core, request: PipelineRequest, notes: list[str]) -> Prepared | None:
    """The pipeline to be, with what there is to tell of it in `notes`; None where there can be none."""
    kind = "merge request pipeline" if request.source == MERGE_REQUEST else "pipeline"
    try:
        one = prepare_pipeline(core, request)
    except NotFound:  # the ref was forced away meanwhile, and its commit is gone
        return None
    except LimitExceeded as error:
        notes.append(f"No {kind} for {request.ref}: {error}")
        return None
    told = [f"The configuration of {request.ref} does not compile:", *one.errors[:MAX_NOTES]] if one.errors else []
    told += [f"{request.ref}: {warning}" for warning in one.warnings[:MAX_NOTES]] if one.plan else []
    notes += [note for note in told if note not in notes]
    if one.nothing_to_do:
        notes.append(f"No {kind} for {request.ref}: {one.nothing_to_do}")
    return one


def _refusal(core: Core, project: Project, user: User | None, options: PushOptions) -> str | None:
    """Why the pipelines that were pushed for may not be as `options` want them; None: they may."""
    try:
        require_variables(core, user, project, options.variables)
    except InvalidRequest as error:
        return f"{error}."
    if len(options.inputs) > MAX_INPUTS:
        return f"There cannot be more than {MAX_INPUTS} inputs."
    return None
