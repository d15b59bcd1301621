"""The phases that move files: caches, and artifacts in both directions (gitlab.md A.6, A.7)."""

from collections.abc import Iterable
from dataclasses import replace

from runner.job_run import JobRun
from runner.protocol.outcomes import JobAnswer, Outcome
from runner.protocol.wire import Artifact, Cache, Dependency
from runner.workspace.base import CacheRef, Packed, Selection, Workspace, WorkspaceError

_TRIES = 3
_FORMATS = ("zip", "gzip", "raw")


class TransferError(WorkspaceError):
    """Artifacts could not be sent or fetched."""


class TransferRefusedError(TransferError):
    """The server does not want them: trying on another runner would change nothing."""

    failure_reason = "script_failure"


class MissingFileError(WorkspaceError):
    """What the job had to leave behind is not there."""

    failure_reason = "unmet_prerequisites"


def has_cache_to_restore(run: JobRun) -> bool:
    return any("pull" in _policy(run, cache) for cache in run.job.cache)


def restore_caches(run: JobRun) -> None:
    """Unpack each cache that the policy wants; a cache that cannot be had never fails a job."""
    for cache in run.job.cache:
        if "pull" not in _policy(run, cache) or run.control.script.is_set():
            continue
        reference = cache_reference(run, cache)
        run.say(f"Checking cache for {reference.keys[0]}...")
        if _workspace(run).restore_cache(reference, run.trace.write):
            run.say("Successfully extracted cache")


def saves_cache(run: JobRun) -> bool:
    return run.script_reached and any(_saved(run, cache) for cache in run.job.cache)


def save_caches(run: JobRun) -> None:
    """Pack each cache that the policy and the job's outcome want kept."""
    for cache in run.job.cache:
        if _saved(run, cache):
            reference = cache_reference(run, cache)
            run.say(f"Creating cache {reference.keys[0]}...")
            _workspace(run).save_cache(reference, run.trace.write)


def _saved(run: JobRun, cache: Cache) -> bool:
    return "push" in _policy(run, cache) and _fits(run, cache.when) and bool(cache.paths or cache.untracked)


def _policy(run: JobRun, cache: Cache) -> tuple[str, ...]:
    """`pull-push` is both."""
    return tuple(run.variables.expand(cache.policy).strip().split("-"))


def _fits(run: JobRun, when: str) -> bool:
    return when == "always" or (when == "on_failure") == (run.verdict != "success")


def cache_reference(run: JobRun, cache: Cache) -> CacheRef:
    """Where a cache is kept. Its own fallback keys come before CACHE_FALLBACK_KEY, which may not reach a
    protected one.
    """
    key = _key(run, cache.key) or _key(run, f"{run.job.name}/{run.job.git.ref}")
    keys = [key, *(_key(run, fallback) for fallback in cache.fallback_keys)]
    last = run.variables.get("CACHE_FALLBACK_KEY")
    if last and not last.endswith("-protected"):
        keys.append(_key(run, last))
    return CacheRef(
        project=str(run.job.project_id),
        keys=tuple(dict.fromkeys(one for one in keys if one)),
        paths=_globs(run, cache.paths),
        untracked=cache.untracked,
    )


def _key(run: JobRun, key: str) -> str:
    """An expanded key without steps up or empty parts."""
    parts = run.variables.expand(key).replace("\\", "/").split("/")
    return "/".join(part.strip() for part in parts if part.strip() not in ("", ".", ".."))


def download_artifacts(run: JobRun) -> None:
    """Fetch and unpack the artifacts of the jobs that this one depends on."""
    for dependency in run.job.dependencies:
        run.say(f"Downloading artifacts for {dependency.name} ({dependency.id})...")
        target = run.folder.path / f"download-{dependency.id}"
        try:
            _download(run, dependency)
            _workspace(run).unpack(target, run.trace.write)
        finally:
            target.unlink(missing_ok=True)


