"""The CI_* variables that every job gets (gitlab.md A.8). Those that hold what authors and users wrote are raw: never
expanded.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from app.dialects.gitlab.expansion import group_name
from app.domain.plan import JobPlan, Variable
from app.domain.refs import slug
from app.models import Group, Job, Pipeline, Project, Runner, User
from app.services.core import Core
from app.services.pipelines.pipeline_request import MERGE_REQUEST

#: The version of GitLab whose protocol, API and variables we speak: jobs see it, and clients switch features on by it.
GITLAB_VERSION = "19.0.0-skerry"
JOB_USER = "gitlab-ci-token"


class Run(Protocol):
    """What is asked of a pipeline here: a row, or one that is yet to be."""

    @property
    def ref(self) -> str: ...
    @property
    def tag(self) -> bool: ...
    @property
    def sha(self) -> str: ...
    @property
    def before_sha(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def trigger_short_token(self) -> str | None: ...


def web_url(core: Core, project: Project) -> str:
    """The address of a project's page."""
    return f"{core.config.external_url}/{project.full_path}"


def pages_url(core: Core, project: Project) -> str:
    """The address of a project's web site, without a slash at the end."""
    return f"{core.config.pages_url or core.config.external_url}/{project.full_path}/-/pages"


def pipeline_url(core: Core, project: Project, pipeline_id: int) -> str:
    return f"{web_url(core, project)}/-/pipelines/{pipeline_id}"


def repository_url(core: Core, project: Project, token: str) -> str:
    """The address from which a job clones with its token."""
    address = f"{web_url(core, project)}.git"
    return address.replace("://", f"://{JOB_USER}:{quote(token, safe='')}@", 1)


def of_pipeline_row(core: Core, pipeline: Pipeline) -> Iterator[Variable]:
    """What is known once the pipeline has an id."""
    yield Variable("CI_PIPELINE_ID", str(pipeline.id))
    yield Variable("CI_PIPELINE_URL", pipeline_url(core, pipeline.project, pipeline.id))


def of_job_row(core: Core, job: Job, token: str) -> Iterator[Variable]:
    """What is known once the job is claimed: its id and its token."""
    yield Variable("CI_JOB_ID", str(job.id))
    yield Variable("CI_JOB_URL", f"{web_url(core, job.project)}/-/jobs/{job.id}")
    yield Variable("CI_JOB_TOKEN", token, public=False, masked=True)
    yield Variable("CI_JOB_STARTED_AT", (job.started_at or core.now()).isoformat(timespec="seconds"))
    yield Variable("CI_REGISTRY_USER", JOB_USER)
    yield Variable("CI_REGISTRY_PASSWORD", token, public=False, masked=True)
    yield Variable("CI_REPOSITORY_URL", repository_url(core, job.project, token), public=False)


def of_job(plan: JobPlan) -> Iterator[Variable]:
    """What the plan of a job says."""
    yield Variable("CI_JOB_NAME", plan.name, raw=True)
    yield Variable("CI_JOB_NAME_SLUG", slug(plan.name))
    yield Variable("CI_JOB_STAGE", plan.stage, raw=True)
    yield Variable("CI_JOB_GROUP_NAME", group_name(plan.name), raw=True)
    index, total = plan.instance or (None, 1)
    if index is not None:
        yield Variable("CI_NODE_INDEX", str(index))
    yield Variable("CI_NODE_TOTAL", str(total))
    if plan.when == "manual":
        yield Variable("CI_JOB_MANUAL", "true")


def of_project(core: Core, project: Project) -> Iterator[Variable]:
    """What the server and the project say."""
    yield from _of_server(core.config.external_url)
    namespace = project.full_path.rpartition("/")[0]
    values = {
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.path,
        "CI_PROJECT_PATH": project.full_path,
        "CI_PROJECT_PATH_SLUG": slug(project.full_path),
        "CI_PROJECT_NAMESPACE": namespace,
        "CI_PROJECT_NAMESPACE_ID": str(project.group_id),
        "CI_PROJECT_NAMESPACE_SLUG": slug(namespace),
        "CI_PROJECT_ROOT_NAMESPACE": namespace.split("/")[0],
        "CI_PROJECT_URL": web_url(core, project),
        "CI_PROJECT_VISIBILITY": project.visibility,
        "CI_PROJECT_REPOSITORY_LANGUAGES": "",
        "CI_PROJECT_CLASSIFICATION_LABEL": "",
        "CI_PROJECT_TOPICS": "",
        "CI_DEFAULT_BRANCH_SLUG": slug(project.default_branch),
        "CI_PAGES_DOMAIN": urlsplit(core.config.pages_url or core.config.external_url).hostname or "",
        "CI_PAGES_URL": pages_url(core, project),
    }
    texts = {
        "CI_PROJECT_TITLE": project.name,
        "CI_PROJECT_DESCRIPTION": project.description,
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_CONFIG_PATH": project.config_path,
    }
    yield from (Variable(key, value) for key, value in values.items())
    yield from (Variable(key, value, raw=True) for key, value in texts.items())


