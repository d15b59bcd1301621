"""Ids, addresses and times, as every object has them."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from app.domain.object_ids import Kind, encode
from app.models import (
    AccessToken,
    CiVariable,
    DefinitionVariable,
    Group,
    JobStep,
    Pipeline,
    PipelineDefinition,
    Project,
    User,
)
from app.services.core import Core

_KINDS: dict[type, Kind] = {
    Project: Kind.PROJECT,
    PipelineDefinition: Kind.DEFINITION,
    Pipeline: Kind.PIPELINE,
    User: Kind.USER,
    Group: Kind.GROUP,
    AccessToken: Kind.TOKEN,
    CiVariable: Kind.VARIABLE,
    DefinitionVariable: Kind.DEFINITION_VARIABLE,
}


def id_of(row: Any) -> str:
    """The id of a row."""
    return encode(_KINDS[type(row)], row.created_at, row.id)


def step_id(step: JobStep) -> str:
    """The id of a step, which is as old as its job."""
    return encode(Kind.STEP, step.job.created_at, step.id)


def url(core: Core, *segments: str) -> str:
    """The address of something below /api/v3."""
    return "/".join((core.config.external_url, "api/v3", *(quote(segment, safe="") for segment in segments)))


def time(moment: datetime) -> str:
    """UTC, with three digits of the second: `2016-07-04T11:51:24.851Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def times(**moments: datetime | None) -> dict[str, str]:
    """Those of the times that are known."""
    return {name: time(moment) for name, moment in moments.items() if moment is not None}
