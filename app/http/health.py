"""`/-/health`: the process answers. `/-/ready`: it can work, because the database answers and has today's tables."""

from flask import Blueprint, Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.http.edge import core

blueprint = Blueprint("health", __name__)


@blueprint.get("/-/health")
def health() -> Response:
    return jsonify(status="ok")


@blueprint.get("/-/ready")
def ready() -> tuple[Response, int]:
    parts = core()
    if parts.bus.stopping:
        return jsonify(status="stopping"), 503
    try:
        current = schema.current_revision(parts.session.connection())
    except SQLAlchemyError:
        return jsonify(status="the database does not answer"), 503
    if current != schema.newest_revision():
        return jsonify(status="the database has other tables than this version needs: run `skerry init`"), 503
    return jsonify(status="ok"), 200


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
