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


@dataclass(frozen=True, slots=True)
class Changes:
    """Globs for files that changed, since the ref `compare_to` where it is given."""

    mark: Mark
    paths: tuple[str, ...]
    compare_to: str | None = None


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


def exists(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    """A glob, a list of them, or `{paths}`."""
    if not isinstance(node, MappingNode):
        return _globs(report, node, path, "config should be an array of strings or a string", single=True)
    values.check_keys(report, node, path, _EXISTS_KEYS)
    for key in ("project", "ref"):
        if key in node:
            report.error(node.entries[key].key_mark, "unsupported_keyword", f"{path}: `{key}` is not supported yet")
    paths = node.get("paths")
    if paths is None:
        values.refuse(report, node, path, "paths can't be blank")
        return None
    return _globs(report, paths, path, f"paths {_STRINGS}")


def _globs(report: Report, node: Node, path: str, problem: str, *, single: bool = False) -> tuple[str, ...] | None:
    read = values.text_or_texts if single else values.texts
    found = read(report, node, path, problem)
    if found is not None and len(found) > MOST_PATTERNS:
        values.refuse(report, node, path, f"config has too many entries (maximum {MOST_PATTERNS})")
        return None
    return found


def any_match(paths: Collection[str], globs: Collection[str]) -> bool:
    """Whether any path matches any glob. True when there is too much to compare."""
    if any(glob in paths for glob in globs):
        return True
    wild = [glob for glob in globs if any(character in glob for character in "*?[{\\")]
    if len(wild) * len(paths) > MOST_COMPARISONS:
        return True
    return any(_matches_any(paths, glob) for glob in wild)


def _matches_any(paths: Collection[str], glob: str) -> bool:
    try:
        matches = patterns.glob(glob)
    except patterns.InvalidPattern:
        return False
    return any(matches(path) for path in paths)
