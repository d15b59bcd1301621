"""From a request to what a pipeline will be made of: reads the commit and its configuration, compiles, writes
nothing.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from app.dialects.base import Compilation, CompileContext
from app.dialects.diagnostics import Diagnostic, Severity
from app.dialects.registry import compile_configuration, typed_inputs
from app.domain import plan_json
from app.domain.errors import InvalidConfiguration, LimitExceeded, NotFound, SkerryError
from app.domain.plan import Plan, Variable
from app.domain.variables import sort_and_expand
from app.git.command import GitFailed
from app.git.objects import Objects
from app.git.repository import Repository
from app.models import PipelineDefinition
from app.services.core import Core
from app.services.pipelines.configuration_sources import configuration_sources, reader
from app.services.pipelines.definition_variables import definition_variables
from app.services.pipelines.kept_variables import settings_variables
from app.services.pipelines.pipeline_request import MERGE_REQUEST, NO_COMMIT, PipelineRequest
from app.services.pipelines.variables import predefined_for_compiling, raw_keys
from app.services.repositories.protected_refs import is_protected

#: The longest configuration file (gitlab.md C.0), in bytes.
CONFIG_LIMIT = 2 * 1024 * 1024
#: Of what is wrong no more than this is kept.
MAX_ERRORS = 100
MAX_ERROR_LENGTH = 2000
_MISSING = "Missing CI config file"
#: The sources of pipelines that a commit's message may skip (gitlab.md C.12).
_SKIPPED = frozenset({"push", MERGE_REQUEST})
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
    path, stored = _configuration(core, request)
    given = request.configuration.text if request.configuration else stored
    if request.sha == NO_COMMIT:
        return _without_commit(core, request, path, given)
    repository = core.repositories.open(request.project.id)
    with repository.objects() as objects:
        commit = objects.commit(request.sha)
        # A stored text went through no review of a protected branch: it gets none of what is kept for those.
        protected = stored is None and _is_protected(core, request)
        prepared = Prepared(request, commit, protected, path)
        if request.skip or (request.source in _SKIPPED and _SKIP.search(commit["message"])):
            return prepared
        try:
            text = given if given is not None else _decode(path, objects.read_file(request.sha, path, CONFIG_LIMIT))
        except NotFound:
            return _without_configuration(prepared)
        except LimitExceeded:
            problem = f"The file is larger than {CONFIG_LIMIT} bytes"
            return _refused(prepared, [Diagnostic(Severity.ERROR, "too_large", problem, path)])
        except InvalidConfiguration as error:
            return _refused(prepared, [found for found in error.diagnostics if isinstance(found, Diagnostic)])
        prepared = replace(prepared, config_text=_storable(text))
        return _compile(core, prepared, text, stored is not None, _reading(repository, objects, request))


def _is_protected(core: Core, request: PipelineRequest) -> bool:
    """Whether jobs get what is kept for protected refs. What is yet to be merged gets none of it."""
    return not request.is_merge_requests and is_protected(core, request.project, request.ref, request.tag)


def _configuration(core: Core, request: PipelineRequest) -> tuple[str, str | None]:
    """The path of the configuration, and its text where that is stored with its definition."""
    if request.configuration is not None:
        return request.configuration.path, None
    definition = request.definition or default_definition(core, request.project.id)
    path = (definition.config_path if definition else None) or request.project.config_path
    return path, definition.stored_text if definition else None


def _reading(repository: Repository, objects: Objects, request: PipelineRequest) -> dict[str, Any]:
    """What a compiler may read of a commit, as fields of its context."""
    return {
        "read_file": _with_given(request, reader(objects, request.sha)),
        "list_files": lambda: repository.list_files(request.sha),
        "last_commit": lambda path: repository.last_commit(request.sha, path),
        "changed_files": _changed(repository, request),
        "changes_since": lambda ref: _changed_since(repository, ref, request.sha),
    }


def _without_commit(core: Core, request: PipelineRequest, path: str, stored: str | None) -> Prepared:
    """The same for a stored text alone. Raises NotFound("Commit") where the text lies in a repository."""
    if stored is None:
        raise NotFound("Commit")
    prepared = Prepared(request, _no_commit(core), protected=False, config_path=path, config_text=_storable(stored))
    reading = {"read_file": _with_given(request, lambda _path: None)}
    return prepared if request.skip else _compile(core, prepared, stored, True, reading)


def _with_given(request: PipelineRequest, read: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """`read`, which knows the request's own files too."""
    files = request.configuration.files if request.configuration else {}
    return lambda path: files[path] if path in files else read(path)


