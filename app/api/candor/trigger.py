"""Start a pipeline by its token (candor.md A.5)."""

from flask import Blueprint, Response, request

from app.api.candor.answers import json_body, word
from app.dialects import candor
from app.dialects.candor import terms
from app.domain.errors import NotFound
from app.http.edge import core
from app.models import PipelineDefinition
from app.services.runs import definitions, show_runs
from app.services.runs.start_definition import Order, trigger_definition


def add_routes(blueprint: Blueprint) -> None:
    blueprint.post("/trigger/<token>")(run_by_token)


def run_by_token(token: str) -> Response:
    """200 as soon as the run is queued, 204 where the constraints are not met, 400 where it cannot be run.

    A busy pipeline queues its runs, unless SKERRY_STRICT_TRIGGERS asks for the original's 400. The query's values
    override the parameters that the body brings.
    """
    definition = definitions.definition_by_token(core(), token)
    if definition is None or (core().config.strict_triggers and show_runs.is_running(core(), definition)):
        return word(400)
    body = json_body()
    given = {name: values[-1] for name, values in request.args.lists()}
    configuration = _configuration(definition)
    if configuration is not None:
        if not terms.are_met(configuration, dict(request.headers.items()), body):
            return word(204)
        given = terms.parameters(configuration, body, given)
    trigger_definition(core(), definition, Order(inputs=given))
    return word(200)


def _configuration(definition: PipelineDefinition) -> candor.Configuration | None:
    """The terms of a pipeline, None where its configuration has none, or is wrong: then running it says so."""
    try:
        path, text = definitions.configuration_of(core(), definition)
        return candor.read(candor.load(text)) if path.rpartition("/")[2].lower() in candor.NAMES else None
    except (NotFound, candor.Unreadable, candor.Invalid):
        return None
