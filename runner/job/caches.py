"""The phases that restore and save caches (gitlab.md A.7). A cache never fails a job."""

from runner.job.files import fits, globs, workspace_of
from runner.job.run import JobRun
from runner.protocol.wire import Cache
from runner.workspace.base import CacheRef


def has_cache_to_restore(run: JobRun) -> bool:
    return any("pull" in _policy(run, cache) for cache in run.job.cache)


def restore_caches(run: JobRun) -> None:
    """Unpack each cache that the policy wants; a cache that cannot be had never fails a job."""
    for cache in run.job.cache:
        if "pull" not in _policy(run, cache) or run.control.script.is_set():
            continue
        reference = cache_reference(run, cache)
        run.say(f"Checking cache for {reference.keys[0]}...")
        if workspace_of(run).restore_cache(reference, run.trace.write):
            run.say("Successfully extracted cache")


def saves_cache(run: JobRun) -> bool:
    return run.script_reached and any(_saved(run, cache) for cache in run.job.cache)


def save_caches(run: JobRun) -> None:
    """Pack each cache that the policy and the job's outcome want kept."""
    for cache in run.job.cache:
        if _saved(run, cache):
            reference = cache_reference(run, cache)
            run.say(f"Creating cache {reference.keys[0]}...")
            workspace_of(run).save_cache(reference, run.trace.write)


def _saved(run: JobRun, cache: Cache) -> bool:
    return "push" in _policy(run, cache) and fits(run, cache.when) and bool(cache.paths or cache.untracked)


def _policy(run: JobRun, cache: Cache) -> tuple[str, ...]:
    """`pull-push` is both."""
    return tuple(run.variables.expand(cache.policy).strip().split("-"))


def cache_reference(run: JobRun, cache: Cache) -> CacheRef:
    """Where a cache is kept. Its own fallback keys come before CACHE_FALLBACK_KEY, which may not reach a
    protected one.
    """
    key = _key(run, cache.key) or _key(run, f"{run.job.name}/{run.job.git.ref}")
    keys = [key, *(_key(run, fallback) for fallback in cache.fallback_keys)]
    last = run.variables.get("CACHE_FALLBACK_KEY")
    if last and not last.endswith("-protected"):
        keys.append(_key(run, last))
    return CacheRef(
        project=str(run.job.project_id),
        keys=tuple(dict.fromkeys(one for one in keys if one)),
        paths=globs(run, cache.paths),
        untracked=cache.untracked,
        timeout=60.0 * run.variables.number("CACHE_REQUEST_TIMEOUT", 10, 10_000),
        cancelled=run.control.everything,
    )


def _key(run: JobRun, key: str) -> str:
    """An expanded key without steps up or empty parts."""
    parts = run.variables.expand(key).replace("\\", "/").split("/")
    return "/".join(part.strip() for part in parts if part.strip() not in ("", ".", ".."))
