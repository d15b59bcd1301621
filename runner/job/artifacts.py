"""The phases that move artifacts, in both directions (gitlab.md A.6)."""

from dataclasses import replace

from runner.job.files import fits, globs, workspace_of
from runner.job.run import JobRun
from runner.protocol.outcomes import JobAnswer, Outcome
from runner.protocol.wire import Artifact, Dependency
from runner.workspace.base import Packed, Selection, WorkspaceError

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


def download_artifacts(run: JobRun) -> None:
    """Fetch and unpack the artifacts of the jobs that this one depends on."""
    for dependency in run.job.dependencies:
        run.say(f"Downloading artifacts for {dependency.name} ({dependency.id})...")
        target = run.folder.path / f"download-{dependency.id}"
        try:
            _download(run, dependency)
            workspace_of(run).unpack(target, run.trace.write)
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
    return any(fits(run, artifact.when) for artifact in run.job.artifacts)


def upload_artifacts(run: JobRun) -> None:
    """Pack and send what the job's outcome asks for. All are tried; the first problem is the phase's."""
    problem: WorkspaceError | None = None
    for artifact in run.job.artifacts:
        if not fits(run, artifact.when) or run.control.everything.is_set():
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
    packed = workspace_of(run).pack(selection_of(run, artifact), run.trace.write)
    if packed is None:
        return
    try:
        run.say(f'Uploading artifacts as "{artifact.artifact_type}" to coordinator...')
        answer = _send(run, artifact, packed)
    finally:
        packed.path.unlink(missing_ok=True)
    if answer.outcome is Outcome.REFUSED or answer.detail.startswith("400"):
        raise TransferRefusedError(f"the server refused the artifacts: {answer.detail}")
    if answer.outcome is not Outcome.OK:
        raise TransferError(f"the artifacts could not be uploaded: {answer.detail}")


def _require_paths(run: JobRun, artifact: Artifact) -> None:
    """Raises unless each path of the artifact names something."""
    selection = selection_of(run, artifact)
    for path in selection.paths:
        found = workspace_of(run).pack(replace(selection, paths=(path,)), lambda data: None)
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
        paths=globs(run, artifact.paths),
        exclude=globs(run, artifact.exclude),
        untracked=artifact.untracked,
        name="default" if name in ("", ".", "..") else name,
        file_format=artifact.artifact_format if artifact.artifact_format in _FORMATS else "zip",
    )
