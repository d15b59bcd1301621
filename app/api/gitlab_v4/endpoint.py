"""How this API declares an endpoint, and what its function is handed.

    routes = Routes()

    @routes.get("/projects/<id>/jobs", params=(SCOPE, *PAGED), callers=READERS)
    def list_project_jobs(call: Call) -> Response:
        '''List a project's jobs'''

A declaration is the whole truth about an endpoint: who may call it, what it takes, what it answers. Registering it
attaches the authentication; a view without a declaration is refused. Parameters in the path are declared by the path:
`<id>` is a text, and a name that ends in `_id` an integer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, g, jsonify

from app.api.gitlab_v4 import params as parameters
from app.api.gitlab_v4.callers import Caller, Kind
from app.api.gitlab_v4.params import Param
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.projects import job_token_scope

USERS = frozenset({Kind.USER})
JOBS = frozenset({Kind.JOB})
READERS = frozenset({Kind.ANONYMOUS, Kind.USER})
READERS_AND_JOBS = frozenset({Kind.ANONYMOUS, Kind.USER, Kind.JOB})
USERS_AND_JOBS = frozenset({Kind.USER, Kind.JOB})

_PLACEHOLDER = re.compile(r"<(?:path:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an endpoint: who calls, and with which parameters (those in the path too)."""

    core: Core
    caller: Caller
    params: Mapping[str, Any]

    @property
    def user(self) -> User | None:
        """The user whose rights count, None for anonymous callers: also for a job whose token does not count in the
        project of `:id`, to which only what is open to everyone is open. Raises NotFound as `project` does.
        """
        user, job = self.caller.user, self.caller.job
        if job is None or "id" not in self.params:
            return user
        project = access.find_project(self.core, self.params["id"], user)
        return user if job_token_scope.admits(self.core, job, project) else None

    @property
    def signed_in(self) -> User:
        """The user, on endpoints that are not open to anonymous callers."""
        if self.caller.user is None:
            raise RuntimeError("an endpoint that needs a user must not declare anonymous callers")
        return self.caller.user

    def project(self, action: Action) -> Project:
        """The project of `:id`. Raises NotFound where the caller may not see it, NotAllowed without `action`."""
        return self.project_and_user(action)[0]

    def project_and_user(self, action: Action) -> tuple[Project, User | None]:
        """As `project`, and `user`."""
        user = self.user
        return access.find_project(self.core, self.params["id"], user, action), user


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One declaration. A personal token needs one of `scopes`. `status` is that of answers which are no Response."""

    method: str
    paths: tuple[str, ...]
    view: Callable[[Call], Any]
    params: tuple[Param, ...]
    callers: frozenset[Kind]
    scopes: tuple[str, ...]
    status: int

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def path_params(self) -> tuple[Param, ...]:
        names = dict.fromkeys(name for path in self.paths for name in _PLACEHOLDER.findall(path))
        kinds = {name: parameters.Kind.INTEGER if name.endswith("_id") else parameters.Kind.TEXT for name in names}
        return tuple(Param(name, kind, required=True) for name, kind in kinds.items())

    def __call__(self, **in_path: str) -> Response:
        """Answer the current request."""
        values = parameters.read(self.params, g.given | in_path)
        values |= parameters.read([param for param in self.path_params if param.name in in_path], in_path)
        answer = self.view(Call(core(), g.caller, values))
        if isinstance(answer, Response):
            return answer
        response = Response(status=204) if answer is None else jsonify(answer)
        response.status_code = 204 if answer is None else self.status
        return response


@dataclass(slots=True)
class Routes:
    """The endpoints of one module, in the order written."""

    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, *paths: str, callers: frozenset[Kind] = USERS, **options: Any) -> Callable[..., Any]:
        return self._declare("GET", paths, callers, {"scopes": ("api", "read_api"), "status": 200} | options)

    def post(self, *paths: str, callers: frozenset[Kind] = USERS, **options: Any) -> Callable[..., Any]:
        return self._declare("POST", paths, callers, {"scopes": ("api",), "status": 201} | options)

    def put(self, *paths: str, callers: frozenset[Kind] = USERS, **options: Any) -> Callable[..., Any]:
        return self._declare("PUT", paths, callers, {"scopes": ("api",), "status": 200} | options)

    def patch(self, *paths: str, callers: frozenset[Kind] = USERS, **options: Any) -> Callable[..., Any]:
        return self._declare("PATCH", paths, callers, {"scopes": ("api",), "status": 200} | options)

    def delete(self, *paths: str, callers: frozenset[Kind] = USERS, **options: Any) -> Callable[..., Any]:
        return self._declare("DELETE", paths, callers, {"scopes": ("api",), "status": 204} | options)

    def _declare(
        self, method: str, paths: tuple[str, ...], callers: frozenset[Kind], options: dict[str, Any]
    ) -> Callable[..., Any]:
        params = tuple(options.pop("params", ()))

        def declare(view: Callable[[Call], Any]) -> Callable[[Call], Any]:
            self.endpoints.append(Endpoint(method, paths, view, params, callers, **options))
            return view

        return declare


def register(blueprint: Blueprint, endpoint: Endpoint) -> None:
    """Give `endpoint` its addresses in `blueprint`."""
    for path in endpoint.paths:
        blueprint.add_url_rule(path, endpoint.name, endpoint, methods=[endpoint.method])
