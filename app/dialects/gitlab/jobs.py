"""One job of the configuration: its keywords read and its defaults filled in, but no rule evaluated yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.dialects.gitlab import keywords, values
from app.dialects.gitlab.entries import (
    artifacts,
    environments,
    id_tokens,
    images,
    inherit,
    job_inputs,
    needs,
    only,
    pages,
    parallel,
    releases,
    rules,
    scripts,
    triggers,
    variables,
)
from app.dialects.gitlab.entries.caches import CacheReader
from app.dialects.gitlab.entries.inherit import Inherit, takes
from app.dialects.gitlab.entries.needs import NeedConfig
from app.dialects.gitlab.entries.only import Policy
from app.dialects.gitlab.entries.pages import PagesConfig
from app.dialects.gitlab.entries.parallel import Parallel
from app.dialects.gitlab.entries.rules import Rule
from app.dialects.gitlab.entries.scripts import AllowFailure
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Mark, Node
from app.dialects.gitlab.report import Report, quoted
from app.domain.delivery import EnvironmentSpec, IdToken, ReleaseSpec
from app.domain.job_inputs import JobInput
from app.domain.plan import ArtifactSpec, CacheSpec, ForeignNeed, Image, RetryPolicy, Service, Trigger, Variable

LONGEST_NAME = 255
WHENS = ("on_success", "on_failure", "always", "manual", "delayed")

Reader = Callable[[Report, Node, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    """A job as written, one field for each keyword. None: the keyword is not there (or null, or wrong and reported)."""

    name: str
    mark: Mark
    after_script: tuple[str, ...] | None = None
    allow_failure: AllowFailure | None = None
    artifacts: tuple[ArtifactSpec, ...] | None = None
    before_script: tuple[str, ...] | None = None
    cache: tuple[CacheSpec, ...] | None = None
    coverage: str | None = None
    dependencies: tuple[str, ...] | None = None
    environment: EnvironmentSpec | None = None
    excluded: Policy | None = None
    foreign_needs: tuple[ForeignNeed, ...] = ()
    hooks: tuple[str, ...] | None = None
    id_tokens: tuple[IdToken, ...] | None = None
    image: Image | None = None
    inherit: Inherit | None = None
    inputs: tuple[JobInput, ...] | None = None
    interruptible: bool | None = None
    manual_confirmation: str | None = None
    needs: tuple[NeedConfig, ...] | None = None
    only: Policy | None = None
    pages: PagesConfig | None = None
    parallel: Parallel | None = None
    publish: str | None = None
    release: ReleaseSpec | None = None
    resource_group: str | None = None
    retry: RetryPolicy | None = None
    rules: tuple[Rule, ...] | None = None
    script: tuple[str, ...] | None = None
    services: tuple[Service, ...] | None = None
    stage: str | None = None
    start_in: int | None = None
    tags: tuple[str, ...] | None = None
    timeout: int | None = None
    trigger: Trigger | None = None
    variables: tuple[Variable, ...] | None = None
    when: str | None = None


def _when(report: Report, node: Node, path: str) -> str | None:
    return values.one_of(report, node, path, WHENS)


def _interruptible(report: Report, node: Node, path: str) -> bool | None:
    return values.boolean(report, node, path)


# keyword: (its reader, whether GitLab names the place `jobs:x:keyword` or `jobs:x keyword` in its messages)
_READERS: Mapping[str, tuple[Reader, bool]] = {
    "after_script": (values.lines, True),
    "allow_failure": (scripts.allow_failure, True),
    "artifacts": (artifacts.artifacts, True),
    "before_script": (values.lines, True),
    "dependencies": (scripts.dependencies, False),
    "coverage": (scripts.coverage, True),
    "environment": (environments.environment, True),
    "except": (only.policy, True),
    "hooks": (scripts.hooks, True),
    "id_tokens": (id_tokens.id_tokens, True),
    "image": (images.image, True),
    "inherit": (inherit.inherit, True),
    "inputs": (job_inputs.job_inputs, True),
    "interruptible": (_interruptible, True),
    "manual_confirmation": (scripts.manual_confirmation, False),
    "needs": (needs.all_needs, True),
    "only": (only.policy, True),
    "pages": (pages.pages, True),
    "parallel": (parallel.parallel, True),
    "publish": (pages.publish, False),
    "release": (releases.release, True),
    "resource_group": (scripts.manual_confirmation, False),
    "retry": (scripts.retry, True),
    "rules": (rules.job_rules, True),
    "script": (scripts.script, True),
    "services": (images.services, True),
    "stage": (scripts.stage, True),
    "start_in": (scripts.start_in, False),
    "tags": (scripts.tags, True),
    "timeout": (scripts.timeout, True),
    "trigger": (triggers.trigger, True),
    "variables": (variables.variables, True),
    "when": (_when, False),
}


class JobReader:
    """Reads the jobs of one configuration."""

    def __init__(self, report: Report, caches: CacheReader) -> None:
        self._report = report
        self._readers: dict[str, tuple[Reader, bool]] = {**_READERS, "cache": (caches.caches, True)}

    def keyword(self, key: str, node: Node, path: str) -> object:
        """The value of one keyword; None when it is wrong, which is then reported."""
        reader, colon = self._readers[key]
        return reader(self._report, node, f"{path}:{key}" if colon else f"{path} {key.replace('_', ' ')}")

    def defaults(self, root: MappingNode) -> dict[str, object]:
        """What jobs get when they do not say it themselves, from `default` and from the top level."""
        found: dict[str, object] = {}
        for key in keywords.GLOBAL_DEFAULTS:
            if (node := root.get(key)) is not None:
                found[key] = self._readers[key][0](self._report, node, key)
        given = root.get("default")
        if given is None or (isinstance(given, MappingNode) and "script" in given):
            # With a script it is a job of that name.
            return found
        default = values.mapping(self._report, given, "default", keywords.DEFAULTS)
        for key, entry in default.present() if default else ():
            if key in found:
                problem = f"default config {key} is defined in top-level and default: entry"
                self._report.error(entry.key_mark, "defined_twice", problem)
            elif key in keywords.DEFAULTS and self._is_compiled(key, entry.key_mark, "default"):
                found[key] = self.keyword(key, entry.value, "default")
        return found

    def job(self, name: str, mark: Mark, node: MappingNode, defaults: Mapping[str, object]) -> JobConfig:
        """The job `name`; what is wrong is reported and left out."""
        path = f"jobs:{quoted(name)}"
        if len(name) > LONGEST_NAME:
            message = f"{path} name is too long (maximum is {LONGEST_NAME} characters)"
            self._report.error(mark, "name_too_long", message)
        triggers_other = triggers.is_trigger_job(node)
        known = keywords.TRIGGER_JOB if triggers_other else keywords.JOB
        # With `needs` alone it may as well be a job whose `script` is misspelt.
        values.check_keys(self._report, node, path, known, known if "trigger" in node else keywords.JOB)
        own: dict[str, Any] = {
            key: self.keyword(key, entry.value, path)
            for key, entry in node.present()
            if key in known and self._is_compiled(key, entry.key_mark, path)
        }
        own |= (triggers.checked if triggers_other else triggers.without)(self._report, node, path, own)
        chosen = own.get("inherit") or Inherit()
        inherited = {key: value for key, value in defaults.items() if key in known and takes(chosen.default, key)}
        job = JobConfig(name=name, mark=mark, **_fields(inherited | own))
        self._check(job, node, path)
        return job

    def _is_compiled(self, key: str, mark: Mark, path: str) -> bool:
        if key in self._readers:
            return True
        if reason := keywords.NOT_COMPILED.get(key):
            self._report.error(mark, "unsupported_keyword", f"{path}: `{key}` {reason}")
        return False

    def _check(self, job: JobConfig, node: MappingNode, path: str) -> None:
        """What has to be right between keywords."""
        if node.get("script") is None and "script" in node:
            self._report.error(node.entries["script"].key_mark, values.INVALID, f"{path} script can't be blank")
        start_in = node.entries["start_in"] if node.get("start_in") is not None else None
        if job.when == "delayed" and start_in is None:
            self._report.error(node.entries["when"].key_mark, values.INVALID, f"{path} start in should be a duration")
        misspelt = job.when is None and node.get("when") is not None
        if start_in is not None and job.when != "delayed" and not misspelt:
            self._report.error(start_in.key_mark, values.INVALID, f"{path} start in must be blank")
        self._check_rules(node, path)
        self._check_dependencies(job, node, path)

    def _check_rules(self, node: MappingNode, path: str) -> None:
        """`rules` take the place of the older keywords, and have to be there when they are named."""
        if "rules" not in node:
            return
        entry = node.entries["rules"]
        if node.get("rules") is None:
            self._report.error(entry.key_mark, values.INVALID, f"{path}:rules config can't be blank")
        for key in ("only", "except", "start_in"):
            if node.get(key) is not None:
                mark = node.entries[key].key_mark
                self._report.error(mark, values.INVALID, f"{path} config key may not be used with `rules`: {key}")

    def _check_dependencies(self, job: JobConfig, node: MappingNode, path: str) -> None:
        if job.dependencies and job.foreign_needs and not job.needs:
            problem = f"{path} needs corresponding to dependencies must be from the same pipeline"
            self._report.error(node.entries["needs"].key_mark, "dependency_not_needed", problem)
        if not job.dependencies or not job.needs:
            return
        needed = {need.job for need in job.needs}
        if missing := [name for name in job.dependencies if name not in needed]:
            names = ", ".join(quoted(name) for name in missing)
            mark = node.entries["dependencies"].key_mark
            self._report.error(
                mark, "dependency_not_needed", f"{path} dependencies the {names} should be part of needs"
            )


def _fields(found: Mapping[str, object]) -> dict[str, Any]:
    """Keywords as fields of JobConfig; `except` is a word of Python's."""
    return {"excluded" if key == "except" else key: value for key, value in found.items()}
