"""Fetching from a remote: its branches and tags land apart from ours, in refs/mirror, so that what moved can be
written down first.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain import refs
from app.git.command import GitFailed, GitTimedOut, run
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.git.repository import Repository

#: One fetch takes no longer than this many seconds; a remote that sends next to nothing for a minute is given up.
LONGEST = 3600.0
#: Asking a remote for its default branch takes no longer than this.
ASKING = 60.0
MIRROR_PREFIX = "refs/mirror/"
MAX_NAME = 1000
_BRANCHES, _TAGS = f"{MIRROR_PREFIX}heads/", f"{MIRROR_PREFIX}tags/"
_REFSPECS = (f"+refs/heads/*:{_BRANCHES}*", f"+refs/tags/*:{_TAGS}*")
#: What may lead out of this network, and whom to trust there, is the operator's to say.
_PASSED_ON = (
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "GIT_SSL_CAINFO",
)
_SYMREF = re.compile(r"ref: refs/heads/(?P<branch>\S+)\tHEAD")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to fetch from. `address` holds no credentials; `askpass` is a program that answers with them."""

    scheme: str
    address: str
    username: str | None
    password: str | None
    askpass: Path


def fetch(folder: Path, remote: Remote, within: float = LONGEST) -> None:
    """Bring refs/mirror up to date, in so many seconds. Raises GitFailed in words that hold no credentials,
    StorageFull.
    """
    arguments = ["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    _run(folder, remote, [*arguments, "--", remote.address, *_REFSPECS], within)


def remote_head(folder: Path, remote: Remote, within: float = ASKING) -> str | None:
    """The branch that the remote calls its default one."""
    out = _run(folder, remote, ["ls-remote", "--quiet", "--symref", "--", remote.address, "HEAD"], within)
    found = _SYMREF.match(out.decode("utf-8", "replace"))
    return found["branch"] if found and refs.is_valid_name(found["branch"]) else None


def changes(repository: Repository) -> list[RefUpdate]:
    """What has to move for our branches and tags to be those that were fetched last. Names that we do not take
    are left out.
    """
    ours = {found.full_name: found.target for found in (*repository.branches(), *repository.tags())}
    theirs = {
        f"refs/{found.full_name.removeprefix(MIRROR_PREFIX)}": found.target for found in repository.below(MIRROR_PREFIX)
    }
    theirs = {name: target for name, target in theirs.items() if _takes(refs.split(name).name)}
    names = sorted(ours.keys() | theirs.keys())
    updates = (RefUpdate(name, ours.get(name, ZERO_ID), theirs.get(name, ZERO_ID)) for name in names)
    return [update for update in updates if update.old != update.new]


def _takes(name: str) -> bool:
    return refs.is_valid_name(name) and len(name.encode("utf-8", "replace")) <= MAX_NAME


def apply(folder: Path, updates: Sequence[RefUpdate]) -> None:
    """Move our refs, all or none. Raises GitFailed where one is not where it was."""
    lines = [
        f"delete {update.ref}\0{update.old}\0"
        if update.deletes
        else f"update {update.ref}\0{update.new}\0{update.old}\0"
        for update in updates
    ]
    run(folder, ["update-ref", "--no-deref", "-z", "--stdin"], stdin="".join(lines).encode())


def _run(folder: Path, remote: Remote, arguments: Sequence[str], within: float) -> bytes:
    settings = ["http.lowSpeedLimit=1000", "http.lowSpeedTime=60", "gc.autoDetach=false"]
    # The password is for this host alone, and askpass cannot tell who asks.
    settings += ["http.followRedirects=false"] if remote.password else []
    options = [word for setting in settings for word in ("-c", setting)]
    try:
        return run(folder, [*options, *arguments], timeout=within, extra=_environment(remote))[1]
    except GitTimedOut as error:
        raise GitTimedOut(f"the remote took longer than {within:g} s") from error
    except GitFailed as error:
        raise GitFailed(_said(remote, folder, error)) from None


def _environment(remote: Remote) -> Mapping[str, str]:
    values = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    values["GIT_ALLOW_PROTOCOL"] = remote.scheme
    values["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oConnectTimeout=30"
    if remote.username or remote.password:
        values["GIT_ASKPASS"] = str(remote.askpass)
        values["SKERRY_USERNAME"] = remote.username or ""
        values["SKERRY_PASSWORD"] = remote.password or ""
    return values


def _said(remote: Remote, folder: Path, error: GitFailed) -> str:
    """Why git failed, in its own last words, without credentials and without paths of this host."""
    lines = [line.strip() for line in error.detail.splitlines() if line.strip()]
    text = next((line for line in reversed(lines) if line.startswith(("fatal:", "error:", "ERROR:"))), "")
    text = text.partition(":")[2].strip() or (lines[-1] if lines else str(error))
    for secret in (remote.password, remote.username):
        if secret:
            text = text.replace(secret, "[hidden]")
    return text.replace(str(folder), "[repository]")[:500]
