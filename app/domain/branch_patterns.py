"""The branches whose pushes start nothing: a name, `*`, `prefix/*` or `*/suffix` (wercker.md C.3)."""

from collections.abc import Iterable

from app.domain.refs import is_valid_name

MAX_PATTERNS = 10


def is_valid(pattern: str) -> bool:
    """Whether `pattern` has one of the four forms, and the rest of it could be a branch."""
    if pattern == "*":
        return True
    return is_valid_name(pattern.removesuffix("/*") if pattern.endswith("/*") else pattern.removeprefix("*/"))


def any_matches(patterns: Iterable[str], branch: str) -> bool:
    """Whether one of `patterns` covers `branch`."""
    return any(_matches(pattern, branch) for pattern in patterns)


def _matches(pattern: str, branch: str) -> bool:
    if pattern.endswith("/*"):
        return branch.startswith(pattern[:-1])
    if pattern.startswith("*/"):
        return branch.endswith(pattern[1:])
    return pattern in ("*", branch)
