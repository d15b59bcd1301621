"""From a checked configuration to the plan of one pipeline: what rules leave, and what they change (gitlab.md C.0)."""

from dataclasses import dataclass, replace
from functools import cache

from app.dialects.base import CompileContext
from app.dialects.gitlab import environments, policies, variables
from app.dialects.gitlab.configuration import DEFAULT_STAGE, FIRST_STAGE, LAST_STAGE, Configuration
from app.dialects.gitlab.entries.inherit import Inherit, takes
from app.dialects.gitlab.entries.only import DEFAULT_ONLY, NOTHING
from app.dialects.gitlab.entries.pages import site_of
from app.dialects.gitlab.entries.rules import AutoCancel, Rule
from app.dialects.gitlab.entries.workflow import LONGEST_NAME
from app.dialects.gitlab.expansion import Expanded, Instance, group_name
from app.dialects.gitlab.jobs import JobConfig
from app.dialects.gitlab.report import Report, quoted
from app.dialects.gitlab.rules import RuleEvaluator
from app.dialects.gitlab.seeds import Seed, to_plan
from app.dialects.gitlab.variables import Expander, Known
from app.domain.delivery import PagesSpec
from app.domain.plan import JobPlan, Plan, Variable
from app.domain.refs import slug
from app.domain.variables import CircularReference, expand, expand_existing

