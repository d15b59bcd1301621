"""`trigger`, and what a job with it may say (gitlab.md C.2, C.6, C.9)."""

import json
from collections.abc import Mapping as PlainMapping
from dataclasses import replace
from typing import Any

from app.dialects.gitlab import nodes, values
from app.dialects.gitlab.entries import needs
from app.dialects.gitlab.entries.needs import Needs
from app.dialects.gitlab.nodes import Mapping, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report
from app.domain.plan import GeneratedFile, Trigger

MOST_INCLUDED = 3
WHENS = ("on_success", "on_failure", "always", "manual")
_PROJECT_KEYS = ("project", "branch", "strategy", "forward", "inputs")
_CHILD_KEYS = ("strategy", "include", "forward")
_STRATEGIES = ("depend", "mirror")
_KINDS = ("local", "project", "remote", "template", "artifact", "component")
_INCLUDE_KEYS = (*_KINDS, "file", "ref", "job", "inputs", "integrity", "rules")


def is_trigger_job(node: Mapping) -> bool:
    """Whether a job without anything to run starts another pipeline, or follows one."""
    return not any(key in node for key in ("script", "run")) and any(key in node for key in ("trigger", "needs"))


def checked(report: Report, node: Mapping, path: str, own: PlainMapping[str, Any]) -> dict[str, Any]:
    """What a trigger job's keywords come to, `own` being all of them as read; what it may not say is reported."""
    when, allowed, parallel = (node.get(key) for key in ("when", "allow_failure", "parallel"))
    if when is not None and own.get("when") == "delayed":
        values.one_of(report, when, f"{path} when", WHENS)
    if allowed is not None:
        values.boolean(report, allowed, f"{path} allow failure", "should be a boolean value")
    if parallel is not None and own.get("parallel") and not own["parallel"].choices:
        values.refuse(report, parallel, f"{path}:parallel", 'cannot use "parallel: <number>".')
    needed = own.get("needs")
    followed: tuple[str, ...] = ()
    found: dict[str, Any] = {"needs": None}
    if isinstance(needed, Needs):
        needs.refuse_kinds(report, node.entries["needs"].value, f"{path}:needs", cross_dependency=needed.foreign)
        found["needs"], followed = (None if needed.followed else needed.local), needed.followed
    return found | {"trigger": _followed(report, node, path, own, followed)}


def _followed(
    report: Report, node: Mapping, path: str, own: PlainMapping[str, Any], followed: tuple[str, ...]
) -> Trigger | None:
    """The job's trigger with the project that it follows."""
    given: Trigger | None = own.get("trigger")
    if len(followed) > 1:
        values.refuse(report, node, path, "config should contain at most one bridge need")
    if node.get("trigger") is None and not followed:
        values.refuse(report, node, path, "config should contain either a trigger or a needs:pipeline")
    return replace(given or Trigger(), upstream=followed[0]) if followed else given


def without(report: Report, node: Mapping, path: str, own: PlainMapping[str, Any]) -> dict[str, Any]:
    """The needs of a job that runs something: its own pipeline's jobs, and others' artifacts."""
    needed = own.get("needs")
    if not isinstance(needed, Needs):
        return {}
    needs.refuse_kinds(report, node.entries["needs"].value, f"{path}:needs", bridge=needed.followed)
    return {"needs": needed.local, "foreign_needs": needed.foreign}


def trigger(report: Report, node: Node, path: str) -> Trigger | None:
    """A project's path, `{project, branch, inputs, …}`, or `{include, …}`."""
    if values.is_text(node):
        project = values.text(report, node, path)
        return Trigger(project=project) if project else None
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "has to be either a string or a hash")
        return None
    if not node.entries:
        values.refuse(report, node, path, "config can't be blank")
        return None
    return _child(report, node, path) if "include" in node else _project(report, node, path)


