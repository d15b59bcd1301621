"""What must be unique among the things that people name, and what is said where two name the same at one moment.

A service looks before it writes. On PostgreSQL another write may come in between; then the table's own rule refuses
the second one, and `base.write` raises what the look would have raised.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Index, MetaData, PrimaryKeyConstraint
from sqlalchemy.exc import IntegrityError

from app.domain.errors import AlreadyExists


class Rule(NamedTuple):
    """What `AlreadyExists` is raised with. `field`: what has to differ."""

    field: str | None
    message: str = "has already been taken"


#: By the name of the index. Rules about what nobody names (hashes, numbers) are not here: to break one is a fault.
RULES: Mapping[str, Rule] = {
    "uq_users_username": Rule("username"),
    "uq_groups_full_path": Rule("path"),
    "uq_projects_full_path": Rule("path"),
    "uq_memberships_user_group": Rule(None, "Member already exists"),
    "uq_memberships_user_project": Rule(None, "Member already exists"),
    "uq_protected_refs_pattern": Rule("name", "is protected already"),
    "uq_ci_variables_scope": Rule("key"),
    "uq_pipeline_definitions_name": Rule("name"),
    "uq_definition_variables_key": Rule("key"),
    "uq_environments_name": Rule("name"),
    "uq_job_token_grants_project": Rule("target"),
    "uq_job_token_grants_group": Rule("target"),
    "uq_releases_tag_name": Rule(None, "Release already exists"),
    "uq_release_links_name": Rule("name"),
    "pk_runner_projects": Rule("runner_id"),
}
_SQLITE = "UNIQUE constraint failed: "


def already_exists(error: IntegrityError, tables: MetaData) -> AlreadyExists | None:
    """What `error` means to whoever asked for a name; None where it is about something else."""
    name = _broken_rule(error, tables)
    rule = RULES.get(name) if name else None
    return AlreadyExists(rule.message, rule.field) if rule else None


def _broken_rule(error: IntegrityError, tables: MetaData) -> str | None:
    """The name of the index. SQLite tells it only of those over expressions, of the others it tells the columns."""
    details = getattr(error.orig, "diag", None)
    if details is not None:
        return str(details.constraint_name) if details.constraint_name else None
    text = str(error.orig)
    if not text.startswith(_SQLITE):
        return None
    told = text.removeprefix(_SQLITE)
    return told.removeprefix("index ").strip("'") if told.startswith("index ") else _index_over(told, tables)


def _index_over(columns: str, tables: MetaData) -> str | None:
    wanted = sorted(columns.split(", "))
    table = tables.tables[wanted[0].partition(".")[0]]
    rules: list[Index | PrimaryKeyConstraint] = [*(index for index in table.indexes if index.unique), table.primary_key]
    found = (rule for rule in rules if sorted(f"{table.name}.{column.name}" for column in rule.columns) == wanted)
    return next((str(rule.name) for rule in found), None)
