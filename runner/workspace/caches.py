"""The caches of jobs, kept on this host: CACHE_ROOT/PROJECT/caches/KEY/cache.zip, and in object storage where that is
set up (`remote_caches`).

The server names keys so that protected and unprotected refs never share one. A key becomes one path segment, and
different keys different ones. A cache is replaced by renaming, so a job that restores it meanwhile sees the old or
the new one. The file `version` beside it says which version of the stored object it is; what cannot be fetched is
taken from here.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from runner.executor.base import Output
from runner.workspace.base import CacheRef
from runner.workspace.remote_caches import RemoteCacheError, RemoteCaches, until
from runner.workspace.userns import Helper, HelperError

LONGEST_SEGMENT = 150
VERSION = "version"


class Caches:
    """Restores and saves caches. A cache never fails a job: problems are printed.

    `remote` with `name_of`, which gives the object's name for (project, key), keeps them in object storage too.
    """

    def __init__(
        self,
        root: Path,
        helper: Helper,
        remote: RemoteCaches | None = None,
        name_of: Callable[[str, str], str] = lambda project, key: f"{project}/{key}",
    ) -> None:
        self._root = root
        self._helper = helper
        self._remote = remote
        self._name_of = name_of

    def restore(self, cache: CacheRef, tree: Path, output: Output) -> bool:
        """Unpack the first of `cache.keys` that is there into `tree`."""
        for key in cache.keys:
            _say(output, f"Checking cache for {key}...")
            archive = self._file(cache.project, key)
            if self._remote is not None:
                self._refresh(cache, key, archive, output)
            if not archive.is_file():
                _say(output, "WARNING: Cache file does not exist")
                continue
            try:
                self._helper.call("unpack", {"root": str(tree), "archive": str(archive)}, output)
            except HelperError as error:
                _say(output, f"WARNING: Failed to extract cache: {error}")
                continue
            with contextlib.suppress(OSError):
                os.utime(archive)  # so that an administrator sees which ones are still used
            _say(output, "Successfully extracted cache")
            return True
        return False

    def save(self, cache: CacheRef, tree: Path, tracked: str, output: Output) -> None:
        """Pack what `cache` names under its first key. `tracked`: see `collection.pack`.

        `cache.limits["size"]`, where it is given, is the largest archive in bytes that is kept.
        """
        if not cache.keys:
            return
        _say(output, f"Creating cache {cache.keys[0]}...")
        archive = self._file(cache.project, cache.keys[0])
        fresh = _beside(archive)
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
                _say(output, "WARNING: No files to cache")
            elif largest and fresh.stat().st_size > largest:
                _say(output, f"WARNING: The cache is larger than {largest} bytes and is not kept")
            else:
                self._keep(cache, archive, fresh, output)
        except (HelperError, OSError) as error:
            _say(output, f"WARNING: Failed to create cache: {error}")
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    def close(self) -> None:
        """Give back what the store needs."""
        if self._remote is not None:
            self._remote.close()

    def _keep(self, cache: CacheRef, archive: Path, fresh: Path, output: Output) -> None:
        """Put the packed file where it stays, first here, then in the store."""
        version = archive.with_name(VERSION)
        version.unlink(missing_ok=True)
        fresh.rename(archive)
        _say(output, "Created cache")
        if self._remote is None:
            return
        go_on = until(time.monotonic() + cache.timeout, cache.cancelled.is_set)
        try:
            stored = self._remote.keep(self._name_of(cache.project, cache.keys[0]), archive, go_on)
            version.write_text(stored)
            _say(output, "Uploaded cache")
        except RemoteCacheError as error:
            _say(output, f"WARNING: Failed to upload cache: {error}")

    def _refresh(self, cache: CacheRef, key: str, archive: Path, output: Output) -> None:
        """Make the file here what the store has: newer, the same, or nothing at all."""
        if self._remote is None:
            return
        fresh, version = _beside(archive), archive.with_name(VERSION)
        go_on = until(time.monotonic() + cache.timeout, cache.cancelled.is_set)
        try:
            archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = version.read_text() if version.is_file() and archive.is_file() else ""
            found = self._remote.fetch(self._name_of(cache.project, key), fresh, known, go_on)
            if found is None:
                archive.unlink(missing_ok=True)
                version.unlink(missing_ok=True)
            elif found == known:
                _say(output, "Cache is up to date")
            else:
                version.unlink(missing_ok=True)
                fresh.rename(archive)
                version.write_text(found)
                _say(output, "Downloaded cache")
        except (RemoteCacheError, OSError) as error:
            _say(output, f"WARNING: Failed to download cache: {error}")
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # where there is no cache, its folder goes again
                archive.parent.rmdir()

    def _file(self, project: str, key: str) -> Path:
        return self._root / segment(project) / "caches" / segment(key) / "cache.zip"


def _say(output: Output, text: str) -> None:
    output(f"{text}\n".encode("utf-8", "replace"))


def _beside(archive: Path) -> Path:
    """A new name in the archive's folder."""
    return archive.with_name(f".new-{secrets.token_hex(4)}")


def segment(text: str) -> str:
    """One path segment that no other text gives: no slash, no `..`, not too long."""
    quoted = quote(text, safe="", errors="surrogateescape").replace(".", "%2E")
    if len(quoted) <= LONGEST_SEGMENT and quoted:
        return quoted
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{quoted[: LONGEST_SEGMENT - 80]}-{digest}"
