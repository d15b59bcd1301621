"""Users."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.models import User
from app.services.core import Core


def user_basic(core: Core, user: User) -> dict[str, Any]:
    """A user, as mentioned by another entity."""
    return {
        "id": user.id,
        "username": user.username,
        "public_email": "",
        "name": user.name,
        "state": "blocked" if user.blocked else "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{core.config.external_url}/{user.username}",
    }


def user_public(core: Core, user: User) -> dict[str, Any]:
    """A user as everyone sees them, and as a job shows who started it. No profiles are kept: those fields are empty."""
    return user_basic(core, user) | {
        "created_at": iso(user.created_at),
        "is_admin": user.is_admin,
        "bio": None,
        "location": None,
        "skype": "",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "github": "",
        "organization": None,
        "job_title": "",
        "pronouns": None,
        "bot": user.bot,
        "work_information": None,
        "followers": 0,
        "following": 0,
        "is_followed": False,
        "local_time": None,
    }


def user_self(core: Core, user: User) -> dict[str, Any]:
    """A user as shown to themselves."""
    return user_public(core, user) | {
        "last_sign_in_at": iso(user.last_sign_in_at),
        "confirmed_at": iso(user.created_at),
        "last_activity_on": None,
        "email": user.email,
        "commit_email": user.email,
        "theme_id": 1,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "current_sign_in_at": iso(user.last_sign_in_at),
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
    }
