"""The caches of jobs, kept on this host: CACHE_ROOT/PROJECT/caches/KEY/cache.zip.

The server names keys so that protected and unprotected refs never share one. A key becomes one path segment, and
different keys different ones. A cache is replaced by renaming, so a job that restores it meanwhile sees the old or
the new one.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from runner.executor.base import Output
from runner.workspace.base import CacheRef
from runner.workspace.userns import Helper, HelperError

LONGEST_SEGMENT = 150


class Caches:
    """Restores and saves caches. A cache never fails a job: problems are printed."""

    def __init__(self, root: Path, helper: Helper) -> None:
        self._root = root
        self._helper = helper

    def restore(self, cache: CacheRef, tree: Path, output: Output) -> bool:
        """Unpack the first of `cache.keys` that is there into `tree`."""
        for key in cache.keys:
            output(f"Checking cache for {key}...\n".encode("utf-8", "replace"))
            archive = self._file(cache.project, key)
            if not archive.is_file():
                output(b"WARNING: Cache file does not exist\n")
                continue
            try:
                self._helper.call("unpack", {"root": str(tree), "archive": str(archive)}, output)
            except HelperError as error:
                output(f"WARNING: Failed to extract cache: {error}\n".encode("utf-8", "replace"))
                continue
            with contextlib.suppress(OSError):
                os.utime(archive)  # so that an administrator sees which ones are still used
            output(b"Successfully extracted cache\n")
            return True
        return False

    def save(self, cache: CacheRef, tree: Path, tracked: str, output: Output) -> None:
        """Pack what `cache` names under its first key. `tracked`: see `collection.pack`.

        `cache.limits["size"]`, where it is given, is the largest archive in bytes that is kept.
        """
        if not cache.keys:
            return
        output(f"Creating cache {cache.keys[0]}...\n".encode("utf-8", "replace"))
        archive = self._file(cache.project, cache.keys[0])
        fresh = archive.with_name(f".new-{secrets.token_hex(4)}")
        arguments = {
            "root": str(tree),
            "paths": list(cache.paths),
            "exclude": [],
            "untracked": cache.untracked,
            "tracked": tracked,
            "file_format": "zip",
            "target": str(fresh),
        }
        try:
            archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            count = self._helper.call("pack", arguments, output).result
            largest = cache.limits.get("size", 0)
            if not count:
                output(b"WARNING: No files to cache\n")
            elif largest and fresh.stat().st_size > largest:
                output(f"WARNING: The cache is larger than {largest} bytes and is not kept\n".encode())
            else:
                fresh.rename(archive)
                output(b"Created cache\n")
        except (HelperError, OSError) as error:
            output(f"WARNING: Failed to create cache: {error}\n".encode("utf-8", "replace"))
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    def _file(self, project: str, key: str) -> Path:
        return self._root / segment(project) / "caches" / segment(key) / "cache.zip"


def segment(text: str) -> str:
    """One path segment that no other text gives: no slash, no `..`, not too long."""
    quoted = quote(text, safe="", errors="surrogateescape").replace(".", "%2E")
    if len(quoted) <= LONGEST_SEGMENT and quoted:
        return quoted
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{quoted[: LONGEST_SEGMENT - 80]}-{digest}"