@cache
def _of_server(url: str) -> tuple[Variable, ...]:
    """Of the server with this external URL."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    major, minor, patch = GITLAB_VERSION.partition("-")[0].split(".")
    values = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_URL": url,
        "CI_SERVER_HOST": parts.hostname or "",
        "CI_SERVER_FQDN": parts.netloc,
        "CI_SERVER_PORT": str(port),
        "CI_SERVER_PROTOCOL": parts.scheme,
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_VERSION": GITLAB_VERSION,
        "CI_SERVER_VERSION_MAJOR": major,
        "CI_SERVER_VERSION_MINOR": minor,
        "CI_SERVER_VERSION_PATCH": patch,
        "CI_SERVER_REVISION": "skerry",
        "CI_API_V4_URL": f"{url}/api/v4",
        "CI_TEMPLATE_REGISTRY_HOST": parts.netloc,
        "GITLAB_FEATURES": "",
    }
    return tuple(Variable(key, value) for key, value in values.items())


def of_run(run: Run, commit: dict[str, Any], protected: bool) -> Iterator[Variable]:
    """What the commit and the ref say."""
    message = commit.get("message", "")
    values = {
        "CI_PIPELINE_SOURCE": run.source,
        "CI_COMMIT_SHA": run.sha,
        "CI_COMMIT_SHORT_SHA": run.sha[:8],
        "CI_COMMIT_BEFORE_SHA": run.before_sha,
        "CI_COMMIT_REF_SLUG": slug(run.ref),
        "CI_COMMIT_REF_PROTECTED": "true" if protected else "false",
        "CI_COMMIT_TIMESTAMP": commit.get("committed_date", ""),
        # How these were called before GitLab 9, and still may be.
        "CI_BUILD_REF": run.sha,
        "CI_BUILD_BEFORE_SHA": run.before_sha,
        "CI_BUILD_REF_SLUG": slug(run.ref),
    }
    texts = {
        "CI_COMMIT_REF_NAME": run.ref,
        "CI_BUILD_REF_NAME": run.ref,
        "CI_COMMIT_MESSAGE": message,
        "CI_COMMIT_TITLE": commit.get("title", ""),
        "CI_COMMIT_DESCRIPTION": message.partition("\n")[2].strip("\n"),
        "CI_COMMIT_AUTHOR": f"{commit.get('author_name', '')} <{commit.get('author_email', '')}>",
    }
    if run.source != MERGE_REQUEST:
        texts["CI_COMMIT_TAG" if run.tag else "CI_COMMIT_BRANCH"] = run.ref
    if run.tag:
        texts["CI_BUILD_TAG"] = run.ref
    yield from (Variable(key, value) for key, value in values.items())
    if run.source == "trigger":
        yield Variable("CI_PIPELINE_TRIGGERED", "true")
    if run.trigger_short_token:
        yield Variable("CI_TRIGGER_SHORT_TOKEN", run.trigger_short_token)
    yield from (Variable(key, value, raw=True) for key, value in texts.items())


def of_pipeline(pipeline: Pipeline) -> Iterator[Variable]:
    """What a pipeline is called and when it was made."""
    yield Variable("CI_PIPELINE_IID", str(pipeline.iid))
    yield Variable("CI_PIPELINE_CREATED_AT", pipeline.created_at.isoformat(timespec="seconds"))
    if pipeline.name:
        yield Variable("CI_PIPELINE_NAME", pipeline.name, raw=True)


def of_schedule(description: str | None) -> Iterator[Variable]:
    """Of which schedule a pipeline came, None for none."""
    if description is not None:
        yield Variable("CI_PIPELINE_SCHEDULE_DESCRIPTION", description, raw=True)


def of_runner(runner: Runner) -> Iterator[Variable]:
    """Who runs the job."""
    yield Variable("CI_RUNNER_ID", str(runner.id))
    yield Variable("CI_RUNNER_DESCRIPTION", runner.description, raw=True)
    yield Variable("CI_RUNNER_TAGS", json.dumps(runner.tags, ensure_ascii=False), raw=True)


def of_user(user: User | None) -> Iterator[Variable]:
    """For whom the job runs."""
    if user is not None:
        yield Variable("GITLAB_USER_ID", str(user.id))
        yield Variable("GITLAB_USER_LOGIN", user.username)
        yield Variable("GITLAB_USER_NAME", user.name, raw=True)
        yield Variable("GITLAB_USER_EMAIL", user.email, raw=True)


def ancestors(core: Core, group: Group) -> list[Group]:
    """`group` and those above it, the topmost first."""
    chain = [group]
    while chain[0].parent_id is not None:
        chain.insert(0, core.session.get_one(Group, chain[0].parent_id))
    return chain
