"""From a request to what a pipeline will be made of: reads the commit and its configuration, compiles, writes
nothing.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from app.dialects.base import Compilation, CompileContext
from app.dialects.diagnostics import Diagnostic, Severity
from app.dialects.registry import compile_configuration
from app.domain import plan_json
from app.domain.errors import InvalidConfiguration, LimitExceeded, NotFound, SkerryError
from app.domain.plan import Plan, Variable
from app.domain.variables import sort_and_expand
from app.git.command import GitFailed
from app.git.objects import Objects
from app.git.repository import Repository
from app.models import PipelineDefinition
from app.services.core import Core
from app.services.pipelines.definition_variables import definition_variables
from app.services.pipelines.pipeline_request import NO_COMMIT, PipelineRequest
from app.services.pipelines.variables import predefined_for_compiling, settings_variables
from app.services.repositories.protected_refs import is_protected

#: The longest configuration file (gitlab.md C.0), in bytes.
CONFIG_LIMIT = 2 * 1024 * 1024
#: Of what is wrong no more than this is kept.
MAX_ERRORS = 100
MAX_ERROR_LENGTH = 2000
_SKIP = re.compile(r"\[(?:ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pipeline that only has to be written. `plan` None: it is skipped, or `errors` say what is wrong.

    `warnings` are said of what compiles all the same. `nothing_to_do` is set where the configuration asks for no
    pipeline here: none is made.
    """

    request: PipelineRequest
    commit: dict[str, Any]
    protected: bool
    config_path: str
    config_text: str | None = None
    plan: Plan | None = None
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    nothing_to_do: str | None = None


def prepare_pipeline(core: Core, request: PipelineRequest) -> Prepared:
    """What `create_pipeline` would write. Raises NotFound("Commit"); where `request.strict`,
    InvalidConfiguration too.
    """
    definition = request.definition or _default_definition(core, request)
    path = (definition.config_path if definition else None) or request.project.config_path
    stored = definition.stored_text if definition else None
    if request.sha == NO_COMMIT:
        return _without_commit(core, request, path, stored)
    repository = core.repositories.open(request.project.id)
    with repository.objects() as objects:
        commit = objects.commit(request.sha)
        # A stored text went through no review of a protected branch: it gets none of what is kept for those.
        protected = stored is None and is_protected(core, request.project, request.ref, request.tag)
        prepared = Prepared(request, commit, protected, path)
        if request.skip or (request.source == "push" and _SKIP.search(commit["message"])):
            return prepared
        try:
            text = stored if stored is not None else _decode(path, objects.read_file(request.sha, path, CONFIG_LIMIT))
        except (NotFound, LimitExceeded) as error:
            return _refused(prepared, [_unreadable(path, error)])
        except InvalidConfiguration as error:
            return _refused(prepared, [found for found in error.diagnostics if isinstance(found, Diagnostic)])
        prepared = replace(prepared, config_text=_storable(text))
        return _compile(core, prepared, text, stored is not None, _reading(repository, objects, request))


def _reading(repository: Repository, objects: Objects, request: PipelineRequest) -> dict[str, Any]:
    """What a compiler may read of a commit, as fields of its context."""
    return {
        "read_file": _reader(objects, request.sha),
        "list_files": lambda: repository.list_files(request.sha),
        "changed_files": _changed(repository, request),
        "changes_since": lambda ref: _changed_since(repository, ref, request.sha),
    }


def _without_commit(core: Core, request: PipelineRequest, path: str, stored: str | None) -> Prepared:
    """The same for a stored text alone. Raises NotFound("Commit") where the text lies in a repository."""
    if stored is None:
        raise NotFound("Commit")
    prepared = Prepared(request, _no_commit(core), protected=False, config_path=path, config_text=_storable(stored))
    return prepared if request.skip else _compile(core, prepared, stored, True, {})


def _no_commit(core: Core) -> dict[str, Any]:
    """A commit's dict (`git.objects.parse_commit`) for a run that has none."""
    texts = ("title", "message", "author_name", "author_email", "committer_name", "committer_email")
    times = ("created_at", "authored_date", "committed_date")
    now = core.now().isoformat(timespec="milliseconds")
    found: dict[str, Any] = {"id": NO_COMMIT, "short_id": NO_COMMIT[:8], "parent_ids": []}
    found |= dict.fromkeys(texts, "") | dict.fromkeys(times, now)
    return found | {"trailers": {}, "extended_trailers": {}}


def _default_definition(core: Core, request: PipelineRequest) -> PipelineDefinition | None:
    found = select(PipelineDefinition).where(
        PipelineDefinition.project_id == request.project.id, PipelineDefinition.is_default.is_(True)
    )
    return core.session.scalar(found.order_by(PipelineDefinition.id).limit(1))


