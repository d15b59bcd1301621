"""One bare repository: what is in it, and the refs that Skerry itself keeps there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain import refs
from app.domain.errors import InvalidRequest, NotFound
from app.git.command import run
from app.git.objects import Objects, is_object_id, open_objects

PIPELINE_REFS = "refs/pipelines/"


@dataclass(frozen=True, slots=True)
class FoundRef:
    """A branch or tag: its full name, what it points at (`target`: for an annotated tag the tag object), and the
    commit behind it.
    """

    full_name: str
    target: str
    commit: str | None

    @property
    def name(self) -> str:
        return refs.split(self.full_name).name

    @property
    def is_tag(self) -> bool:
        return refs.split(self.full_name).is_tag


class Repository:
    """A bare repository. Commits are named by full object ids; names of users are never put where git could take them
    for options.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def exists(self) -> bool:
        return (self.folder / "HEAD").is_file()

    @property
    def is_empty(self) -> bool:
        """Whether no branch was ever pushed, as far as a look into the folder tells."""
        loose = self.folder / "refs" / "heads"
        return not (self.folder / "packed-refs").exists() and not (loose.is_dir() and any(loose.iterdir()))

    @contextmanager
    def objects(self) -> Iterator[Objects]:
        """Commits and files through one git process. Raises what `Objects` does."""
        with open_objects(self.folder) as opened:
            yield opened

    def commit(self, commit_id: str) -> dict[str, Any]:
        """The commit as gitlab.md B.2 shows it (without web_url). Raises NotFound."""
        with self.objects() as objects:
            return objects.commit(commit_id)

    def read_file(self, commit_id: str, path: str, limit: int) -> bytes:
        """The file at `path` of a commit. Raises NotFound, LimitExceeded when it is longer than `limit` bytes."""
        with self.objects() as objects:
            return objects.read_file(commit_id, path, limit)

    def find(self, name: str) -> list[FoundRef]:
        """The branches and tags that `name` means: a short name may mean one of each, a full one (refs/heads/x)
        itself only.
        """
        full = name if name.startswith((refs.BRANCH_PREFIX, refs.TAG_PREFIX)) else None
        candidates = [full] if full else [refs.BRANCH_PREFIX + name, refs.TAG_PREFIX + name]
        return self.current(candidates)

    def current(self, full_names: Iterable[str]) -> list[FoundRef]:
        """Those of the refs that exist, with what they point at now."""
        wanted = [name for name in full_names if refs.is_valid_ref(name)]
        if not wanted:
            return []
        with self.objects() as objects:
            found = []
            for name in wanted:
                target = objects.resolve(name)
                if target is not None:
                    found.append(FoundRef(name, target, objects.resolve(f"{target}^{{commit}}")))
            return found

    def commit_of(self, object_id: str) -> str | None:
        """The commit that an object is, or that an annotated tag leads to; None for any other, and where there
        is none.
        """
        with self.objects() as objects:
            return objects.resolve(f"{_checked(object_id)}^{{commit}}")

    def tag_message(self, name: str) -> str:
        """The message of the annotated tag `name`; empty for any other."""
        if not refs.is_valid_name(name):
            return ""
        with self.objects() as objects:
            return objects.tag_message(refs.TAG_PREFIX + name)

    def branches(self) -> list[FoundRef]:
        """All branches, by name."""
        return self.below(refs.BRANCH_PREFIX)

    def tags(self) -> list[FoundRef]:
        """All tags, by name."""
        return self.below(refs.TAG_PREFIX)

    def tags_by(self, order: str) -> list[FoundRef]:
        """All tags by name, by version (v9 before v10) or, updated, by the time of the tag or its commit."""
        keys = {"name": "refname", "version": "version:refname", "updated": "creatordate"}
        return self.below(refs.TAG_PREFIX, keys[order])

    def list_files(self, commit_id: str) -> dict[str, str]:
        """All files of a commit: path and blob id."""
        _, out = run(self.folder, ["ls-tree", "-r", "-z", "--full-tree", _checked(commit_id)])
        found = {}
        for line in filter(None, out.split(b"\0")):
            details, _, path = line.partition(b"\t")
            _, kind, object_id = details.decode("ascii").split()
            if kind == "blob":
                found[path.decode("utf-8", "replace")] = object_id
        return found

    def last_commit(self, commit_id: str, path: str) -> str | None:
        """The id of the last commit up to `commit_id` that touched `path`, a file, a folder or a glob; None: none."""
        path = path.lstrip("/")
        if "\0" in path or not path:
            return None
        kind = "glob" if "*" in path else "literal"
        # 128: a path that leads out of the repository.
        arguments = ["rev-list", "-1", _checked(commit_id), "--", f":({kind}){path}"]
        status, out = run(self.folder, arguments, accept=(0, 128))
        return out.decode("ascii").strip() or None if status == 0 else None

    def changed_files(self, old: str, new: str) -> list[str]:
        """The paths that differ between two commits, both names of a renamed one."""
        arguments = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            _checked(old),
            _checked(new),
        ]
        _, out = run(self.folder, arguments)
        return [path.decode("utf-8", "replace") for path in out.split(b"\0") if path]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether moving a branch from `old` to `new` loses nothing."""
        status, _ = run(self.folder, ["merge-base", "--is-ancestor", _checked(old), _checked(new)], accept=(0, 1))
        return status == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both commits have behind them; None where there is none."""
        _, out = run(self.folder, ["merge-base", _checked(one), _checked(other)], accept=(0, 1))
        return out.decode("ascii").strip() or None

    def keep_for_pipeline(self, pipeline_id: int, commit_id: str) -> None:
        """Set refs/pipelines/ID: runners fetch it, and it keeps the commit alive after a force push."""
        run(self.folder, ["update-ref", "--no-deref", f"{PIPELINE_REFS}{int(pipeline_id)}", _checked(commit_id)])

    def drop_pipelines(self, pipeline_ids: Iterable[int]) -> None:
        """Delete the kept refs of pipelines that are gone."""
        commands = "".join(f"delete {PIPELINE_REFS}{int(pipeline_id)}\n" for pipeline_id in pipeline_ids)
        run(self.folder, ["update-ref", "--no-deref", "--stdin"], stdin=commands.encode())

    def set_head(self, branch: str) -> None:
        """Make `branch` what a clone checks out. Raises InvalidRequest for what cannot be a branch."""
        if not refs.is_valid_name(branch):
            raise InvalidRequest(f"{branch!r} cannot be the name of a branch", "default_branch")
        run(self.folder, ["symbolic-ref", "HEAD", refs.BRANCH_PREFIX + branch])

    def below(self, prefix: str, order: str = "refname") -> list[FoundRef]:
        """All refs below `prefix` in `order`, both our own constants."""
        form = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)"
        _, out = run(self.folder, ["for-each-ref", f"--format={form}", f"--sort={order}", prefix])
        found = []
        for line in filter(None, out.decode("utf-8", "replace").split("\n")):
            name, target, kind, peeled, peeled_kind = line.split("\0")
            commit = target if kind == "commit" else peeled if peeled_kind == "commit" else None
            found.append(FoundRef(name, target, commit))
        return found


def _checked(object_id: str) -> str:
    if not is_object_id(object_id):
        raise NotFound("Commit")
    return object_id
