"""Semantic versions in the names of tags: which tag `~latest`, `1` or `1.2` means (gitlab.md C.1, components)."""

import re
from collections.abc import Iterable

LATEST = "~latest"
_NUMBER = r"(0|[1-9]\d{0,8})"
_MORE = r"[0-9A-Za-z.-]+"
_VERSION = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_MORE}))?(?:\+{_MORE})?")
_PARTIAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def choose(wanted: str, tags: Iterable[str]) -> str | None:
    """The tag that `wanted` means: the highest release of all, of a major or of a minor version, or itself.

    None where no tag fits. Versions like `1.0.0-rc1` are only found by their own name.
    """
    names = list(tags)
    if wanted in names and _VERSION.fullmatch(wanted):
        return wanted
    if wanted != LATEST and not _PARTIAL.fullmatch(wanted):
        return None
    prefix = () if wanted == LATEST else tuple(int(part) for part in wanted.split("."))
    releases = [(release, name) for name in names if (release := _release(name)) and release[: len(prefix)] == prefix]
    return max(releases)[1] if releases else None


def _release(tag: str) -> tuple[int, ...] | None:
    """The three numbers of a released version; None for anything else, also for one that is yet to come."""
    match = _VERSION.fullmatch(tag)
    return None if match is None or match[4] else tuple(int(match[part]) for part in (1, 2, 3))
