"""How this API declares an endpoint, and what its function is handed.

    routes = Routes()

    @routes.get("/runs/<run_id>", everyone=True)
    def get_run(call: Call) -> dict[str, Any]:
        '''Get a run'''

A declaration is the whole truth about an endpoint: who may call it and what it takes. Each address works with and
without a slash at its end. A placeholder that ends in `_id` is an id of 24 hex digits.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from app.api.wercker_v3 import callers
from app.api.wercker_v3 import params as parameters
from app.api.wercker_v3.errors import unauthorized
from app.api.wercker_v3.params import Kind, Param
from app.http.edge import core
from app.models import AccessToken, User
from app.services.core import Core

_PLACEHOLDER = re.compile(r"<(?:path:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who calls (None: nobody in particular), with which token, the parameters (those in the path too)."""

    core: Core
    user: User | None
    token: AccessToken | None
    params: Mapping[str, Any]

    @property
    def signed_in(self) -> User:
        """The user, on endpoints that are not open to everyone."""
        if self.user is None:
            raise RuntimeError("an endpoint that needs a user must not be open to everyone")
        return self.user


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One declaration. `everyone`: anonymous callers too, who see what is public. `basic`: HTTP's Basic authentication
    is taken as well.
    """

    method: str
    path: str
    view: Callable[[Call], Any]
    params: tuple[Param, ...] = ()
    everyone: bool = False
    basic: bool = False

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def path_params(self) -> tuple[Param, ...]:
        names = _PLACEHOLDER.findall(self.path)
        return tuple(Param(name, Kind.ID if name.endswith("_id") else Kind.TEXT, required=True) for name in names)

    def admit(self) -> None:
        """Find out who calls, before anything that they sent is looked at. Raises ApiError."""
        scopes = callers.READ_SCOPES if self.method == "GET" else callers.WRITE_SCOPES
        g.caller = callers.identify(core(), scopes, self.basic)
        if g.caller is None and not self.everyone:
            raise unauthorized()

    def __call__(self, **in_path: str) -> Response:
        """Answer the current request."""
        values = parameters.read(self.path_params, in_path)
        values |= parameters.read(self.params, parameters.collect(request))
        user, token = g.caller or (None, None)
        answer = self.view(Call(core(), user, token, values))
        if isinstance(answer, Response):
            return answer
        return Response(status=204) if answer is None else jsonify(answer)


@dataclass(slots=True)
class Routes:
    """The endpoints of one module, in the order written."""

    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> Callable[..., Any]:
        return self._declare("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[..., Any]:
        return self._declare("POST", path, options)

    def put(self, path: str, **options: Any) -> Callable[..., Any]:
        return self._declare("PUT", path, options)

    def patch(self, path: str, **options: Any) -> Callable[..., Any]:
        return self._declare("PATCH", path, options)

    def delete(self, path: str, **options: Any) -> Callable[..., Any]:
        return self._declare("DELETE", path, options)

    def _declare(self, method: str, path: str, options: dict[str, Any]) -> Callable[..., Any]:
        def declare(view: Callable[[Call], Any]) -> Callable[[Call], Any]:
            self.endpoints.append(Endpoint(method, path, view, **options))
            return view

        return declare


def register(blueprint: Blueprint, endpoint: Endpoint) -> None:
    """Give `endpoint` its address in `blueprint`. A redirect to the other spelling would turn POST into GET."""
    blueprint.add_url_rule(
        f"{endpoint.path}/", endpoint.name, endpoint, methods=[endpoint.method], strict_slashes=False
    )
