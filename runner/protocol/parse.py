"""From the JSON of `jobs/request` to `protocol.wire`. Unknown fields are ignored, absent ones get their defaults.

`parse_job` raises `WireError` only where a job cannot be run at all: no id, no token, or a field of the wrong kind.
Fields of our own extension (`Step.image`, `own_shell` … and `workspace`) are read only when the server's `features` say
`skerry_steps`, so that no other server can mean something else by them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.protocol.wire import (
    DEFAULT_TIMEOUT,
    Artifact,
    Cache,
    Credential,
    Dependency,
    Features,
    GitInfo,
    Image,
    Job,
    Service,
    Step,
    Variable,
    WireError,
)

# A key becomes the name of an environment variable, and of a file.
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", re.ASCII)


def parse_job(document: Any) -> Job:
    """The typed job in a decoded `201` body of `jobs/request`."""
    if not isinstance(document, Mapping):
        raise WireError("the job is not a JSON object")
    job_id, token = document.get("id"), document.get("token")
    if not isinstance(job_id, int) or isinstance(job_id, bool) or not isinstance(token, str) or not token:
        raise WireError("the job has no id or no token")
    try:
        return _job(document, job_id, token)
    except (TypeError, ValueError, AttributeError) as error:
        raise WireError(f"the job cannot be read: {error}", job_id, token) from error


def _job(document: Mapping[str, Any], job_id: int, token: str) -> Job:
    info, features = _table(document, "job_info"), _features(_table(document, "features"))
    ours = features.skerry_steps
    timeout = _integer(_table(document, "runner_info"), "timeout")
    return Job(
        id=job_id,
        token=token,
        name=_text(info, "name"),
        stage=_text(info, "stage"),
        project_id=_integer(info, "project_id"),
        project_path=_text(info, "project_full_path") or _text(info, "project_name"),
        allow_git_fetch=bool(document.get("allow_git_fetch", True)),
        git=_git(_table(document, "git_info")),
        timeout=timeout if timeout > 0 else DEFAULT_TIMEOUT,
        variables=_variables(document),
        steps=tuple(_step(one, ours) for one in _tables(document, "steps")),
        hooks={_text(one, "name"): _texts(one, "script") for one in _tables(document, "hooks")},
        image=_image(document.get("image")),
        services=tuple(_service(one) for one in _tables(document, "services")),
        artifacts=tuple(_artifact(one, ours) for one in _tables(document, "artifacts")),
        cache=tuple(_cache(one) for one in _tables(document, "cache")),
        credentials=tuple(_credential(one) for one in _tables(document, "credentials")),
        dependencies=tuple(_dependency(one) for one in _tables(document, "dependencies") if one.get("artifacts_file")),
        features=features,
        workspace=(_text(document, "workspace") or None) if ours else None,
        unsupported=tuple(key for key in ("run", "secrets", "inputs") if document.get(key)),
    )


def _features(table: Mapping[str, Any]) -> Features:
    return Features(
        trace_sections=bool(table.get("trace_sections")),
        token_mask_prefixes=_texts(table, "token_mask_prefixes"),
        failure_reasons=_texts(table, "failure_reasons"),
        skerry_steps=bool(table.get("skerry_steps")),
        skerry_hand_back=bool(table.get("skerry_hand_back")),
    )


def _git(table: Mapping[str, Any]) -> GitInfo:
    return GitInfo(
        repo_url=_text(table, "repo_url"),
        ref=_text(table, "ref"),
        sha=_text(table, "sha"),
        before_sha=_text(table, "before_sha"),
        ref_type=_text(table, "ref_type") or "branch",
        refspecs=_texts(table, "refspecs"),
        depth=_integer(table, "depth"),
    )


def _variables(table: Mapping[str, Any], key: str = "variables") -> tuple[Variable, ...]:
    found = []
    for one in _tables(table, key):
        flags = {flag: bool(one.get(flag)) for flag in ("public", "masked", "file", "raw")}
        # No environment can hold a NUL; what is left of such a value is what every shell would make of it.
        value = one.get("value")
        found.append(Variable(_text(one, "key"), "" if value is None else str(value).replace("\0", ""), **flags))
    return tuple(variable for variable in found if _KEY.fullmatch(variable.key))


def _image(table: Any) -> Image | None:
    if not table or not table.get("name"):
        return None
    docker = _table(_table(table, "executor_opts"), "docker")
    return Image(
        name=_text(table, "name"),
        entrypoint=_optional_texts(table, "entrypoint"),
        pull_policy=_texts(table, "pull_policy"),
        user=_text(docker, "user") or None,
        platform=_text(docker, "platform") or None,
    )


def _service(table: Mapping[str, Any]) -> Service:
    image = _image(table)
    if image is None:
        raise ValueError("a service without a name")
    aliases = _text(table, "alias").replace(",", " ").split()
    return Service(image, tuple(aliases), _optional_texts(table, "command"), _variables(table))


def _step(table: Mapping[str, Any], ours: bool) -> Step:
    step = Step(
        name=_text(table, "name"),
        script=_texts(table, "script"),
        timeout=max(0, _integer(table, "timeout")),
        when=_text(table, "when") or "on_success",
        allow_failure=bool(table.get("allow_failure")),
    )
    if not ours:
        return step
    return Step(
        name=step.name,
        script=step.script,
        timeout=step.timeout,
        when=step.when,
        allow_failure=step.allow_failure,
        image=_image(table.get("image")),
        own_shell=bool(table.get("own_shell", True)),
        errexit=bool(table.get("errexit", True)),
        pipefail=bool(table.get("pipefail", True)),
        verbatim=bool(table.get("verbatim")),
        runtime=_text(table, "runtime"),
        environment=_variables(table, "environment"),
    )


def _artifact(table: Mapping[str, Any], ours: bool) -> Artifact:
    return Artifact(
        name=_text(table, "name"),
        paths=_texts(table, "paths"),
        exclude=_texts(table, "exclude"),
        untracked=bool(table.get("untracked")),
        when=_text(table, "when") or "on_success",
        expire_in=_text(table, "expire_in"),
        artifact_type=_text(table, "artifact_type") or "archive",
        artifact_format=_text(table, "artifact_format") or "zip",
        required=ours and bool(table.get("required")),
    )


def _cache(table: Mapping[str, Any]) -> Cache:
    return Cache(
        key=_text(table, "key"),
        paths=_texts(table, "paths"),
        untracked=bool(table.get("untracked")),
        policy=_text(table, "policy") or "pull-push",
        when=_text(table, "when") or "on_success",
        fallback_keys=_texts(table, "fallback_keys"),
    )


def _credential(table: Mapping[str, Any]) -> Credential:
    return Credential(_text(table, "url"), _text(table, "username"), _text(table, "password"))


def _dependency(table: Mapping[str, Any]) -> Dependency:
    file = _table(table, "artifacts_file")
    return Dependency(
        id=_integer(table, "id"),
        name=_text(table, "name"),
        token=_text(table, "token"),
        filename=_text(file, "filename") or "artifacts.zip",
        size=_integer(file, "size"),
    )


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{key} is no object")
    return value


def _tables(table: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise ValueError(f"{key} is no list of objects")
    return value


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{key} is no text")


def _integer(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is no number")
    return int(value)


def _optional_texts(table: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    return None if table.get(key) is None else _texts(table, key)


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} is no list of texts")
    return tuple(value)
