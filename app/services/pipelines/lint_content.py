"""Check a configuration as a pipeline of one of the project's refs would see it, before or after it is committed."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

from app.dialects.base import Compilation, CompileContext
from app.dialects.diagnostics import Diagnostic, Severity
from app.dialects.registry import DEFAULT_PATH, compile_configuration, compiler_for
from app.dialects.sources import Unreadable
from app.domain.errors import NotFound
from app.git.repository import Repository
from app.models import Project, User
from app.services.core import Core
from app.services.pipelines.configuration_sources import configuration_sources, reader
from app.services.pipelines.pipeline_request import NO_COMMIT, PipelineRequest
from app.services.pipelines.variables import predefined_for_compiling, raw_keys, settings_variables


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a configuration is looked at: a ref, and its commit where there is one."""

    ref: str
    tag: bool = False
    sha: str = ""


def lint_content(
    core: Core, project: Project, content: str, ref: str | None = None, *, user: User | None = None
) -> Compilation:
    """What the compiler says of `content`, asked by `user`.

    Files that it includes come from the tip of `ref` (the default branch), those of other projects as `user` may read
    them. Protected variables are not there: the text went through no review.
    """
    path = project.config_path if compiler_for(project.config_path) else DEFAULT_PATH
    return _compile(core, project, path, content, _place(core, project, ref or project.default_branch), user)


def lint_committed(
    core: Core, project: Project, content_ref: str | None, ref: str | None, *, user: User | None
) -> Compilation:
    """What the compiler says of the configuration that is committed at `content_ref` (a branch, tag or commit).

    `ref`: the branch or tag whose pipeline it would be. Raises NotFound("Commit"), also where the repository is empty.
    """
    name, path = content_ref or project.default_branch, project.config_path
    place = _place(core, project, name)
    sha = place.sha or _commit(core, project, name)
    if not sha:
        raise NotFound("Commit")
    try:
        text = _read(core, project, sha)
    except Unreadable as wrong:
        return Compilation(diagnostics=(Diagnostic(Severity.ERROR, "unreadable", f"The file {wrong}", path),))
    if text is None:
        message = "Please provide content of .gitlab-ci.yml"
        return Compilation(diagnostics=(Diagnostic(Severity.ERROR, "missing_file", message, path),))
    seen_as = _place(core, project, ref) if ref else place if place.sha else _Place(project.default_branch)
    return _compile(core, project, path, text, replace(seen_as, sha=sha), user)


def committed_text(core: Core, project: Project, ref: str) -> str:
    """The configuration that is committed at `ref` (a branch, tag or commit); empty where there is none to be read."""
    sha = _place(core, project, ref).sha or _commit(core, project, ref)
    try:
        return (_read(core, project, sha) or "") if sha else ""
    except Unreadable:
        return ""


def _read(core: Core, project: Project, sha: str) -> str | None:
    with core.repositories.open(project.id).objects() as objects:
        return reader(objects, sha)(project.config_path)


def _place(core: Core, project: Project, name: str) -> _Place:
    """The branch or tag `name` and its tip; without a commit where there is none, or more than one."""
    found = core.repositories.open(project.id).find(name) if project.repository != "none" else []
    if len(found) != 1 or found[0].commit is None:
        return _Place(name)
    return _Place(found[0].name, found[0].is_tag, found[0].commit)


def _commit(core: Core, project: Project, name: str) -> str | None:
    if project.repository == "none":
        return None
    try:
        return core.repositories.open(project.id).commit_of(name)
    except NotFound:
        return None


def _compile(core: Core, project: Project, path: str, text: str, place: _Place, user: User | None) -> Compilation:
    repository = core.repositories.open(project.id)
    with ExitStack() as stack:
        context = _context(core, project, place, user)
        if place.sha:
            context = _with_files(stack, context, repository, place.sha)
        sources = stack.enter_context(configuration_sources(core, user))
        return compile_configuration(path, text, replace(context, sources=sources))


def _with_files(stack: ExitStack, context: CompileContext, repository: Repository, sha: str) -> CompileContext:
    objects = stack.enter_context(repository.objects())
    return replace(
        context,
        read_file=reader(objects, sha),
        list_files=lambda: repository.list_files(sha),
        last_commit=lambda path: repository.last_commit(sha, path),
    )


def _context(core: Core, project: Project, place: _Place, user: User | None) -> CompileContext:
    request = PipelineRequest(
        project=project, ref=place.ref, tag=place.tag, sha=place.sha or NO_COMMIT, user=user, source="push"
    )
    commit = core.repositories.open(project.id).commit(place.sha) if place.sha else {}
    given = settings_variables(core, project, protected=False)
    fixed = predefined_for_compiling(core, request, commit, False)
    return CompileContext(
        ref=place.ref,
        tag=place.tag,
        sha=place.sha,
        source="push",
        default_branch=project.default_branch,
        project_path=project.full_path,
        predefined={variable.key: variable.value for variable in fixed},
        variables={variable.key: variable.value for variable in given},
        masked=frozenset(variable.key for variable in given if variable.masked),
        raw=raw_keys(fixed, given),
        render_merged=True,
    )
