"""What the tests of Wercker's API share."""

from dataclasses import dataclass

from app.api.wercker_v3.entities.common import id_of
from app.services.runs.definitions import defaults
from tests.support.calls import Calls
from tests.support.place import Place


class Api(Calls):
    """Calls below /api/v3; other addresses are written in full."""

    prefix = "/api/v3"
    elsewhere = ("/api/", "/status/", "/project/")

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}


@dataclass
class Ids:
    """The ids under which the API shows a place."""

    application: str
    pipeline: str
    run: str


def ids_of(place: Place) -> Ids:
    """The ids of a place, its default pipeline and its run."""
    definition = defaults(place.core, {place.project.id})[place.project.id]
    return Ids(id_of(place.project), id_of(definition), id_of(place.pipeline))
