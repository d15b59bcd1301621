"""What this API is, for programs: GET /api/v4/openapi.json. For people the page /-/api shows the same."""

import hashlib
import json
from functools import cache

from flask import Flask, Response, request

from app.api.gitlab_v4.callers import Kind
from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.openapi.document import build, endpoints_of
from app.http.edge import api_document

routes = Routes()
#: Others may keep the document for so long, in seconds.
_KEPT = 3600


def init_app(app: Flask) -> None:
    """Let `edge.api_document` have the document of what `app` serves, made when it is first asked for."""
    app.extensions["openapi"] = cache(lambda: build(endpoints_of(app)))


@routes.get("/openapi.json", callers=frozenset(Kind))
def get_openapi(call: Call) -> Response:
    """Get this document: all of this in OpenAPI 3.1"""
    text = json.dumps(api_document(), separators=(",", ":"))
    response = Response(text, mimetype="application/json")
    response.set_etag(hashlib.sha256(text.encode()).hexdigest())
    response.headers["Cache-Control"] = f"public, max-age={_KEPT}"
    response.make_conditional(request.environ)
    return response
