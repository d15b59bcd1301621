"""Pages that a project, a group and the installation have alike: one view, at three addresses, in three frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import g, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator, open_project, owned_group, signed_in
from app.domain.permissions import Action
from app.models import Group, Project, User

_FRAMES = {"project": "settings/frame.html", "group": "groups/frame.html", "admin": "admin/frame.html"}


@dataclass(frozen=True, slots=True)
class Home:
    """Where such a page is. `place`: what it is about, None for the installation. `address`: the first of its pages,
    below which the others lie. `user` is who looks, and may do what the page is for.
    """

    kind: str
    place: Project | Group | None
    user: User
    address: str

    def shown(self) -> dict[str, Any]:
        """What the templates need: itself as `home`, the `frame` to stand in, and the `project` or `group` for that."""
        return {"home": self, "frame": _FRAMES[self.kind]} | ({self.kind: self.place} if self.place else {})


class Homes:
    """The three addresses of such pages, and who gets there: whoever may do `action` in the project, the group's
    owners, administrators.

    A view takes the Home and what else its address names. Its endpoint is its name behind `project_`, `group_` or
    `admin_`; the first page of all is called `first`.
    """

    def __init__(self, first: str, action: Action, *, project: str, group: str, admin: str) -> None:
        self._first, self._action = first, action
        self._bases: Mapping[str, str] = {"project": project, "group": group, "admin": admin}

    def get(self, rest: str = "") -> Callable[..., Any]:
        return self._route("GET", rest)

    def post(self, rest: str = "") -> Callable[..., Any]:
        return self._route("POST", rest)

    def _route(self, method: str, rest: str) -> Callable[..., Any]:
        def register(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
            for kind, base in self._bases.items():
                pages.add_url_rule(base + rest, f"{kind}_{view.__name__}", self._entered(kind, view), methods=[method])
            return view

        return register

    def _entered(self, kind: str, view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def enter(path: str = "", **given: Any) -> ResponseReturnValue:
            return view(self._home(kind, path), **given)

        return enter

    def _home(self, kind: str, path: str) -> Home:
        """Raises SignInRequired, NotFound, NotAllowed."""
        endpoint = f"pages.{kind}_{self._first}"
        if kind == "admin":
            return Home(kind, None, administrator(), url_for(endpoint))
        user, place = signed_in(), self._place(kind, path)
        return Home(kind, place, user, url_for(endpoint, path=place.full_path))

    def _place(self, kind: str, path: str) -> Project | Group:
        g.section = "settings"
        if kind == "project":
            return open_project(path, self._action)
        return owned_group(path)
