"""What moving caches and moving artifacts have in common."""

from collections.abc import Iterable

from runner.job.run import JobRun
from runner.workspace.base import Workspace, WorkspaceError


def fits(run: JobRun, when: str) -> bool:
    return when == "always" or (when == "on_failure") == (run.verdict != "success")


def globs(run: JobRun, paths: Iterable[str]) -> tuple[str, ...]:
    """Globs relative to the project directory. One below it may also be written with its whole path."""
    top = run.places.project_dir if run.places else ""
    expanded = (run.variables.expand_like_shell(path) for path in paths)
    return tuple(_below(path, top) for path in expanded if path)


def _below(path: str, top: str) -> str:
    if path.rstrip("/") == top:
        return "."
    return path.removeprefix(f"{top}/").lstrip("/") if path.startswith(f"{top}/") else path


def workspace_of(run: JobRun) -> Workspace:
    if run.workspace is None:
        raise WorkspaceError("there is no workspace")
    return run.workspace
