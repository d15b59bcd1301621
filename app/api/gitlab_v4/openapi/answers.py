"""What each endpoint answers when all is well, by the endpoint's name. A test holds real answers against it.

Pages, their headers and what can go wrong follow from the declarations themselves (`operations`).
"""

from dataclasses import dataclass
from typing import Any

from app.api.gitlab_v4.openapi.shapes import groups, instance, jobs, pipelines, projects, repositories, runners, users
from app.api.gitlab_v4.openapi.shapes.common import Message

TEXT = "text/plain"
BYTES = "*/*"


@dataclass(frozen=True, slots=True)
class Answer:
    """`shape`: the type of its JSON, None for an answer that is empty or a file of the type `media`.

    `also` are statuses beside that of the declaration: further good ones, and refusals that other endpoints never give.
    """

    shape: Any = None
    media: str = ""
    also: tuple[int, ...] = ()


NOTHING = Answer()
#: A file in whole, a range of it, or word that the caller has it already.
FILE = Answer(media=BYTES, also=(206, 304, 416))

ANSWERS: dict[str, Answer] = {
    "get_openapi": Answer(dict[str, Any], also=(304,)),
    # artifacts and logs
    "get_artifacts": FILE,
    "get_artifact_file": Answer(media=BYTES, also=(304,)),
    "get_latest_artifacts": FILE,
    "get_latest_artifact_file": Answer(media=BYTES, also=(304,)),
    "delete_job_artifacts": NOTHING,
    "get_job_trace": Answer(media=TEXT, also=(206, 416)),
    "list_artifact_tree": Answer(list[jobs.ArchiveEntry]),
    "delete_project_artifacts": Answer(Message),
    # branches, tags and what protects them
    "list_branches": Answer(list[repositories.Branch]),
    "get_branch": Answer(repositories.Branch),
    "create_branch": Answer(repositories.Branch),
    "delete_branch": Answer(also=(405,)),
    "list_tags": Answer(list[repositories.Tag]),
    "get_tag": Answer(repositories.Tag),
    "create_tag": Answer(repositories.Tag),
    "delete_tag": NOTHING,
    "list_protected_branches": Answer(list[repositories.ProtectedBranch]),
    "get_protected_branch": Answer(repositories.ProtectedBranch),
    "protect_branch": Answer(repositories.ProtectedBranch),
    "update_protected_branch": Answer(repositories.ProtectedBranch),
    "unprotect_branch": NOTHING,
    "list_protected_tags": Answer(list[repositories.ProtectedTag]),
    "get_protected_tag": Answer(repositories.ProtectedTag),
    "protect_tag": Answer(repositories.ProtectedTag),
    "unprotect_tag": NOTHING,
    # commits and files
    "create_commit": Answer(repositories.CommitDetails),
    "create_file": Answer(repositories.WrittenFile),
    "update_file": Answer(repositories.WrittenFile),
    "delete_file": NOTHING,
    "list_commit_statuses": Answer(list[repositories.CommitStatus]),
    "create_commit_status": Answer(repositories.CommitStatus),
    "list_commits": Answer(list[repositories.Commit]),
    "get_commit": Answer(repositories.CommitDetails),
    "list_commit_refs": Answer(list[repositories.CommitRef]),
    "list_commit_changes": Answer(list[repositories.Change]),
    "compare": Answer(repositories.Comparison),
    "list_tree": Answer(list[repositories.TreeEntry]),
    "get_file": Answer(repositories.File),
    "get_raw_file": Answer(media=BYTES),
    # environments and releases
    "list_deployments": Answer(list[projects.Deployment]),
    "get_deployment": Answer(projects.Deployment),
    "create_deployment": Answer(projects.Deployment),
    "update_deployment": Answer(projects.Deployment),
    "delete_deployment": NOTHING,
    "list_environments": Answer(list[projects.Environment]),
    "get_environment": Answer(projects.EnvironmentDetails),
    "create_environment": Answer(projects.EnvironmentDetails),
    "update_environment": Answer(projects.EnvironmentDetails),
    "delete_environment": NOTHING,
    "stop": Answer(projects.EnvironmentDetails),
    "list_releases": Answer(list[projects.Release]),
    "get_release": Answer(projects.Release),
    "get_latest_release": Answer(also=(302,)),
    "create_release": Answer(projects.Release),
    "update_release": Answer(projects.Release),
    "delete_release": Answer(projects.Release),
    "list_release_links": Answer(list[projects.ReleaseLink]),
    "get_release_link": Answer(projects.ReleaseLink),
    "create_release_link": Answer(projects.ReleaseLink),
    "update_release_link": Answer(projects.ReleaseLink),
    "delete_release_link": Answer(projects.ReleaseLink),
    # variables
    "list_variables": Answer(list[projects.Variable]),
    "get_variable": Answer(projects.Variable, also=(409,)),
    "create_variable": Answer(projects.Variable),
    "update_variable": Answer(projects.Variable),
    "delete_variable": NOTHING,
    "list_group_variables": Answer(list[projects.Variable]),
    "get_group_variable": Answer(projects.Variable, also=(409,)),
    "create_group_variable": Answer(projects.Variable),
    "update_group_variable": Answer(projects.Variable),
    "delete_group_variable": NOTHING,
    "list_instance_variables": Answer(list[projects.Variable]),
    "get_instance_variable": Answer(projects.Variable),
    "create_instance_variable": Answer(projects.Variable),
    "update_instance_variable": Answer(projects.Variable),
    "delete_instance_variable": NOTHING,
    # groups, projects, members
    "list_groups": Answer(list[groups.Group]),
    "get_group": Answer(groups.Group),
    "create_group": Answer(groups.Group),
    "update_group": Answer(groups.Group),
    "delete_group": Answer(Message),
    "list_subgroups": Answer(list[groups.Group]),
    "list_descendant_groups": Answer(list[groups.Group]),
    "list_group_projects": Answer(list[projects.ProjectSettings]),
    "list_projects": Answer(list[projects.ProjectSettings]),
    "get_project": Answer(projects.Project),
    "create": Answer(projects.Project),
    "update_project": Answer(projects.Project),
    "archive_project": Answer(projects.Project),
    "unarchive_project": Answer(projects.Project),
    "remove_project": Answer(Message),
    "get_pull_mirror": Answer(projects.PullMirror),
    "start_pull_mirror": Answer(int),
    **{
        name.format(of): answer
        for of in ("project", "group")
        for name, answer in {
            "list_{}_members": Answer(list[groups.Member]),
            "list_all_{}_members": Answer(list[groups.Member]),
            "get_{}_member": Answer(groups.Member),
            "get_any_{}_member": Answer(groups.Member),
            "add_{}_member": Answer(groups.Member),
            "update_{}_member": Answer(groups.Member),
            "remove_{}_member": Answer(also=(412,)),
        }.items()
    },
    "get_job_token_scope": Answer(projects.JobTokenScope),
    "update_job_token_scope": NOTHING,
    "list_granted_projects": Answer(list[projects.ProjectBasic]),
    "grant_project": Answer(projects.ProjectGrant),
    "revoke_project_grant": NOTHING,
    "list_granted_groups": Answer(list[groups.Group]),
    "grant_group": Answer(projects.GroupGrant),
    "revoke_group_grant": NOTHING,
    **{
        name.format(of): answer
        for of in ("project", "group")
        for name, answer in {
            "list_{}_tokens": Answer(list[users.PlaceToken]),
            "get_{}_token": Answer(users.PlaceToken),
            "create_{}_token": Answer(users.PlaceToken),
            "rotate_{}_token": Answer(users.PlaceToken),
            "revoke_{}_token": NOTHING,
        }.items()
    },
    # jobs
    "get_allowed_agents": Answer(jobs.AllowedAgents),
    "list_project_jobs": Answer(list[jobs.Job]),
    "list_pipeline_jobs": Answer(list[jobs.Job]),
    "list_trigger_jobs": Answer(list[jobs.TriggerJob]),
    "get_job": Answer(jobs.Job),
    "get_own_job": Answer(jobs.Job),
    "cancel": Answer(jobs.Job | jobs.TriggerJob),
    "retry": Answer(jobs.Job | jobs.TriggerJob),
    "erase": Answer(jobs.Job | jobs.TriggerJob),
    "play": Answer(jobs.Job | jobs.TriggerJob),
    "keep": Answer(jobs.Job | jobs.TriggerJob),
    "list_resource_groups": Answer(list[projects.ResourceGroup]),
    "get_resource_group": Answer(projects.ResourceGroup),
    "update_resource_group": Answer(projects.ResourceGroup),
    "get_current_job": Answer(jobs.Job),
    "list_upcoming_jobs": Answer(list[jobs.Job]),
    # pipelines
    "list_pipelines": Answer(list[pipelines.PipelineListed]),
    "list_own_pipelines": Answer(list[pipelines.PipelineListed]),
    "get_latest_pipeline": Answer(pipelines.Pipeline),
    "get_pipeline": Answer(pipelines.Pipeline),
    "list_pipeline_variables": Answer(list[pipelines.GivenVariable]),
    "create_pipeline": Answer(pipelines.Pipeline),
    "cancel_whole_pipeline": Answer(pipelines.Pipeline),
    "retry_whole_pipeline": Answer(pipelines.Pipeline),
    "update_pipeline_metadata": Answer(pipelines.Pipeline),
    "delete_whole_pipeline": Answer(also=(412,)),
    "get_test_report": Answer(pipelines.TestReport),
    "get_test_report_summary": Answer(pipelines.TestSummary),
    "lint": Answer(instance.Lint),
    "lint_existing": Answer(instance.Lint),
    # schedules and triggers
    "list_pipeline_schedules": Answer(list[pipelines.Schedule]),
    "get_pipeline_schedule": Answer(pipelines.ScheduleDetails),
    "list_schedule_pipelines": Answer(list[pipelines.PipelineBasic]),
    "create_pipeline_schedule": Answer(pipelines.ScheduleDetails),
    "update_pipeline_schedule": Answer(pipelines.ScheduleDetails),
    "delete_pipeline_schedule": Answer(also=(412,)),
    "take_pipeline_schedule": Answer(pipelines.ScheduleDetails, also=(200,)),
    "play_pipeline_schedule": Answer(Message),
    "get_schedule_variable": Answer(pipelines.GivenVariable),
    "create_schedule_variable": Answer(pipelines.GivenVariable),
    "update_schedule_variable": Answer(pipelines.GivenVariable),
    "delete_schedule_variable": Answer(pipelines.GivenVariable),
    "run_trigger": Answer(pipelines.Pipeline),
    "list_triggers": Answer(list[pipelines.Trigger]),
    "get_trigger": Answer(pipelines.Trigger),
    "create_trigger": Answer(pipelines.Trigger),
    "update_trigger": Answer(pipelines.Trigger),
    "delete_trigger": NOTHING,
    # runners
    "list_runners": Answer(list[runners.Runner]),
    "list_all_runners": Answer(list[runners.Runner]),
    "list_project_runners": Answer(list[runners.Runner]),
    "get_runner": Answer(runners.RunnerDetails),
    "update_runner": Answer(runners.RunnerDetails),
    "delete_runner": NOTHING,
    "reset_runner_token": Answer(runners.RunnerToken),
    "list_runner_managers": Answer(list[runners.RunnerManager]),
    "list_runner_jobs": Answer(list[jobs.Job]),
    "create_user_runner": Answer(runners.MadeRunner),
    "list_group_runners": Answer(list[runners.Runner]),
    "list_runner_projects": Answer(list[projects.ProjectBasic]),
    "share": Answer(runners.Runner),
    "unshare": NOTHING,
    "reset_instance_registration": Answer(runners.RunnerToken),
    "reset_project_registration": Answer(runners.RunnerToken),
    "reset_group_registration": Answer(runners.RunnerToken),
    # users, tokens, the server
    "get_current_user": Answer(users.UserSelf),
    "list_users": Answer(list[users.UserBasic]),
    "get_user": Answer(users.User),
    "create_account": Answer(users.UserSelf),
    "update_account": Answer(users.UserSelf),
    "delete_account": NOTHING,
    "block_account": Answer(bool),
    "unblock_account": Answer(bool),
    "create_own_token": Answer(users.AccessToken),
    "get_own_token": Answer(users.AccessToken),
    "revoke_own_token": NOTHING,
    "rotate_own_token": Answer(users.AccessToken),
    "rotate_any_token": Answer(users.AccessToken),
    "create_token_of_user": Answer(users.AccessToken),
    "list_tokens": Answer(list[users.AccessToken]),
    "get_token": Answer(users.AccessToken),
    "revoke_token": NOTHING,
    "version": Answer(instance.Version),
    "get_metadata": Answer(instance.Metadata),
}
