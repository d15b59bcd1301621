"""Where a mirrored project comes from: shown without its credentials, and changed."""

from dataclasses import dataclass

from app.domain.audit import Act
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.models import Project, User, write
from app.services import access
from app.services.audit.record import record
from app.services.core import Core
from app.services.locks import lock_project
from app.services.projects.create_project import mirror_context
from app.services.repositories.mirror_url import parse_mirror_url


@dataclass(frozen=True, slots=True)
class MirrorOrigin:
    """`address` holds no credentials; `credentials` says whether some are kept."""

    address: str
    credentials: bool


def mirror_origin(core: Core, project: Project) -> MirrorOrigin | None:
    """Where `project` is fetched from, None for one that is no mirror."""
    if project.mirror_url_sealed is None:
        return None
    found = parse_mirror_url(core.box.open(project.mirror_url_sealed, mirror_context(project)))
    return MirrorOrigin(found.address, bool(found.password or found.username))


def change_mirror(core: Core, project: Project, user: User | None, url: str) -> Project:
    """Fetch `project` from `url` from now on, credentials and all. Raises NotAllowed, NotFound, InvalidRequest."""
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if project.repository != "mirrored":
        raise InvalidRequest("this project is no mirror", "mirror_url")
    address = parse_mirror_url(url).address
    project_id = project.id
    with write(core.session):
        held = lock_project(core, project_id)
        held.mirror_url_sealed = core.box.seal(url.strip(), mirror_context(held))
        held.mirror_error = None
        record(core, Act.PROJECT_CHANGED, held.full_path, place=held, details={"mirror": address})
    return held
