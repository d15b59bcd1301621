"""People, and the groups that own applications."""

import hashlib
from typing import Any

from app.api.wercker_v3.entities.common import id_of
from app.models import Group, User


def user(row: User) -> dict[str, Any]:
    return _profile(row, row.username, row.name, row.email or row.username)


def owner(row: Group) -> dict[str, Any]:
    """A group. Its `type` is empty, which told an organisation from a user."""
    found = _profile(row, row.full_path, row.name, row.full_path)
    found["meta"]["type"] = ""
    return found


def _profile(row: User | Group, username: str, name: str, face: str) -> dict[str, Any]:
    return {
        "meta": {"username": username, "werckerEmployee": False},
        "userId": id_of(row),
        "avatar": {"gravatar": hashlib.md5(face.strip().lower().encode(), usedforsecurity=False).hexdigest()},
        "name": name,
        "type": "wercker",
    }