def _project(report: Report, node: Mapping, path: str) -> Trigger | None:
    values.check_keys(report, node, path, _PROJECT_KEYS)
    project, branch, inputs = node.get("project"), node.get("branch"), node.get("inputs")
    if project is None:
        values.refuse(report, node, path, "project can't be blank")
        return None
    if inputs is not None and not isinstance(inputs, Mapping):
        values.refuse(report, inputs, f"{path}:inputs", "config should be a hash")
        inputs = None
    name = values.text(report, project, f"{path} project", "should be a string")
    return (
        None
        if name is None
        else Trigger(
            project=name,
            branch=values.text(report, branch, f"{path} branch", "should be a string") if branch else None,
            inputs=_as_json(nodes.to_plain(inputs)) if inputs else "{}",
            **_common(report, node, path),
        )
    )


def _child(report: Report, node: Mapping, path: str) -> Trigger | None:
    values.check_keys(report, node, path, _CHILD_KEYS)
    given = node.get("include")
    where = f"{path}:include"
    items = given.items if isinstance(given, Sequence) else (given,) if given is not None else ()
    if not items:
        values.refuse(report, node, where, "config can't be blank")
        return None
    if len(items) > MOST_INCLUDED:
        values.refuse(report, node, where, f"config is too long (maximum is {MOST_INCLUDED})")
        return None
    generated: list[GeneratedFile] = []
    included = [_included(report, item, where, generated) for item in items]
    if None in included:
        return None
    return Trigger(
        configuration=_as_json({"include": included}), generated=tuple(generated), **_common(report, node, path)
    )


def _included(report: Report, node: Node, path: str, generated: list[GeneratedFile]) -> dict[str, Any] | None:
    """One include of the child's configuration; a file that a job makes is noted, and stands there under its name."""
    if values.is_text(node) and node.value:
        text = str(node.value)
        return {"remote" if text.startswith(("http://", "https://")) else "local": text}
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "config should be a string or a hash")
        return None
    values.check_keys(report, node, path, _INCLUDE_KEYS)
    plain = {key: nodes.to_plain(entry.value) for key, entry in node.present()}
    if not any(kind in plain for kind in _KINDS):
        values.refuse(report, node, path, f"config must specify one of: {', '.join(_KINDS)}")
        return None
    if "project" in plain and "file" not in plain:
        values.refuse(report, node, path, "config must specify the file where to fetch the config from")
        return None
    return _artifact(report, node, path, plain, generated) if "artifact" in plain else plain


def _artifact(
    report: Report, node: Mapping, path: str, plain: dict[str, Any], generated: list[GeneratedFile]
) -> dict[str, Any] | None:
    artifact, job = (_text(node.get(key)) for key in ("artifact", "job"))
    if job is None:
        values.refuse(report, node, path, "config must specify the job where to fetch the artifact from")
        return None
    if artifact is None:
        values.refuse(report, node, path, "artifact should be a string")
        return None
    # Free of what an include would take for a wildcard or a variable; the number keeps names apart.
    shown = "".join(character if character.isalnum() or character in "._-/" else "_" for character in artifact)
    name = f"artifact-{len(generated) + 1}/{shown.lstrip('/')}"
    generated.append(GeneratedFile(name, job, artifact))
    kept = {key: value for key, value in plain.items() if key in ("inputs", "rules")}
    return {"local": name, **kept}


def _text(node: Node | None) -> str | None:
    return str(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) and node.value else None


def _common(report: Report, node: Mapping, path: str) -> dict[str, Any]:
    """What both kinds of trigger may say: how the job ends, and which variables go along."""
    strategy, forward = node.get("strategy"), node.get("forward")
    found: dict[str, Any] = {}
    if strategy is not None:
        if _text(strategy) in _STRATEGIES:
            found["strategy"] = _text(strategy)
        else:
            values.refuse(report, strategy, path, f"strategy should be {' or '.join(_STRATEGIES)}")
    if forward is not None:
        given = values.mapping(report, forward, f"{path}:forward", ("yaml_variables", "pipeline_variables"))
        for key, entry in given.present() if given else ():
            if key in ("yaml_variables", "pipeline_variables"):
                where = f"{path}:forward {key.replace('_', ' ')}"
                found[f"forward_{key}"] = bool(values.boolean(report, entry.value, where, "should be a boolean value"))
    return found


def _as_json(plain: object) -> str:
    """JSON is YAML in which no text is taken for anything else."""
    return json.dumps(plain, ensure_ascii=False, indent=2)
