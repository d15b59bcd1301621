"""Variables as they are kept: sealed, in the settings of projects, groups and the instance, and on rows of runs."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from app.domain import plan_json
from app.domain.environments import scope_matches, scope_rank
from app.domain.plan import Variable
from app.models import CiVariable, Project
from app.services.core import Core
from app.services.pipelines import predefined
from app.services.runners.known_columns import known_columns

_variables = CiVariable.__table__.c
_TOLD = (
    "id",
    "project_id",
    "group_id",
    "key",
    "value_sealed",
    "environment_scope",
    "protected",
    "masked",
    "raw",
    "file",
)
_IN_REACH = (
    select(*(_variables[name] for name in _TOLD))
    .where(
        or_(
            CiVariable.project_id == bindparam("project_id"),
            CiVariable.group_id.in_(bindparam("groups", expanding=True)),
            CiVariable.project_id.is_(None) & CiVariable.group_id.is_(None),
        ),
    )
    .order_by(CiVariable.id)
)


def settings_variables(core: Core, project: Project, protected: bool, environment: str | None = None) -> list[Variable]:
    """The variables of the instance, of the groups from the top down, and of the project, opened.

    Protected ones only where the ref is `protected`; those for some environments alone only where they mean
    `environment`, and then the more exact ones win.
    """
    groups = [group.id for group in predefined.ancestors(core, project.group)]
    rows = core.session.connection().execute(_IN_REACH, {"project_id": project.id, "groups": groups}).all()
    places = {None: 0} | {group: place for place, group in enumerate(groups, 1)}
    visible = [
        row for row in rows if (protected or not row.protected) and scope_matches(row.environment_scope, environment)
    ]
    visible.sort(key=lambda row: scope_rank(row.environment_scope))
    visible.sort(key=lambda row: len(places) if row.project_id else places[row.group_id])
    return [_opened(core, row) for row in visible]


def _opened(core: Core, row: Row[Any]) -> Variable:
    known = known_columns(core.session, CiVariable, row._asdict())
    value = core.box.open(row.value_sealed, known.seal_context)
    return Variable(row.key, value, public=False, masked=row.masked, file=row.file, raw=row.raw)


def seal_variables(core: Core, variables: Iterable[Variable], context: str) -> str | None:
    """Variables as they are kept on a row: sealed JSON, None for none."""
    found = [plan_json.to_json(variable) for variable in variables]
    return core.box.seal(json.dumps(found), context) if found else None


def open_variables(core: Core, sealed: str | None, context: str) -> list[Variable]:
    """What `seal_variables` was given. None of them is public."""
    if sealed is None:
        return []
    return [plan_json.from_json(Variable, found) for found in json.loads(core.box.open(sealed, context))]
