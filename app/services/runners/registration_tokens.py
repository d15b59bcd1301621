"""The tokens with which runners register: of the instance, of a group, of a project (gitlab.md A.1, B.8)."""

from sqlalchemy import select

from app import crypto
from app.domain.audit import Act
from app.domain.errors import NotAllowed
from app.models import Group, Project, RegistrationToken, Setting, write
from app.services.audit.record import record
from app.services.core import Core

SETTING = "registration_token_hash"
PREFIX = "GR1348941"


def place_of(core: Core, token: str) -> Project | Group | None:
    """What a runner that registers with `token` belongs to, None for the instance. Raises NotAllowed."""
    hashed = crypto.token_hash(token)
    known = core.session.scalar(select(Setting.value).where(Setting.name == SETTING))
    if known is not None and crypto.same(known, hashed):
        return None
    row = core.session.scalar(select(RegistrationToken).where(RegistrationToken.token_hash == hashed))
    if row is None:
        raise NotAllowed("invalid token supplied")
    if row.project_id is not None:
        return core.session.get_one(Project, row.project_id)
    return core.session.get_one(Group, row.group_id)


def reset_registration_token(core: Core, place: Project | Group | None) -> str:
    """A new token for `place` (None: the instance), shown this once. The one before registers nothing any more."""
    token = crypto.new_token(PREFIX)
    hashed, place_id = crypto.token_hash(token), place.id if place else None
    owner = {"project_id": place_id} if isinstance(place, Project) else {"group_id": place_id}
    with write(core.session):
        if place_id is None:
            core.session.merge(Setting(name=SETTING, value=hashed))
            record(core, Act.REGISTRATION_RESET, "the installation")
            return token
        core.session.get_one(type(place), place_id, with_for_update=True)  # two at once would both make the first one
        row = core.session.scalar(select(RegistrationToken).filter_by(**owner))
        if row is None:
            row = RegistrationToken(**owner, created_at=core.now())
            core.session.add(row)
        row.token_hash = hashed
        record(core, Act.REGISTRATION_RESET, place.full_path if place else "", place=place)
    return token
