"""The tables, one file an aggregate. Importing this package registers them all."""

from app.models.accounts import AccessToken, User
from app.models.base import AnySession, Base, after_commit, prepare_sqlite, write
from app.models.commit_statuses import CommitStatus
from app.models.instance import Counter, Leader, Setting
from app.models.jobs import Artifact, Job, JobStep, TagSet
from app.models.pipelines import DefinitionVariable, Pipeline, PipelineAssignee, PipelineDefinition, Push
from app.models.projects import CiVariable, Group, Membership, Project, ProtectedRef
from app.models.runners import Runner, RunnerManager

__all__ = [
    "AccessToken",
    "AnySession",
    "Artifact",
    "Base",
    "CiVariable",
    "CommitStatus",
    "Counter",
    "DefinitionVariable",
    "Group",
    "Job",
    "JobStep",
    "Leader",
    "Membership",
    "Pipeline",
    "PipelineAssignee",
    "PipelineDefinition",
    "Project",
    "ProtectedRef",
    "Push",
    "Runner",
    "RunnerManager",
    "Setting",
    "TagSet",
    "User",
    "after_commit",
    "prepare_sqlite",
    "write",
]
