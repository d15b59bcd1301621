"""The sources of a job: what its GIT_* variables ask for, each parsed against an allow-list (gitlab.md A.7)."""

import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from runner.config import RunnerConfig
from runner.executor.base import ConfigurationError
from runner.job.run import JobRun
from runner.job.steps import run_hooks
from runner.protocol.wire import Job
from runner.variables import Variables
from runner.workspace.base import Sources

STRATEGIES = ("clone", "fetch", "none", "empty")
SUBMODULES = ("none", "normal", "recursive")
_FETCH_FLAGS = re.compile(
    r"--(?:(?:no-)?(?:prune|prune-tags|tags|force|verbose|quiet|progress|atomic|auto-gc|auto-maintenance)"
    r"|show-forced-updates|jobs=\d{1,2}|filter=(?:blob:none|blob:limit=\d+[kmg]?|tree:\d+))|-[pqvft]"
)
_SUBMODULE_FLAGS = re.compile(
    r"--(?:remote|force|progress|quiet|jobs=\d{1,2}|(?:no-)?(?:recommend-shallow|single-branch))|-f|-q|-j\d{1,2}"
)
_CLEAN_FLAGS = re.compile(r"-[dfqxX]+|--quiet|--force")


def get_sources(run: JobRun) -> None:
    """Check the sources out. The author's hooks run behind git, in the container: git trusts no tree that
    they touched.
    """
    workspace = run.workspace
    if workspace is None:
        raise ConfigurationError("there is no workspace")
    sources, notes = job_sources(run.job, run.host.runner, run.variables)
    for note in notes:
        run.warn(note)
    workspace.get_sources(sources, run.trace.write, run.control.script)
    run_hooks(run)


def job_sources(job: Job, runner: RunnerConfig, variables: Variables) -> tuple[Sources, list[str]]:
    """What to check out, and a sentence for each GIT_* value that was not heeded."""
    notes: list[str] = []
    repository, username, password = split_credentials(job.git.repo_url, job.token)
    if runner.clone_url:
        repository = _moved(repository, runner.clone_url)
    sources = Sources(
        repository=repository,
        username=username,
        password=password,
        sha=job.git.sha,
        ref=job.git.ref,
        refspecs=job.git.refspecs,
        depth=variables.number("GIT_DEPTH", job.git.depth, 10_000_000),
        strategy=_word(variables, "GIT_STRATEGY", STRATEGIES, "fetch" if job.allow_git_fetch else "clone", notes),
        checkout=variables.flag("GIT_CHECKOUT", True),
        clean_flags=_clean_flags(variables, notes),
        fetch_flags=_flags(variables, "GIT_FETCH_EXTRA_FLAGS", ("--prune", "--quiet"), _FETCH_FLAGS, notes),
        submodules=_word(variables, "GIT_SUBMODULE_STRATEGY", SUBMODULES, "none", notes),
        submodule_depth=variables.number("GIT_SUBMODULE_DEPTH", 0, 10_000_000),
        submodule_paths=_paths(variables, notes),
        submodule_flags=_flags(variables, "GIT_SUBMODULE_UPDATE_FLAGS", (), _SUBMODULE_FLAGS, notes),
        submodules_by_https=variables.flag("GIT_SUBMODULE_FORCE_HTTPS"),
        large_files=not variables.flag("GIT_LFS_SKIP_SMUDGE"),
        ca_file=Path(runner.tls_ca_file) if runner.tls_ca_file else None,
    )
    return sources, notes


def split_credentials(url: str, token: str) -> tuple[str, str, str]:
    """The address without credentials, the user and the password; the job's token where the address has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return url, "", ""
    place = parts.netloc.rpartition("@")[2]
    bare = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
    if parts.password is None:
        return bare, "gitlab-ci-token", token
    return bare, unquote(parts.username or ""), unquote(parts.password)


def _moved(repository: str, base: str) -> str:
    """The same repository at the address by which this runner reaches the server."""
    old, new = urlsplit(repository), urlsplit(base)
    return urlunsplit((new.scheme, new.netloc, new.path.rstrip("/") + old.path, "", ""))


def _word(variables: Variables, key: str, allowed: tuple[str, ...], default: str, notes: list[str]) -> str:
    value = variables.get(key).strip().lower()
    if not value:
        return default
    if value not in allowed:
        notes.append(f"{key}: {value!r} is not one of {', '.join(allowed)}; using {default}")
        return default
    return value


def _split(variables: Variables, key: str, notes: list[str]) -> list[str]:
    try:
        return shlex.split(variables.get(key))
    except ValueError:
        notes.append(f"{key}: has an open quote, ignored")
        return []


def _flags(
    variables: Variables, key: str, default: tuple[str, ...], allowed: re.Pattern[str], notes: list[str]
) -> tuple[str, ...]:
    if not variables.get(key).strip():
        return default
    kept = []
    for word in _split(variables, key, notes):
        if allowed.fullmatch(word):
            kept.append(word)
        else:
            notes.append(f"{key}: {word!r} is not allowed, ignored")
    return tuple(kept)


def _clean_flags(variables: Variables, notes: list[str]) -> tuple[str, ...]:
    """`none` is no cleaning, an empty tuple. `-e PATTERN` keeps files."""
    key = "GIT_CLEAN_FLAGS"
    words = _split(variables, key, notes)
    if words == ["none"]:
        return ()
    kept: list[str] = []
    while words:
        word = words.pop(0)
        if _CLEAN_FLAGS.fullmatch(word):
            kept.append(word)
        elif word in ("-e", "--exclude") and words:
            kept.append(f"--exclude={words.pop(0)}")
        elif word.startswith("--exclude="):
            kept.append(word)
        else:
            notes.append(f"{key}: {word!r} is not allowed, ignored")
    return tuple(kept) or ("-ffdx",)


def _paths(variables: Variables, notes: list[str]) -> tuple[str, ...]:
    """Submodule paths, `:(exclude)path` among them; nothing that git could take for an option."""
    kept = []
    for word in _split(variables, "GIT_SUBMODULE_PATHS", notes):
        path = word.removeprefix(":(exclude)")
        if path.startswith(("-", "/", ":")) or ".." in path.split("/"):
            notes.append(f"GIT_SUBMODULE_PATHS: {word!r} is not allowed, ignored")
        else:
            kept.append(word)
    return tuple(kept)
