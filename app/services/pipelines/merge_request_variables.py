"""CI_MERGE_REQUEST_* and CI_OPEN_MERGE_REQUESTS: which merge request a pipeline is for (gitlab.md A.8)."""

from collections.abc import Iterator

from app.domain.plan import Variable
from app.models import Project
from app.services.core import Core
from app.services.pipelines.pipeline_request import OfMergeRequest
from app.services.pipelines.predefined import web_url
from app.services.repositories.protected_refs import is_protected

#: So much of a description goes into a variable, in characters, as in GitLab.
MAX_DESCRIPTION = 2700
#: The target branch as it was is not merged with the source branch before jobs run.
EVENT_TYPE = "detached"


def of_merge_request(core: Core, project: Project, of: OfMergeRequest | None) -> Iterator[Variable]:
    """Nothing without a merge request; for the source branch's own pipeline only that there is one."""
    if of is None:
        return
    yield Variable("CI_OPEN_MERGE_REQUESTS", f"{project.full_path}!{of.row.iid}")
    if of.own:
        yield from _numbers(core, project, of)
        yield from _words(of)


def _numbers(core: Core, project: Project, of: OfMergeRequest) -> Iterator[Variable]:
    row = of.row
    values = {
        "ID": str(row.id),
        "IID": str(row.iid),
        "EVENT_TYPE": EVENT_TYPE,
        "REF_PATH": f"refs/heads/{row.source_branch}",
        "DIFF_BASE_SHA": of.diff_base_sha or "",
        "DRAFT": _truth(row.draft),
        "SOURCE_BRANCH_PROTECTED": _truth(is_protected(core, project, row.source_branch, False)),
        "TARGET_BRANCH_PROTECTED": _truth(is_protected(core, project, row.target_branch, False)),
        # Only where the two were merged first would they be told.
        "SOURCE_BRANCH_SHA": "",
        "TARGET_BRANCH_SHA": "",
    }
    for side in ("", "SOURCE_"):
        values[f"{side}PROJECT_ID"] = str(project.id)
        values[f"{side}PROJECT_PATH"] = project.full_path
        values[f"{side}PROJECT_URL"] = web_url(core, project)
    yield from (Variable(f"CI_MERGE_REQUEST_{key}", value) for key, value in values.items())


def _words(of: OfMergeRequest) -> Iterator[Variable]:
    """What people wrote: never expanded."""
    row = of.row
    texts = {
        "TITLE": row.title,
        "DESCRIPTION": row.description[:MAX_DESCRIPTION],
        "DESCRIPTION_IS_TRUNCATED": _truth(len(row.description) > MAX_DESCRIPTION),
        "SOURCE_BRANCH_NAME": row.source_branch,
        "TARGET_BRANCH_NAME": row.target_branch,
    }
    if row.labels:
        texts["LABELS"] = ",".join(row.labels)
    yield from (Variable(f"CI_MERGE_REQUEST_{key}", value, raw=True) for key, value in texts.items())


def _truth(value: bool) -> str:
    return "true" if value else "false"
