"""A project with a checkout of it, and users of every role, over real HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.permissions import Role
from app.models import Pipeline, Project, User
from app.services.core import Core
from tests.conftest import LiveServer
from tests.factories import make_member, make_project, make_token, make_user
from tests.git_client import Checkout, new_checkout


@dataclass
class Hosted:
    """A project on a live server."""

    core: Core
    server: LiveServer
    project: Project
    owner: User
    token: str
    path: str

    def url(self, username: str = "", password: str = "") -> str:
        return self.server.clone_url(self.path, username, password)

    @property
    def owner_url(self) -> str:
        return self.url("owner", self.token)

    def url_of(self, role: Role, *scopes: str) -> str:
        """The clone address of a new user who has `role`."""
        user = make_user(self.core)
        if role:
            make_member(self.core, user, self.project, role)
        return self.url(user.username, make_token(self.core, user, *scopes)[1])

    def pipelines(self) -> list[Pipeline]:
        """All pipelines as they are now, in order."""
        self.core.session.rollback()
        return list(self.core.session.scalars(select(Pipeline).order_by(Pipeline.id)))

    def ref(self, name: str) -> str | None:
        found = self.core.repositories.open(self.project.id).current([name])
        return found[0].target if found else None


@pytest.fixture
def hosted(core: Core, server: LiveServer) -> Hosted:
    owner = make_user(core, "owner")
    project = make_project(core, "tools/hello", creator=owner)
    token = make_token(core, owner)[1]
    return Hosted(core, server, project, owner, token, project.full_path)


@pytest.fixture
def checkout(hosted: Hosted, tmp_path: Path) -> Checkout:
    """One commit with a pipeline, not pushed yet; its origin is the project as the owner sees it."""
    return new_checkout(tmp_path / "checkout", hosted.owner_url)


@pytest.fixture
def pushed(hosted: Hosted, checkout: Checkout) -> Checkout:
    """The same, pushed to main."""
    result = checkout.push("main")
    assert result.ok, result.text
    return checkout


@pytest.fixture
def checkout_of(tmp_path: Path) -> Callable[[str], Checkout]:
    """Another checkout with a history of its own, with the origin given."""
    return lambda url: new_checkout(tmp_path / f"other{len(list(tmp_path.iterdir()))}", url)
