"""Evaluating `only` and `except` for one pipeline (gitlab.md C.5)."""

from app.dialects.base import CompileContext
from app.dialects.gitlab import patterns
from app.dialects.gitlab.entries.only import Policy
from app.dialects.gitlab.rules import RuleEvaluator
from app.dialects.gitlab.variables import Known

_MERGE_REQUEST = "merge_request_event"


def admitted(
    only: Policy,
    excluded: Policy,
    context: CompileContext,
    evaluator: RuleEvaluator,
    known: Known,
    name: str,
) -> bool:
    """Whether a job with these policies is part of the pipeline: all of `only` holds, and nothing of `except`."""
    wanted = _clauses(only, context, evaluator, known, name)
    unwanted = _clauses(excluded, context, evaluator, known, name)
    return all(wanted) and not any(unwanted)


def _clauses(policy: Policy, context: CompileContext, evaluator: RuleEvaluator, known: Known, name: str) -> list[bool]:
    found: list[bool] = []
    if policy.refs is not None:
        found.append(any(_matches_ref(ref, context) for ref in policy.refs))
    if policy.variables is not None:
        found.append(any(expression.is_true(known.values) for expression in policy.variables))
    if policy.changes is not None:
        found.append(evaluator.changed(policy.changes, known, name))
    return found


def _matches_ref(written: str, context: CompileContext) -> bool:
    """Whether a word, a ref or a `/pattern/`, with or without `@project`, means this pipeline."""
    pattern, at, project = written.partition("@")
    if at and project != context.project_path:
        return False
    for_merge_request = context.source == _MERGE_REQUEST
    if pattern == "tags":
        return context.tag
    if pattern == "branches":
        return not context.tag and not for_merge_request
    source = context.source.removesuffix("_event")
    if pattern in (source, f"{source}s", f"{source}es"):
        return True
    if for_merge_request:
        return False
    try:
        search = patterns.slashed(pattern)
    except patterns.InvalidPattern:
        return False
    return search(context.ref) if search else pattern == context.ref