def _no_commit(core: Core) -> dict[str, Any]:
    """A commit's dict (`git.objects.parse_commit`) for a run that has none."""
    texts = ("title", "message", "author_name", "author_email", "committer_name", "committer_email")
    times = ("created_at", "authored_date", "committed_date")
    now = core.now().isoformat(timespec="milliseconds")
    found: dict[str, Any] = {"id": NO_COMMIT, "short_id": NO_COMMIT[:8], "parent_ids": []}
    found |= dict.fromkeys(texts, "") | dict.fromkeys(times, now)
    return found | {"trailers": {}, "extended_trailers": {}}


def default_definition(core: Core, project_id: int) -> PipelineDefinition | None:
    """The definition that a project's pipelines have where nothing else is said."""
    found = select(PipelineDefinition).where(
        PipelineDefinition.project_id == project_id, PipelineDefinition.is_default.is_(True)
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


def _without_configuration(prepared: Prepared) -> Prepared:
    """A branch that has no configuration asks for no pipeline (gitlab.md C.12); who asked for one is told."""
    if prepared.request.strict:
        return _refused(prepared, [Diagnostic(Severity.ERROR, "missing_file", _MISSING, prepared.config_path)])
    return replace(prepared, nothing_to_do=f"{_MISSING} {prepared.config_path}")


def _compile(core: Core, prepared: Prepared, text: str, stored: bool, reading: dict[str, Any]) -> Prepared:
    request = prepared.request
    given = _given(core, prepared)
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
        variables_for=_variables_for(core, prepared),
        inputs=typed_inputs(prepared.config_path, text, request.inputs),
        stored=stored,
        masked=frozenset(variable.key for variable in given if variable.masked),
        raw=raw_keys(fixed, given),
        **reading,
    )
    with configuration_sources(core, request.user) as sources:
        compiled = compile_configuration(prepared.config_path, text, replace(context, sources=sources))
    prepared = replace(prepared, warnings=_lines(compiled.warnings))
    problems = list(compiled.errors) or _unusable(compiled, prepared.config_path, [*fixed, *given])
    if problems:
        return _refused(prepared, problems)
    if compiled.plan is None or not compiled.plan.jobs:
        return _nothing(prepared, compiled.skipped_reason)
    plan = compiled.plan if request.amend is None else request.amend(compiled.plan)
    return replace(prepared, plan=plan)


def _variables_for(core: Core, prepared: Prepared) -> Callable[[str], Mapping[str, str]]:
    """What is given beside the configuration, as jobs of one environment see it."""

    def read(environment: str) -> Mapping[str, str]:
        return {variable.key: variable.value for variable in _given(core, prepared, environment)}

    return read


def _given(core: Core, prepared: Prepared, environment: str | None = None) -> list[Variable]:
    """The variables of the settings, of the definition and of the request; later ones win."""
    request = prepared.request
    own = definition_variables(core, request.project.id, request.definition.id if request.definition else None)
    settings = settings_variables(core, request.project, prepared.protected, environment)
    return [*settings, *own, *request.variables]


def _changed(repository: Repository, request: PipelineRequest) -> frozenset[str] | None:
    """The paths that a push to a branch, or a whole merge request, changed; None where there is nothing to compare
    with.
    """
    base = request.before_sha
    if request.merge_request is not None and request.is_merge_requests:
        base = request.merge_request.diff_base_sha or NO_COMMIT
    elif request.tag or request.source == "parent_pipeline":
        return None
    if base == NO_COMMIT:
        return None
    try:
        return frozenset(repository.changed_files(base, request.sha))
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
