"""Submodules, level by level, each URL looked at before it is fetched.

What `.gitmodules` says comes from whoever wrote the commit. git itself refuses the dangerous parts (commands, odd
names); here the URLs: http and https alone, and nothing on this host's loopback or link-local addresses but the
job's own server.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from runner.executor.base import Output
from runner.workspace.base import Sources, SourcesError
from runner.workspace.git import Git

DEEPEST = 10
GITLINK = "160000"
# `ssh://git@host:22/path` and `git@host:path`.
SSH = re.compile(r"(?:ssh://(?:[^@/\s]+@)?(?P<host>[^@:/\s]+)(?::\d+)?/|[^@:/\s]+@(?P<short>[^@:/\s]+):)(?P<path>\S+)")
DEFAULT_PORTS = {"http": 80, "https": 443}


def update_submodules(git: Git, sources: Sources, tree: Path, output: Output, borrowing: Mapping[str, str]) -> None:
    """Check out the submodules that `sources` asks for. Relative URLs are relative to the repository's."""
    if sources.submodules not in ("normal", "recursive") or not (tree / ".gitmodules").is_file():
        return
    recursive = sources.submodules == "recursive"
    output(b"Updating/initializing submodules" + (b" recursively" if recursive else b"") + b"...\n")
    update_level(git, sources, tree, borrowing, DEEPEST if recursive else 1, sources.submodule_paths)


def update_level(
    git: Git, sources: Sources, tree: Path, borrowing: Mapping[str, str], levels: int, paths: tuple[str, ...]
) -> None:
    """One repository's submodules, then theirs."""
    git.run(["submodule", "--quiet", "init", "--", *paths], tree, borrowing)
    for key, url in configured_urls(git, tree):
        wanted = by_https(url, sources.repository) if sources.submodules_by_https else url
        if wanted != url:
            git.run(["config", "--local", key, wanted], tree)
        check_url(wanted, sources.repository)
    depth = [f"--depth={sources.submodule_depth}"] if sources.submodule_depth else []
    # A redirect could lead anywhere, so only the address that was looked at is asked.
    command = ["-c", "http.followRedirects=false", "submodule", "--quiet", "update", *depth, *sources.submodule_flags]
    command += ["--", *paths]
    git.run(command, tree, borrowing)
    if levels > 1:
        for path in gitlinks(git, tree, borrowing):
            if (tree / path / ".gitmodules").is_file() and (tree / path / ".git").exists():
                update_level(git, sources, tree / path, {}, levels - 1, ())


def configured_urls(git: Git, tree: Path) -> list[tuple[str, str]]:
    """The settings and URLs that `submodule init` has worked out, relative ones resolved."""
    listed = git.run(["config", "--local", "--null", "--list"], tree).decode("utf-8", "replace")
    pairs = (entry.partition("\n") for entry in listed.split("\0") if entry)
    return [(key, value) for key, _, value in pairs if key.startswith("submodule.") and key.endswith(".url")]


def by_https(url: str, repository: str) -> str:
    """An SSH address on the repository's own host in the repository's own manner; any other as it is."""
    own = urlsplit(repository)
    match = SSH.fullmatch(url)
    if match is None or (match["host"] or match["short"]).lower() != own.hostname:
        return url
    return f"{own.scheme}://{own.netloc}/{match['path'].lstrip('/')}"


def gitlinks(git: Git, tree: Path, borrowing: Mapping[str, str]) -> list[str]:
    listed = git.run(["ls-files", "--stage", "-z"], tree, borrowing).decode("utf-8", "surrogateescape")
    return [entry.partition("\t")[2] for entry in listed.split("\0") if entry.startswith(GITLINK)]


def check_url(url: str, repository: str) -> None:
    """Raises SourcesError for a URL that this host may not be asked to open."""
    parts, own = urlsplit(url), urlsplit(repository)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise SourcesError(f"the submodule URL {without_password(url)} is neither http nor https")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        raise SourcesError(f"the submodule URL {without_password(url)} cannot be resolved: {error}") from error
    for entry in found:
        address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
        if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
            raise SourcesError(f"the submodule URL {without_password(url)} points at the runner's own host")


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.netloc}", parts.netloc.rpartition("@")[2], 1) if "@" in parts.netloc else url