#: In characters, as the database takes it.
LONGEST_RESOURCE_GROUP = 255
FILTERED = "Pipeline filtered out by workflow rules."
EMPTY = (
    "Pipeline will not run for the selected trigger. "
    "The rules configuration prevented any jobs from being added to the pipeline."
)
ONLY_EDGES = "The pipeline would only have jobs in the stages .pre and .post."


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or the reason why there is none; neither when there are errors, which are in the report."""

    plan: Plan | None = None
    skipped_reason: str | None = None


class Planner:
    """Plans one pipeline. `plan` raises LimitExceeded when variables grow without end."""

    def __init__(
        self, configuration: Configuration, expanded: Expanded, context: CompileContext, report: Report
    ) -> None:
        self._configuration = configuration
        self._expanded = expanded
        self._context = context
        self._report = report
        self._evaluator = RuleEvaluator(context, report)
        self._expander = Expander()
        self._predefined = variables.predefined(context)
        self._globals = configuration.variables
        # Settings are read from the database, so they are read once for each environment.
        self._variables_for = cache(context.variables_for or (lambda environment: context.variables))

    def plan(self) -> Planned:
        workflow = self._configuration.workflow
        rule = self._workflow_rule()
        if workflow.rules is not None and (rule is None or rule.when == "never"):
            return Planned(skipped_reason=FILTERED)
        if rule is not None:
            self._globals = variables.merge(self._globals, rule.variables)
        jobs = self._jobs()
        if self._report.has_errors:
            return Planned()
        if not jobs:
            return Planned(skipped_reason=EMPTY)
        used = {job.stage for job in jobs}
        if used <= {FIRST_STAGE, LAST_STAGE}:
            return Planned(skipped_reason=ONLY_EDGES)
        stages = tuple(stage for stage in self._configuration.stages if stage in used)
        return Planned(self._whole(stages, jobs, rule))

    def _workflow_rule(self) -> Rule | None:
        return self._evaluator.first_match(self._configuration.workflow.rules or (), self._known_globally(), "workflow")

    def _known_globally(self) -> Known:
        values = variables.values_of(self._predefined, self._globals, self._context.variables)
        return Known(values, self._globals, self._expander, self._context)

    def _whole(self, stages: tuple[str, ...], jobs: tuple[JobPlan, ...], rule: Rule | None) -> Plan:
        workflow = self._configuration.workflow
        name = expand(workflow.name, self._known_globally().expanded)[:LONGEST_NAME] if workflow.name else None
        said = (rule.auto_cancel if rule else None) or AutoCancel()
        default = workflow.auto_cancel or AutoCancel()
        return Plan(
            stages,
            jobs,
            variables=self._globals,
            name=name,
            auto_cancel_on_new_commit=said.on_new_commit or default.on_new_commit or "conservative",
            auto_cancel_on_job_failure=said.on_job_failure or default.on_job_failure or "none",
        )

    def _jobs(self) -> tuple[JobPlan, ...]:
        seeds = {
            seed.instance.name: seed
            for instance in self._expanded.instances.values()
            if (seed := self._seed(instance)) is not None
        }
        return tuple(to_plan(seed, seeds.keys(), self._expanded, self._report) for seed in seeds.values())

    def _seed(self, instance: Instance) -> Seed | None:
        """The job with the rule that admits it, or None when it is no part of the pipeline."""
        job = instance.job
        choice = (job.inherit or Inherit()).variables
        inherited = (found for found in self._globals if takes(choice, found.key))
        chosen = (Variable(key, value) for key, value in instance.choice)
        own = variables.merge(inherited, job.variables or (), chosen)
        try:
            return self._admit(instance, own)
        except CircularReference as wrong:
            self._report.error(job.mark, "circular_variables", f"{quoted(instance.name)}: {wrong}")
            return None

    def _admit(self, instance: Instance, own: tuple[Variable, ...]) -> Seed | None:
        job, known, rule = instance.job, self._known(instance, own), None
        if job.rules is not None:
            rule = self._evaluator.first_match(job.rules, known, job.name)
            if rule is None or rule.when == "never":
                return None
            own = variables.merge(own, rule.variables)
            known = self._known(instance, own) if rule.variables else known
        elif not self._admitted(instance, known):
            return None
        expanded = known.expanded  # whether it is used here or not: whoever runs the job has to do it
        return Seed(
            instance,
            rule,
            own,
            tags=tuple(dict.fromkeys(expand_existing(tag, expanded) for tag in job.tags or ())),
            resource_group=self._resource_group(instance, known),
            environment=environments.expanded(job.environment, known),
            pages=_site(job, known),
        )

    def _resource_group(self, instance: Instance, known: Known) -> str | None:
        """The name with its variables; where nothing is left of it there is no group."""
        written = instance.job.resource_group
        name = expand(written, known.expanded) if written else ""
        if len(name) > LONGEST_RESOURCE_GROUP:
            message = f"{quoted(instance.name)}: resource group is too long"
            message += f" (maximum is {LONGEST_RESOURCE_GROUP} characters with its variables expanded)"
            self._report.error(instance.job.mark, "name_too_long", message)
        return name or None

    def _known(self, instance: Instance, own: tuple[Variable, ...]) -> Known:
        stage = instance.job.stage or DEFAULT_STAGE
        job = variables.for_job(instance.name, group_name(instance.name), stage, instance.index, instance.total)
        values = variables.values_of(self._predefined, job, own, self._context.variables)
        known = Known(values, own, self._expander, self._context)
        spec = environments.expanded(instance.job.environment, known)
        if spec is None:
            return known
        given = self._variables_for(spec.name)
        values = variables.values_of(self._predefined, job, environments.predefined(spec), own, given)
        return Known(values, own, self._expander, self._context)

    def _admitted(self, instance: Instance, known: Known) -> bool:
        """Whether `only` and `except` let a job in. There is no default `only` where there are `workflow:rules`."""
        job = instance.job
        by_workflow = self._configuration.workflow.rules is not None
        only = DEFAULT_ONLY.joined(job.only) if job.only else NOTHING if by_workflow else DEFAULT_ONLY
        return policies.admitted(only, job.excluded or NOTHING, self._context, self._evaluator, known, job.name)


def _site(job: JobConfig, known: Known) -> PagesSpec | None:
    """The site that `job` publishes, its prefix as it stands in an address."""
    site = site_of(job.name, job.pages, job.publish)
    if site is None or not site.path_prefix:
        return site
    return replace(site, path_prefix=slug(expand(site.path_prefix, known.expanded)))
