"""The tables, one file an aggregate. Importing this package registers them all."""

from app.models.accounts import AccessToken, User
from app.models.base import AnySession, Base, after_commit, prepare_sqlite, write
from app.models.environments import Deployment, Environment
from app.models.instance import Counter, Leader, Setting
from app.models.jobs import Artifact, Job, JobStep, TagSet
from app.models.pipelines import Pipeline, PipelineDefinition, Push
from app.models.projects import CiVariable, Group, Membership, Project, ProtectedRef
from app.models.releases import PagesSite, Release, ReleaseLink, ReleaseOrder
from app.models.runners import Runner, RunnerManager

__all__ = [
    "AccessToken",
    "AnySession",
    "Artifact",
    "Base",
    "CiVariable",
    "Counter",
    "Deployment",
    "Environment",
    "Group",
    "Job",
    "JobStep",
    "Leader",
    "Membership",
    "PagesSite",
    "Pipeline",
    "PipelineDefinition",
    "Project",
    "ProtectedRef",
    "Push",
    "Release",
    "ReleaseLink",
    "ReleaseOrder",
    "Runner",
    "RunnerManager",
    "Setting",
    "TagSet",
    "User",
    "after_commit",
    "prepare_sqlite",
    "write",
]
