"""What changed between two commits, file by file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.domain.errors import NotFound
from app.git.bounded import read_some
from app.git.objects import is_object_id
from app.git.repository import Repository

#: The tree that holds nothing; git knows it without being told. A first commit is compared with it.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MAX_FILES = 1000
#: Of all patches together, and of one, no more than this is shown.
PATCHES_LIMIT = 5 * 1024 * 1024
PATCH_LIMIT = 200 * 1024
_COMMON = ("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--full-index")
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_BODY = re.compile(rb"^(?:@@|Binary files )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """One file. `status` is git's letter: A, D, M, R, T …; `patch` None: too large to be shown."""

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    patch: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Lines that were added and removed."""

    additions: int
    deletions: int


def changes(repository: Repository, old: str | None, new: str) -> list[Change]:
    """The first thousand files that differ; `old` None: all of `new` is."""
    sides = _sides(old, new)
    raw, _ = read_some(repository.folder, [*_COMMON, "--raw", "-z", *sides], PATCHES_LIMIT)
    heads = _heads(raw)[:MAX_FILES]
    out, whole = read_some(repository.folder, [*_COMMON, "--patch", *sides], PATCHES_LIMIT)
    patches = iter(_FILE.split(out)[1 : None if whole else -1])
    return [Change(*head, patch=_patch_of(head[-1], patches)) for head in heads]


def totals(repository: Repository, old: str | None, new: str) -> Totals:
    """How many lines differ. Binary files have none."""
    out, _ = read_some(repository.folder, [*_COMMON, "--numstat", *_sides(old, new)], PATCHES_LIMIT)
    figures = [line.split(b"\t")[:2] for line in out.splitlines() if line.count(b"\t") >= 2]
    counted = [(int(added), int(removed)) for added, removed in figures if added.isdigit() and removed.isdigit()]
    return Totals(sum(added for added, _ in counted), sum(removed for _, removed in counted))


def _sides(old: str | None, new: str) -> list[str]:
    old = old or EMPTY_TREE
    if not (is_object_id(old) and is_object_id(new)):
        raise NotFound("Commit")
    return ["--end-of-options", old, new]


def _heads(raw: bytes) -> list[tuple[str, str, str, str, str]]:
    """Paths, modes and letter of each file, out of the raw form: `:MODE MODE ID ID LETTER NUL PATH NUL [PATH NUL]`."""
    parts, found, place = raw.split(b"\0"), [], 0
    while place + 1 < len(parts):
        old_mode, new_mode, _, _, letter = parts[place].lstrip(b":").decode("ascii").split(" ")
        moved = letter[0] in "RC"
        if place + 1 + moved >= len(parts):
            break
        old_path = parts[place + 1].decode("utf-8", "replace")
        new_path = parts[place + 1 + moved].decode("utf-8", "replace")
        found.append((old_path, new_path, old_mode, new_mode, letter[0]))
        place += 2 + moved
    return found


def _patch_of(letter: str, patches: Iterator[bytes]) -> str | None:
    """The next patch: of a file that became a link, or a link that became a file, git writes two."""
    pieces = [_body(patch) for patch in islice(patches, 2 if letter == "T" else 1)]
    whole = [piece for piece in pieces if piece is not None]
    return "".join(whole) if pieces and len(whole) == len(pieces) else None


def _body(patch: bytes) -> str | None:
    """The patch from its first hunk on; None for one that is too large."""
    start = _BODY.search(patch)
    body = patch[start.start() :] if start else b""
    return None if len(body) > PATCH_LIMIT else body.decode("utf-8", "replace")
