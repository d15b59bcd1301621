"""Groups and members."""

from typing import TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Date, Level, Time
from app.api.gitlab_v4.openapi.shapes.users import UserBasic


class Group(TypedDict):
    """A group of projects and of other groups."""

    id: int
    web_url: str
    name: str
    path: str
    description: str
    visibility: Level
    avatar_url: None
    full_name: str
    full_path: str
    created_at: Time
    parent_id: int | None
    archived: bool


class Member(UserBasic):
    """A user with their role."""

    access_level: int
    created_at: Time
    expires_at: Date | None
    membership_state: str
