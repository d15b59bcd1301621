"""`changes` and `exists`: whether files changed, or are there (gitlab.md C.4)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from app.dialects.gitlab import path_patterns, patterns, values
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Mark, Node, Sequence
from app.dialects.gitlab.report import Report

MOST_PATTERNS = 50
MOST_COMPARISONS = 50_000
_CHANGES_KEYS = ("paths", "compare_to", "regexp")
_EXISTS_KEYS = ("paths", "project", "ref", "regexp")
_STRINGS = "should be an array of strings"
_EITHER = "config must use exactly one of these keys: paths, regexp"
_ANY_EXISTS = "should be a string, an array of strings, or a hash"
_ANYWHERE = "**/*"


@dataclass(frozen=True, slots=True)
class Changes:
    """Globs for files that changed, or the pattern `regexp`; since the ref `compare_to` where it is given."""

    mark: Mark
    paths: tuple[str, ...] = ()
    compare_to: str | None = None
    regexp: str | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """Globs for files that are there, or the pattern `regexp`; of the pipeline's own project, or `project` at `ref`.

    None of either: the clause was wrong, and reported.
    """

    mark: Mark
    paths: tuple[str, ...] = ()
    project: str | None = None
    ref: str | None = None
    regexp: str | None = None


def changes(report: Report, node: Node, path: str) -> Changes | None:
    """A list of globs, or `{paths, compare_to}`, or `{regexp, compare_to}`."""
    if not isinstance(node, MappingNode):
        problem = f"config {_STRINGS}" if isinstance(node, Sequence) else "should be an array or a hash"
        paths = _globs(report, node, path, problem)
        return None if paths is None else Changes(node.mark, paths)
    values.check_keys(report, node, path, _CHANGES_KEYS)
    ref = node.get("compare_to")
    compare_to = values.text(report, ref, f"{path} compare to", "should be a string") if ref else None
    return Changes(node.mark, compare_to=compare_to, **_wanted(report, node, path))


def exists(report: Report, node: Node, path: str) -> Exists | None:
    """A glob, a list of them, or `{paths, project, ref}`, or `{regexp, project, ref}`."""
    if not isinstance(node, MappingNode):
        problem = f"config {_STRINGS}" if isinstance(node, Sequence) else _ANY_EXISTS
        found = _globs(report, node, path, problem, single=True)
        return None if found is None else Exists(node.mark, found)
    values.check_keys(report, node, path, _EXISTS_KEYS)
    project, ref = node.get("project"), node.get("ref")
    if ref is not None and project is None:
        values.refuse(report, ref, path, "config missing required keys: project")
    return Exists(
        node.mark,
        project=values.text(report, project, f"{path} project", "should be a string") if project else None,
        ref=values.text(report, ref, f"{path} ref", "should be a string") if ref else None,
        **_wanted(report, node, path),
    )


def _wanted(report: Report, node: MappingNode, path: str) -> dict[str, Any]:
    """The `paths` or the `regexp`, of which there has to be one."""
    if ("paths" in node) == ("regexp" in node):
        values.refuse(report, node, path, _EITHER)
        return {}
    if "paths" in node:
        return {"paths": _globs(report, node.entries["paths"].value, path, f"paths {_STRINGS}") or ()}
    given = node.entries["regexp"].value
    regexp = values.text(report, given, f"{path} regexp", "should be a string")
    if regexp is not None and len(regexp) > path_patterns.LONGEST:
        problem = f"is too long (maximum is {path_patterns.LONGEST} characters)"
        values.refuse(report, given, f"{path} regexp", problem)
    elif regexp is not None:
        _check_regexp(report, given, path, regexp)
    return {"regexp": regexp}


def _check_regexp(report: Report, node: Node, path: str, regexp: str) -> None:
    try:
        path_patterns.path_searcher(regexp)
    except patterns.InvalidPattern as wrong:
        values.refuse(report, node, f"{path} regexp", f"is invalid: {wrong}")


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
    """Whether any file matches any glob; one that ends with a `/` is for folders.

    True when there is too much to compare, for which only some globs count.
    """
    if any(glob.endswith("/") for glob in globs):
        paths = {*paths, *folders(paths)}
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


def folders(paths: Collection[str]) -> set[str]:
    """All folders that hold any of the `paths`, each with a `/` at its end."""
    found: set[str] = set()
    for path in paths:
        at = path.rfind("/")
        while at > 0 and (folder := path[: at + 1]) not in found:
            found.add(folder)
            at = path.rfind("/", 0, at)
    return found


def any_found(paths: Collection[str], regexp: str) -> bool:
    """Whether the pattern is found in any path. True when there are too many. Raises InvalidPattern."""
    search = path_patterns.path_searcher(regexp)
    return len(paths) > MOST_COMPARISONS or any(search(path) for path in paths)


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