def _decode(path: str, content: bytes) -> str:
    """The text of a configuration file. Raises InvalidConfiguration where it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Diagnostic(Severity.ERROR, "encoding", "The file is not UTF-8 text", path, line)
        raise InvalidConfiguration(problem.message, [problem]) from None


def _unreadable(path: str, error: SkerryError) -> Diagnostic:
    missing = isinstance(error, NotFound)
    message = "Missing CI config file" if missing else f"The file is larger than {CONFIG_LIMIT} bytes"
    return Diagnostic(Severity.ERROR, "missing_file" if missing else "too_large", message, path)


def _compile(core: Core, prepared: Prepared, text: str, stored: bool, reading: dict[str, Any]) -> Prepared:
    request = prepared.request
    own = definition_variables(core, request.project.id, request.definition.id if request.definition else None)
    given = [*settings_variables(core, request.project, prepared.protected), *own, *request.variables]
    fixed = predefined_for_compiling(core, request, prepared.commit, prepared.protected)
    context = CompileContext(
        ref=request.ref,
        tag=request.tag,
        sha=request.sha,
        source=request.source,
        default_branch=request.project.default_branch,
        project_path=request.project.full_path,
        predefined={variable.key: variable.value for variable in fixed},
        variables={variable.key: variable.value for variable in given},
        inputs=request.inputs,
        stored=stored,
        **reading,
    )
    compiled = compile_configuration(prepared.config_path, text, context)
    prepared = replace(prepared, warnings=_lines(compiled.warnings))
    problems = list(compiled.errors) or _unusable(compiled, prepared.config_path, [*fixed, *given])
    if problems:
        return _refused(prepared, problems)
    if compiled.plan is None or not compiled.plan.jobs:
        return _nothing(prepared, compiled.skipped_reason)
    plan = compiled.plan if request.amend is None else request.amend(compiled.plan)
    return replace(prepared, plan=plan)


def _reader(objects: Objects, sha: str) -> Callable[[str], str | None]:
    def read(path: str) -> str | None:
        try:
            return _decode(path, objects.read_file(sha, path.lstrip("/"), CONFIG_LIMIT))
        except (NotFound, LimitExceeded, InvalidConfiguration):
            return None

    return read


def _changed(repository: Repository, request: PipelineRequest) -> frozenset[str] | None:
    """The paths that a push to a branch changed; None where there is nothing to compare with."""
    if request.tag or request.before_sha == NO_COMMIT:
        return None
    try:
        return frozenset(repository.changed_files(request.before_sha, request.sha))
    except (GitFailed, NotFound):  # a forced push away from a commit that is gone
        return None


def _changed_since(repository: Repository, ref: str, sha: str) -> frozenset[str] | None:
    """The paths that differ between `sha` and where it left `ref`: a branch, a tag or a whole commit id.

    None where the two have no common past. Raises ValueError where there is no such ref.
    """
    try:
        # A tag counts before a branch of the same name, as everywhere in git.
        commit = next((found.commit for found in reversed(repository.find(ref))), None) or repository.commit_of(ref)
    except NotFound:
        commit = None
    if commit is None:
        raise ValueError(f"there is no ref {ref}")
    try:
        base = repository.merge_base(commit, sha)
        return None if base is None else frozenset(repository.changed_files(base, sha))
    except GitFailed:  # a shallow past, or a difference beyond all measure
        return None


def _unusable(compiled: Compilation, path: str, outer: Sequence[Variable]) -> list[Diagnostic]:
    """What compiles, but cannot be kept or run: circles of variables, and characters that no database takes."""
    found = []
    for job in compiled.plan.jobs if compiled.plan else ():
        try:
            sort_and_expand([*outer, *job.variables], keep_undefined=True)
            text = json.dumps(plan_json.to_json(job), ensure_ascii=False)
            if "\\u0000" in text:
                raise ValueError("a NUL character")
            text.encode()
        except SkerryError as error:
            found.append(Diagnostic(Severity.ERROR, "variables", f"{job.name}: {error}", path))
        except ValueError:
            message = f"{job.name!r}: holds NUL or half a character, which no script can"
            found.append(Diagnostic(Severity.ERROR, "characters", message, path))
    return found


def _refused(prepared: Prepared, problems: Sequence[Diagnostic]) -> Prepared:
    if prepared.request.strict:
        raise InvalidConfiguration(problems[0].message, problems)
    return replace(prepared, errors=_lines(problems))


def _lines(problems: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(_storable(str(problem))[:MAX_ERROR_LENGTH] for problem in problems[:MAX_ERRORS])


def _nothing(prepared: Prepared, reason: str | None) -> Prepared:
    reason = reason or (
        "Pipeline will not run for the selected trigger. "
        "The rules configuration prevented any jobs from being added to the pipeline."
    )
    if prepared.request.strict:
        raise InvalidConfiguration(reason)
    return replace(prepared, nothing_to_do=reason)


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
