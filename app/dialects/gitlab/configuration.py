"""The whole configuration, read and checked: stages, variables and jobs, before any of it depends on a pipeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.dialects.gitlab import keywords, values
from app.dialects.gitlab.entries import scripts, variables
from app.dialects.gitlab.entries import workflow as workflows
from app.dialects.gitlab.entries.caches import CacheReader
from app.dialects.gitlab.entries.workflow import Workflow
from app.dialects.gitlab.jobs import JobConfig, JobReader
from app.dialects.gitlab.nodes import Entry, Scalar, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted
from app.domain.plan import Variable

DEFAULT_STAGES = ("build", "test", "deploy")
FIRST_STAGE, LAST_STAGE = ".pre", ".post"
DEFAULT_STAGE = "test"

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Configuration:
    """`stages` with `.pre` and `.post`; `jobs` by name, in order; `refused`: names of what was meant as a job."""

    stages: tuple[str, ...]
    variables: tuple[Variable, ...]
    jobs: Mapping[str, JobConfig]
    refused: frozenset[str]
    workflow: Workflow


def read(
    root: MappingNode,
    list_files: Callable[[], Mapping[str, str]],
    report: Report,
    last_commit: Callable[[str], str | None] = lambda _: None,
) -> Configuration:
    """The configuration in `root`; what is wrong is reported and left out.

    For `list_files` and `last_commit` see `CompileContext`.
    """
    reader = JobReader(report, CacheReader(list_files, last_commit))
    _refuse_globals(root, report)
    jobs, refused = _jobs(root, reader, report)
    before = report.error_count
    stages = _stages(root, report)
    stages_are_known = report.error_count == before and "stages" not in report.broken
    found = Configuration(stages, _variables(root, report), jobs, refused, _workflow(root, report))
    for job in found.jobs.values():
        if stages_are_known:
            _check_stage(job, stages, report)
        if found.workflow.rules is None:
            _warn_of_duplicates(job, report)
    return found


def _refuse_globals(root: MappingNode, report: Report) -> None:
    for key in keywords.GLOBAL:
        entry, reason = root.entries.get(key), keywords.NOT_COMPILED.get(key)
        if entry is not None and reason and not _is_job(key, entry):
            report.error(entry.key_mark, "unsupported_keyword", f"`{key}` {reason}")


def _stages(root: MappingNode, report: Report) -> tuple[str, ...]:
    node = root.get("stages")
    found = scripts.stages(report, node) if node is not None else DEFAULT_STAGES
    middle = (name for name in found or () if name not in (FIRST_STAGE, LAST_STAGE))
    return tuple(dict.fromkeys((FIRST_STAGE, *middle, LAST_STAGE)))


def _variables(root: MappingNode, report: Report) -> tuple[Variable, ...]:
    node = root.get("variables")
    return (variables.global_variables(report, node, "variables") or ()) if node is not None else ()


def _workflow(root: MappingNode, report: Report) -> Workflow:
    node = root.get("workflow")
    if node is None or _is_job("workflow", root.entries["workflow"]):
        return Workflow()
    return workflows.workflow(report, node)


def _warn_of_duplicates(job: JobConfig, report: Report) -> None:
    """Warn, as GitLab does, of a last rule that lets the job into every kind of pipeline."""
    last = job.rules[-1] if job.rules else None
    if last is not None and last.is_bare and last.when not in (None, "never"):
        message = (
            f"jobs:{quoted(job.name)} may allow multiple pipelines to run for a single action "
            "due to `rules:when` clause with no `workflow:rules`"
        )
        report.warning(last.mark, "duplicate_pipelines", message)


def _is_job(name: str, entry: Entry) -> bool:
    """Whether a mapping under a global keyword is a job all the same: under two of them it is if it has a script."""
    return name in keywords.OR_JOBS and isinstance(entry.value, MappingNode) and "script" in entry.value


def _jobs(root: MappingNode, reader: JobReader, report: Report) -> tuple[dict[str, JobConfig], frozenset[str]]:
    defaults = reader.defaults(root)
    jobs: dict[str, JobConfig] = {}
    refused: set[str] = set(report.broken)
    for name, entry in root.entries.items():
        if name in keywords.GLOBAL and not _is_job(name, entry):
            continue
        if name.startswith("."):
            _check_hidden(name, entry, report)
            continue
        _check_name(name, entry, report)
        if not isinstance(entry.value, MappingNode) or not _is_work(entry.value):
            refused.add(name)
            _refuse_job(name, entry, report)
        else:
            jobs[name] = reader.job(name, entry.key_mark, entry.value, defaults)
    if not jobs and not refused:
        report.error(root.mark, "no_jobs", "jobs config should contain at least one visible job")
    return jobs, frozenset(refused)


def _check_hidden(name: str, entry: Entry, report: Report) -> None:
    value = entry.value
    blank = isinstance(value, Scalar) and value.value in (None, "", False)
    if blank or (isinstance(value, MappingNode | Sequence) and value.size == 1):
        report.error(entry.key_mark, values.INVALID, f"jobs:{quoted(name)} config can't be blank")


def _check_name(name: str, entry: Entry, report: Report) -> None:
    """A job's name is a text: not a number, and not a word like `on`, which is true for YAML."""
    if not name.strip():
        report.error(entry.key_mark, "bad_name", "jobs:job name can't be blank")
    elif not entry.is_named:
        message = f"jobs:{quoted(name)} name should be a symbol: put it in quotes, YAML reads it as something else"
        report.error(entry.key_mark, "bad_name", message)


def _is_work(node: MappingNode) -> bool:
    return any(key in node for key in ("script", "run", "trigger", "needs"))


def _refuse_job(name: str, entry: Entry, report: Report) -> None:
    """Say what a top-level key that is no job might have been meant to be."""
    hint = report.did_you_mean(name, keywords.GLOBAL)
    if not hint and isinstance(entry.value, MappingNode):
        hints = (report.did_you_mean(key, ("script", "trigger")) for key in entry.value.entries)
        hint = next(filter(None, hints), "")
    message = f"jobs {quoted(name)} config should implement the script:, run:, or trigger: keyword{hint}"
    report.error(entry.key_mark, "not_a_job", message)


def _check_stage(job: JobConfig, stages: tuple[str, ...], report: Report) -> None:
    stage = job.stage or DEFAULT_STAGE
    if stage not in stages:
        shown = [quoted(name) for name in stages[:MOST_SHOWN]]
        available = ", ".join(shown if len(stages) <= MOST_SHOWN else [*shown, "..."])
        message = (
            f"{quoted(job.name)} job: chosen stage {quoted(stage)} does not exist; "
            f"available stages are {available}{report.did_you_mean(stage, stages)}"
        )
        report.error(job.mark, "unknown_stage", message)
