"""`changes` and `exists`: whether files changed, or are there (gitlab.md C.4)."""

from collections.abc import Collection
from dataclasses import dataclass

from app.dialects.gitlab import patterns, values
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Mark, Node
from app.dialects.gitlab.report import Report

MOST_PATTERNS = 50
MOST_COMPARISONS = 50_000
_CHANGES_KEYS = ("paths", "compare_to")
_EXISTS_KEYS = ("paths", "project", "ref")
_STRINGS = "should be an array of strings"
_ANYWHERE = "**/*"


@dataclass(frozen=True, slots=True)
class Changes:
    """Globs for files that changed, since the ref `compare_to` where it is given."""

    mark: Mark
    paths: tuple[str, ...]
    compare_to: str | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """Globs for files that are there: of the pipeline's own project, or of `project` at `ref`."""

    mark: Mark
    paths: tuple[str, ...]
    project: str | None = None
    ref: str | None = None


def changes(report: Report, node: Node, path: str) -> Changes | None:
    """A list of globs, or `{paths, compare_to}`."""
    if not isinstance(node, MappingNode):
        paths = _globs(report, node, path, "config should be an array of strings")
        return None if paths is None else Changes(node.mark, paths)
    values.check_keys(report, node, path, _CHANGES_KEYS)
    paths_node, ref = node.get("paths"), node.get("compare_to")
    if paths_node is None:
        values.refuse(report, node, path, "paths can't be blank")
        return None
    compare_to = values.text(report, ref, f"{path} compare to", "should be a string") if ref else None
    return Changes(node.mark, _globs(report, paths_node, path, f"paths {_STRINGS}") or (), compare_to)


def exists(report: Report, node: Node, path: str) -> Exists | None:
    """A glob, a list of them, or `{paths, project, ref}`."""
    if not isinstance(node, MappingNode):
        found = _globs(report, node, path, "config should be an array of strings or a string", single=True)
        return None if found is None else Exists(node.mark, found)
    values.check_keys(report, node, path, _EXISTS_KEYS)
    paths, project, ref = node.get("paths"), node.get("project"), node.get("ref")
    if paths is None:
        values.refuse(report, node, path, "paths can't be blank")
        return None
    if ref is not None and project is None:
        values.refuse(report, ref, path, "config project is required when `ref` is given")
    return Exists(
        node.mark,
        _globs(report, paths, path, f"paths {_STRINGS}") or (),
        values.text(report, project, f"{path} project", "should be a string") if project else None,
        values.text(report, ref, f"{path} ref", "should be a string") if ref else None,
    )


def _globs(report: Report, node: Node, path: str, problem: str, *, single: bool = False) -> tuple[str, ...] | None:
    read = values.text_or_texts if single else values.texts
    found = read(report, node, path, problem)
    if found is not None and len(found) > MOST_PATTERNS:
        values.refuse(report, node, path, f"config has too many entries (maximum {MOST_PATTERNS})")
        return None
    return found


def any_changed(paths: Collection[str], globs: Collection[str]) -> bool:
    """Whether a changed file matches any glob. True when there is too much to compare."""
    if len(globs) * len(paths) > MOST_COMPARISONS:
        return True
    return any(glob in paths for glob in globs) or any(_matches_any(paths, glob) for glob in globs if _is_wild(glob))


def any_exists(paths: Collection[str], globs: Collection[str]) -> bool:
    """Whether any file matches any glob. True when there is too much to compare, for which only some globs count."""
    if any(glob in paths for glob in globs):
        return True
    if not any("/" in glob or "**" in glob for glob in globs):
        paths = [path for path in paths if "/" not in path]
    wild = [glob for glob in globs if _is_wild(glob)]
    endings = tuple(glob.removeprefix(_ANYWHERE) for glob in wild if _is_ending(glob))
    if endings and any(path.endswith(endings) for path in paths):
        return True
    others = [glob for glob in wild if not _is_ending(glob)]
    return len(others) * len(paths) > MOST_COMPARISONS or any(_matches_any(paths, glob) for glob in others)


def _is_wild(glob: str) -> bool:
    return any(character in glob for character in "*?[{")


def _is_ending(glob: str) -> bool:
    """Whether a glob like `**/*.md` only asks for how a path ends."""
    ending = glob.removeprefix(_ANYWHERE)
    return ending is not glob and ending.startswith(".") and "/" not in ending and not _is_wild(ending)


def _matches_any(paths: Collection[str], glob: str) -> bool:
    try:
        matches = patterns.glob(glob)
    except patterns.InvalidPattern:
        return False
    return any(matches(path) for path in paths)
