"""A fresh tree with the job's commit checked out, its objects borrowed from the object cache.

1. The cache fetches (`object_cache`). 2. `.git` is written by hand: a few files, no template, no hooks. 3. git
checks the commit out. 4. Submodules and large files. 5. The index is copied to where no job can reach it, so that
later "untracked" can be told without running git in a tree that a job has touched. 6. `alternates` names the cache
where the *container* sees it.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from runner.executor.base import Cancelled, Output
from runner.workspace.base import Sources, SourcesError
from runner.workspace.git import Git, credentials
from runner.workspace.object_cache import REPOSITORY, SHA, Fetched, ObjectCache
from runner.workspace.submodules import update_submodules

MOUNT = "/skerry/git"
# git-lfs replaces the pointers only where these say that it is installed.
LFS_FILTER = {"filter.lfs.clean": "git-lfs clean -- %f", "filter.lfs.smudge": "git-lfs smudge -- %f"}
LFS_ATTRIBUTE = ":(attr:filter=lfs)"


def get_sources(
    sources: Sources,
    tree: Path,
    index: Path,
    cache: ObjectCache,
    job: str,
    output: Output,
    cancelled: Cancelled,
    settings: Mapping[str, str],
) -> None:
    """Fill the empty folder `tree`; `index` is where the copy of its index goes. Raises SourcesError."""
    check(sources)
    git = hardened(sources, output, cancelled, settings)
    if sources.depth:
        output(f"Fetching changes with git depth set to {sources.depth}...\n".encode())
    else:
        output(b"Fetching changes...\n")
    fetched = cache.fetch(git, sources, job, cancelled)
    write_repository(tree, sources, fetched)
    borrowing = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(cache.objects)}
    if sources.checkout:
        ref = "".join(character if character.isprintable() else "?" for character in sources.ref)
        output(f"Checking out {sources.sha[:8]} as detached HEAD (ref is {ref})...\n".encode("utf-8", "replace"))
        git.run(["checkout", "--force", "--quiet", "--detach", sources.sha, "--"], tree, borrowing)
        update_submodules(git, sources, tree, output, borrowing)
        pull_large_files(git, sources, tree, output, borrowing)
        shutil.copyfile(tree / ".git" / "index", index)
    else:
        output(b"Skipping Git checkout\n")
    alternates = tree / ".git" / "objects" / "info" / "alternates"
    alternates.write_text(f"{MOUNT}/{REPOSITORY}/objects\n")


def check(sources: Sources) -> None:
    """Refuse what git could take for something else."""
    if not SHA.fullmatch(sources.sha):
        raise SourcesError(f"{sources.sha!r} is no commit")
    parts = urlsplit(sources.repository)
    if parts.scheme not in ("http", "https", "file") or any(ord(character) < 33 for character in sources.repository):
        raise SourcesError("the repository's URL is neither http nor https")
    if parts.username or parts.password:
        raise SourcesError("the repository's URL holds credentials; they belong beside it")


def hardened(sources: Sources, output: Output, cancelled: Cancelled, more: Mapping[str, str]) -> Git:
    """git with the credentials and the certificates of the repository's own host, and the settings `more`."""
    settings = dict(more) | credentials(sources.repository, sources.username, sources.password)
    if sources.ca_file is not None:
        parts = urlsplit(sources.repository)
        settings[f"http.{parts.scheme}://{parts.netloc}/.sslCAInfo"] = str(sources.ca_file)
    return Git(output, cancelled, settings, sources.password)


def write_repository(tree: Path, sources: Sources, fetched: Fetched) -> None:
    """A `.git` as `git init` and `git fetch` would leave it, less everything that could run something."""
    folder = tree / ".git"
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text(f"{sources.sha}\n")
    (folder / "config").write_text(configuration(sources))
    refs = {name: sha for name, sha in fetched.refs.items() if name != "refs/commit"}
    (folder / "packed-refs").write_text("".join(f"{sha} {name}\n" for name, sha in sorted(refs.items())))
    if fetched.shallow:
        (folder / "shallow").write_text("".join(f"{sha}\n" for sha in sorted(fetched.shallow)))


def configuration(sources: Sources) -> str:
    """The tree's own git settings; the URL has no password in it."""
    url = sources.repository.replace("\\", "\\\\").replace('"', '\\"')
    sha256 = len(sources.sha) == 64
    text = f"[core]\n\trepositoryformatversion = {int(sha256)}\n\tfilemode = true\n\tbare = false\n"
    text += "\tlogallrefupdates = true\n"
    if sha256:
        text += "[extensions]\n\tobjectformat = sha256\n"
    return text + f'[remote "origin"]\n\turl = "{url}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'


def pull_large_files(git: Git, sources: Sources, tree: Path, output: Output, borrowing: dict[str, str]) -> None:
    """Files that git-lfs keeps elsewhere, where git-lfs is installed. They come from the repository's own server
    alone.
    """
    if not sources.large_files or shutil.which("git-lfs") is None:
        return
    if not git.run(["ls-files", "-z", "--", LFS_ATTRIBUTE], tree, borrowing):
        return
    output(b"Fetching files of Git LFS...\n")
    server = sources.repository.rstrip("/") + "/info/lfs"
    settings = LFS_FILTER | {"lfs.url": server}
    flags = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    git.run([*flags, "lfs", "pull"], tree, borrowing)