def _download(run: JobRun, dependency: Dependency) -> None:
    target = run.folder.path / f"download-{dependency.id}"
    answer = JobAnswer(Outcome.RETRY)
    for attempt in range(_TRIES):
        answer = run.client.download(dependency.id, dependency.token or run.job.token, target, direct=attempt == 0)
        if answer.outcome is not Outcome.RETRY or run.control.script.wait(float(attempt)):
            break
    if answer.outcome is not Outcome.OK:
        raise TransferError(f"the artifacts of {dependency.name} could not be downloaded: {answer.detail}")


def uploads_artifacts(run: JobRun) -> bool:
    return any(_fits(run, artifact.when) for artifact in run.job.artifacts)


def upload_artifacts(run: JobRun) -> None:
    """Pack and send what the job's outcome asks for. All are tried; the first problem is the phase's."""
    problem: WorkspaceError | None = None
    for artifact in run.job.artifacts:
        if not _fits(run, artifact.when) or run.control.everything.is_set():
            continue
        try:
            _upload(run, artifact)
        except WorkspaceError as error:
            run.say(f"ERROR: {error}")
            problem = problem or error
    if problem is not None:
        raise problem


def _upload(run: JobRun, artifact: Artifact) -> None:
    if artifact.required:
        _require_paths(run, artifact)
    packed = _workspace(run).pack(selection_of(run, artifact), run.trace.write)
    if packed is None:
        return
    try:
        run.say(f'Uploading artifacts as "{artifact.artifact_type}" to coordinator...')
        answer = _send(run, artifact, packed)
    finally:
        packed.path.unlink(missing_ok=True)
    if answer.outcome is Outcome.REFUSED:
        raise TransferRefusedError(f"the server refused the artifacts: {answer.detail}")
    if answer.outcome is not Outcome.OK:
        raise TransferError(f"the artifacts could not be uploaded: {answer.detail}")


def _require_paths(run: JobRun, artifact: Artifact) -> None:
    """Raises unless each path of the artifact names something."""
    selection = selection_of(run, artifact)
    for path in selection.paths:
        found = _workspace(run).pack(replace(selection, paths=(path,)), lambda data: None)
        if found is None:
            raise MissingFileError(f"there is no {path} to archive")
        found.path.unlink(missing_ok=True)


def _send(run: JobRun, artifact: Artifact, packed: Packed) -> JobAnswer:
    query = {
        "artifact_type": artifact.artifact_type,
        "artifact_format": artifact.artifact_format,
        "expire_in": artifact.expire_in,
    }
    query = {key: value for key, value in query.items() if value}
    tries, attempt = _TRIES, 0
    while True:
        answer = run.client.upload(packed.path, packed.filename, query)
        attempt += 1
        if answer.outcome is not Outcome.RETRY or attempt >= tries:
            return answer
        if answer.detail.startswith("503"):
            tries = 2 * _TRIES
        run.warn(f"uploading artifacts failed ({answer.detail}), trying again")
        if run.control.everything.wait(float(attempt)):
            return answer


def selection_of(run: JobRun, artifact: Artifact) -> Selection:
    """Which files to pack; names and globs expanded as a shell would."""
    expand = run.variables.expand_like_shell
    name = expand(artifact.name).rpartition("/")[2].strip() if artifact.name else "artifacts"
    return Selection(
        paths=_globs(run, artifact.paths),
        exclude=_globs(run, artifact.exclude),
        untracked=artifact.untracked,
        name="default" if name in ("", ".", "..") else name,
        file_format=artifact.artifact_format if artifact.artifact_format in _FORMATS else "zip",
    )


def _globs(run: JobRun, paths: Iterable[str]) -> tuple[str, ...]:
    """Globs relative to the project directory. One below it may also be written with its whole path."""
    top = run.places.project_dir if run.places else ""
    expanded = (run.variables.expand_like_shell(path) for path in paths)
    return tuple(_below(path, top) for path in expanded if path)


def _below(path: str, top: str) -> str:
    if path.rstrip("/") == top:
        return "."
    return path.removeprefix(f"{top}/").lstrip("/") if path.startswith(f"{top}/") else path


def _workspace(run: JobRun) -> Workspace:
    if run.workspace is None:
        raise WorkspaceError("there is no workspace")
    return run.workspace
