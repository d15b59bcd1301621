"""The tables, one file an aggregate. Importing this package registers them all."""

from app.models.accounts import AccessToken, SignIn, SignInGuess, User
from app.models.audit import AuditEvent
from app.models.base import AnySession, Base, after_commit, prepare_sqlite, write
from app.models.commit_statuses import CommitStatus
from app.models.environments import Deployment, Environment
from app.models.grants import Bot, JobTokenGrant
from app.models.instance import Counter, Leader, Setting
from app.models.jobs import Artifact, Job, JobStep, Resource, TagSet
from app.models.merge_requests import MergeRequest, MergeRequestPipeline
from app.models.mirrors import MirrorFetch
from app.models.pipelines import DefinitionVariable, Pipeline, PipelineAssignee, PipelineDefinition, Push
from app.models.projects import CiVariable, Group, Membership, Project, ProtectedRef
from app.models.releases import PagesSite, Release, ReleaseLink, ReleaseOrder
from app.models.reports import DotenvReport, FlakyTest, JunitCase, JunitReport
from app.models.resources import ResourceGroup
from app.models.runners import RegistrationToken, Runner, RunnerManager, RunnerProject
from app.models.schedules import PipelineSchedule, ScheduleRun
from app.models.triggers import PipelineLink, PipelineTrigger
from app.models.usage import ProjectUsage

__all__ = [
    "AccessToken",
    "AnySession",
    "Artifact",
    "AuditEvent",
    "Base",
    "Bot",
    "CiVariable",
    "CommitStatus",
    "Counter",
    "DefinitionVariable",
    "Deployment",
    "DotenvReport",
    "Environment",
    "FlakyTest",
    "Group",
    "Job",
    "JobStep",
    "JobTokenGrant",
    "JunitCase",
    "JunitReport",
    "Leader",
    "Membership",
    "MergeRequest",
    "MergeRequestPipeline",
    "MirrorFetch",
    "PagesSite",
    "Pipeline",
    "PipelineAssignee",
    "PipelineDefinition",
    "PipelineLink",
    "PipelineSchedule",
    "PipelineTrigger",
    "Project",
    "ProjectUsage",
    "ProtectedRef",
    "Push",
    "RegistrationToken",
    "Release",
    "ReleaseLink",
    "ReleaseOrder",
    "Resource",
    "ResourceGroup",
    "Runner",
    "RunnerManager",
    "RunnerProject",
    "ScheduleRun",
    "Setting",
    "SignIn",
    "SignInGuess",
    "TagSet",
    "User",
    "after_commit",
    "prepare_sqlite",
    "write",
]
