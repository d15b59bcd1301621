"""`cache`: one or up to four."""

import hashlib
from collections.abc import Callable, Collection
from collections.abc import Mapping as Files
from pathlib import PurePosixPath

from app.dialects.gitlab import patterns, values
from app.dialects.gitlab.entries.artifacts import WHENS
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report
from app.domain.plan import CacheSpec

MOST_CACHES = 4
MOST_FALLBACK_KEYS = 5
MOST_KEY_FILES = 2
MOST_COMMITS = 50
"""How many different paths the last commits are looked for; each takes a walk through the history."""

MOST_GLOBS = 100
"""How many different globs the keys of one configuration may have; each is held against every file."""

POLICIES = ("pull-push", "push", "pull")
_KEYS = ("key", "paths", "untracked", "policy", "when", "unprotect", "fallback_keys")
_COMMITS = "files_commits"
_FILE_KINDS = ("files", _COMMITS)
_KEY_KEYS = (*_FILE_KINDS, "prefix")
_STRINGS = "config should be an array of strings"


class CacheReader:
    """Reads `cache`. `list_files` gives all paths of the repository with their blob ids, `last_commit` the id of the
    last commit that touched a path: for keys made of files.
    """

    def __init__(
        self, list_files: Callable[[], Files[str, str]], last_commit: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self._list_files = list_files
        self._last_commit = last_commit
        self._commits: dict[str, str | None] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def caches(self, report: Report, node: Node, path: str) -> tuple[CacheSpec, ...] | None:
        """One cache or a list of them."""
        items = node.items if isinstance(node, Sequence) else (node,)
        if len(items) > MOST_CACHES:
            values.refuse(report, node, path, f"config no more than {MOST_CACHES} caches can be created")
            return None
        found = (self._cache(report, item, path, index) for index, item in enumerate(items))
        return tuple(cache for cache in found if cache)

    def _cache(self, report: Report, node: Node, path: str, index: int) -> CacheSpec | None:
        given = values.mapping(report, node, path, _KEYS, "config should be a hash or an array of hashes")
        if given is None:
            return None
        paths, untracked, unprotect = given.get("paths"), given.get("untracked"), given.get("unprotect")
        when, fallback = given.get("when"), given.get("fallback_keys")
        return CacheSpec(
            key=self._key(report, given, f"{path}:key", index) or "default",
            paths=(values.texts(report, paths, f"{path}:paths", _STRINGS) or ()) if paths else (),
            untracked=bool(untracked and values.boolean(report, untracked, f"{path}:untracked")),
            policy=_policy(report, given, path),
            when=(values.one_of(report, when, f"{path} when", WHENS) or WHENS[0]) if when else WHENS[0],
            unprotect=bool(unprotect and values.boolean(report, unprotect, f"{path}:unprotect")),
            fallback_keys=_fallback_keys(report, fallback, path) if fallback else (),
        )

    def _key(self, report: Report, node: Mapping, path: str, index: int) -> str | None:
        given = node.get("key")
        if given is None:
            return None
        if values.is_text(given):
            return _checked_key(report, given, path)
        found = values.mapping(report, given, path, _KEY_KEYS, "should be a hash, a string or a symbol")
        return self._key_of_files(report, found, path, index) if found else None

    def _key_of_files(self, report: Report, node: Mapping, path: str, index: int) -> str | None:
        """`prefix-digest`, where the digest stands for the content of the files, or for their last commits."""
        kinds = [kind for kind in _FILE_KINDS if kind in node]
        if len(kinds) != 1:
            listed = ", ".join(_FILE_KINDS)
            problem = f"config must use exactly one of these keys: {listed}"
            values.refuse(report, node, path, problem)
            return None
        kind = kinds[0]
        given, prefix_node = node.get(kind), node.get("prefix")
        names = values.texts(report, given, f"{path}:{kind}", _STRINGS) if given else None
        if names is None or not 1 <= len(names) <= MOST_KEY_FILES:
            values.refuse(report, given or node, f"{path}:{kind}", f"config requires 1 to {MOST_KEY_FILES} items")
            return None
        prefix = values.text(report, prefix_node, f"{path}:prefix") if prefix_node else None
        if kind == _COMMITS:
            return (
                f"{index if prefix is None else prefix}-{self._digest_of_commits(report, given or node, path, names)}"
            )
        self._check_globs(report, given or node, f"{path}:files", names)
        if prefix is None:
            prefix = f"{index}_" + "_".join(PurePosixPath(name).stem for name in names)
        return f"{prefix}-{_digest({blob for name in names for blob in self._blobs(name)})}"

    def _digest_of_commits(self, report: Report, node: Node, path: str, names: tuple[str, ...]) -> str:
        for name in names:
            if name not in self._commits:
                if len(self._commits) == MOST_COMMITS:
                    problem = f"config: there are more than {MOST_COMMITS} paths in all cache keys"
                    values.refuse(report, node, f"{path}:{_COMMITS}", problem)
                    return "default"
                self._commits[name] = self._last_commit(name)
        return _digest({commit for name in names if (commit := self._commits[name])})

    def _check_globs(self, report: Report, node: Node, path: str, names: tuple[str, ...]) -> None:
        fresh = [name for name in names if "*" in name and name not in self._found]
        if fresh and len(self._found) >= MOST_GLOBS:
            values.refuse(report, node, path, f"config: there are more than {MOST_GLOBS} globs in all cache keys")

    def _blobs(self, name: str) -> tuple[str, ...]:
        """The blob ids of the file `name`, or of all files that match where it is a glob."""
        files = self._list_files()
        if name in files:
            return (files[name],)
        if "*" not in name:
            return ()
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, glob: str) -> tuple[str, ...]:
        if len(self._found) >= MOST_GLOBS:
            return ()
        try:
            matches = patterns.glob(glob)
        except patterns.InvalidPattern:
            return ()
        return tuple(blob for path, blob in self._list_files().items() if matches(path))


def _digest(ids: Collection[str]) -> str:
    """A name for a set of git's ids; SHA-1 is what makes it equal to GitLab's."""
    joined = "-".join(sorted(ids)).encode()
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest() if ids else "default"


def _checked_key(report: Report, node: Node, path: str) -> str | None:
    key = values.text(report, node, path)
    if key is None:
        return None
    if "/" in key or "%2f" in key.lower():
        values.refuse(report, node, path, "config cannot contain the `/` or `%2F` characters")
    elif not key.strip("."):
        values.refuse(report, node, path, "config cannot be `.` or `..`")
    return key


def _policy(report: Report, node: Mapping, path: str) -> str:
    given = node.get("policy")
    if given is None:
        return POLICIES[0]
    if values.is_text(given) and str(given.value).startswith("$"):
        return str(given.value)
    return values.one_of(report, given, f"{path} policy", POLICIES) or POLICIES[0]


def _fallback_keys(report: Report, node: Node, path: str) -> tuple[str, ...]:
    keys = values.texts(report, node, f"{path}:fallback_keys", _STRINGS) or ()
    if len(keys) > MOST_FALLBACK_KEYS:
        values.refuse(report, node, f"{path}:fallback_keys", f"has too many entries (maximum {MOST_FALLBACK_KEYS})")
    return keys
