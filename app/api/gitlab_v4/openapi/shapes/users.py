"""Users, and personal access tokens."""

from typing import Any, Literal, NotRequired, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Date, Time


class UserBasic(TypedDict):
    """A user, as mentioned by another entity."""

    id: int
    username: str
    public_email: str
    name: str
    state: Literal["active", "blocked"]
    locked: bool
    avatar_url: None
    web_url: str


class User(UserBasic):
    """A user as everyone sees them."""

    created_at: Time
    is_admin: bool
    bio: None
    location: None
    skype: str
    linkedin: str
    twitter: str
    discord: str
    website_url: str
    github: str
    organization: None
    job_title: str
    pronouns: None
    bot: bool
    work_information: None
    followers: int
    following: int
    is_followed: bool
    local_time: None


class UserSelf(User):
    """A user as shown to themselves."""

    last_sign_in_at: Time | None
    confirmed_at: Time
    last_activity_on: None
    email: str | None
    commit_email: str | None
    theme_id: int
    color_scheme_id: int
    projects_limit: int
    current_sign_in_at: Time | None
    identities: list[Any]
    can_create_group: bool
    can_create_project: bool
    two_factor_enabled: bool
    external: bool
    private_profile: bool


class AccessToken(TypedDict):
    """A personal access token; its text is shown once, to whoever made it."""

    id: int
    name: str
    revoked: bool
    created_at: Time
    description: str | None
    scopes: list[str]
    user_id: int
    last_used_at: Time | None
    active: bool
    expires_at: Date | None
    token: NotRequired[str]


class PlaceToken(AccessToken):
    """An access token of a project or group, which belongs to a bot with that role there."""

    access_level: int
    resource_type: Literal["project", "group"]
    resource_id: int
