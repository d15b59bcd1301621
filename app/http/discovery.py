"""How others check id tokens: whose they are, and with which key they are signed (OpenID Connect Discovery 1.0)."""

from flask import Blueprint, Flask, Response, jsonify

from app.http.edge import core
from app.services.identity.id_tokens import CLAIMS, issuer
from app.services.identity.signing_key import ALGORITHM, load_key, public_key

blueprint = Blueprint("discovery", __name__)
KEYS = "/oauth/discovery/keys"
#: Others may keep the answers for so long, in seconds.
_KEPT = 3600


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get(KEYS)
def keys() -> Response:
    """The keys that id tokens are signed with (RFC 7517)."""
    return _open(jsonify(keys=[public_key(load_key(core()))]))


@blueprint.get("/.well-known/openid-configuration")
def configuration() -> Response:
    """Where the keys are, and what the tokens say."""
    address = issuer(core())
    return _open(
        jsonify(
            issuer=address,
            jwks_uri=f"{address}{KEYS}",
            response_types_supported=["id_token"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=[ALGORITHM],
            scopes_supported=["openid"],
            claims_supported=list(CLAIMS),
        )
    )


def _open(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={_KEPT}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
