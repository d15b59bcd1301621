"""Folders and files of a commit."""

from dataclasses import dataclass

from app.domain.errors import NotFound
from app.git.bounded import read_some
from app.git.command import GitFailed, run
from app.git.objects import is_object_id
from app.git.repository import Repository

#: A listing is cut off here: some hundred thousand names.
LISTING_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a commit. `kind`: tree, blob or commit (a submodule). `mode` as git writes it: 100644."""

    mode: str
    kind: str
    object_id: str
    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def executable(self) -> bool:
        return self.mode == "100755"


def is_plain(path: str) -> bool:
    """Whether `path` names something in a commit as it stands: no empty part, no `..`, no line break."""
    return not {"", ".", ".."} & set(path.split("/")) and "\n" not in path and "\0" not in path


def list_tree(repository: Repository, commit_id: str, path: str = "", recursive: bool = False) -> list[Entry]:
    """What lies in the folder `path` of a commit (its top: ""), and below it. Raises NotFound("Tree")."""
    if not is_object_id(commit_id) or (path and not is_plain(path)):
        raise NotFound("Tree")
    words = ["ls-tree", "-z", "--full-tree", *(["-r", "-t"] if recursive else [])]
    try:
        out, whole = read_some(repository.folder, [*words, f"{commit_id}:{path}"], LISTING_LIMIT)
    except GitFailed as error:
        raise NotFound("Tree") from error
    lines = out.split(b"\0")[: None if whole else -1]
    return [_entry(line, f"{path}/" if path else "") for line in lines if line]


def find_entry(repository: Repository, commit_id: str, path: str) -> Entry | None:
    """The file or folder at `path` of a commit, None where there is none."""
    if not is_object_id(commit_id) or not is_plain(path):
        return None
    words = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit_id, "--", path]
    _, out = run(repository.folder, words)
    entries = [_entry(line, "") for line in out.split(b"\0") if line]
    return next((entry for entry in entries if entry.path == path), None)


def _entry(line: bytes, above: str) -> Entry:
    details, _, path = line.partition(b"\t")
    mode, kind, object_id = details.decode("ascii").split()
    return Entry(mode, kind, object_id, above + path.decode("utf-8", "replace"))
