"""A workspace for tests of the daemon: plain folders, no git, no other user's files."""

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from runner.executor.base import Cancelled, Output
from runner.workspace.base import CacheRef, Packed, Selection, Sources, SourcesError


class PlainWorkspaces:
    """Implements `workspace.base.Workspaces`. `failures` is how often get_sources fails before it works."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failures = 0
        self.sources: list[Sources] = []
        self.created: list[PlainWorkspace] = []
        self.closed = False
        self.caches: dict[str, dict[str, bytes]] = {}
        root.mkdir(parents=True, exist_ok=True)

    def create(self, job_id: int, project_id: int, project_path: str, slot: int) -> "PlainWorkspace":
        workspace = PlainWorkspace(self, self.root / f"{slot}-{len(self.created)}" / project_path)
        self.created.append(workspace)
        return workspace

    def remove_orphans(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)

    def close(self) -> None:
        self.closed = True


class PlainWorkspace:
    """Implements `workspace.base.Workspace`."""

    read_only_mounts: Mapping[Path, str] = {}

    def __init__(self, owner: PlainWorkspaces, path: Path) -> None:
        self._owner = owner
        self.path = path
        self.control = path.with_name(path.name + ".tmp")
        self.removed = False
        path.mkdir(parents=True)
        self.control.mkdir()

    def get_sources(self, sources: Sources, output: Output, cancelled: Cancelled) -> None:
        self._owner.sources.append(sources)
        if self._owner.failures > 0:
            self._owner.failures -= 1
            raise SourcesError("the repository is away")
        output(b"Checking out nothing\n")
        (self.path / "README").write_text("hello\n")

    def unpack(self, archive: Path, output: Output) -> None:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(self.path)

    def restore_cache(self, cache: CacheRef, output: Output) -> bool:
        for key in cache.keys:
            if key in self._owner.caches:
                for name, content in self._owner.caches[key].items():
                    (self.path / name).write_bytes(content)
                return True
        return False

    def save_cache(self, cache: CacheRef, output: Output) -> None:
        self._owner.caches[cache.keys[0]] = {p: (self.path / p).read_bytes() for p in cache.paths}

    def pack(self, selection: Selection, output: Output) -> Packed | None:
        files = sorted({file for glob in selection.paths for file in self.path.glob(glob) if file.is_file()})
        if not files:
            output(b"ERROR: No files to upload\n")
            return None
        target = self.control / "packed.zip"
        with zipfile.ZipFile(target, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(self.path))
        return Packed(target, f"{selection.name}.zip", target.stat().st_size, len(files))

    def read_file(self, relative: str, limit: int) -> bytes | None:
        path = self.path / relative
        return path.read_bytes()[:limit] if path.is_file() else None

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(self.control, ignore_errors=True)
        self.removed = True
