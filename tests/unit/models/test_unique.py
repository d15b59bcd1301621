"""Two who ask for one name at one moment: the second is told that it is taken, as a look before would have said."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Table, create_engine, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import AlreadyExists
from app.models import Base, Project, write
from app.models.unique import RULES
from app.services.accounts import change_user
from app.services.core import Core
from app.services.environments import save_environment
from tests.databases import BOTH
from tests.factories import make_project, make_user

_WORDS: dict[type, Any] = {str: "x", int: 1, bool: False, object: datetime(2026, 1, 1, tzinfo=UTC)}


def _rules() -> dict[str, tuple[Table, list[str]]]:
    """Every unique rule of the tables: where it holds, and of which columns."""
    found = {}
    for table in Base.metadata.tables.values():
        for rule in (*(index for index in table.indexes if index.unique), table.primary_key):
            columns = [column.name for column in rule.columns]
            found[str(rule.name)] = (table, columns)
    return found


def _filled(column: Column[Any]) -> Any:
    return {} if isinstance(column.type, JSON) else _WORDS[column.type.python_type]


def test_each_rule_about_a_name_is_said_in_its_own_words() -> None:
    engine = create_engine("sqlite://")  # where no row needs another one to refer to
    Base.metadata.create_all(engine)
    rules = _rules()
    with Session(engine) as session:
        for name, expected in RULES.items():
            table, named = rules[name]
            needed = [
                column
                for column in table.columns
                if column.name in named or not (column.nullable or column.default or column.name == "id")
            ]
            if name == "uq_ci_variables_scope":
                needed = [column for column in needed if column.name != "group_id"]
            row = {column.name: _filled(column) for column in needed}
            with write(session):
                session.execute(insert(table).values(row))
            with pytest.raises(AlreadyExists) as refused, write(session):
                session.execute(insert(table).values(row))
            assert (refused.value.field, str(refused.value)) == expected, name
            with write(session):
                session.execute(table.delete())
        with write(session):
            session.execute(insert(rules["pk_settings"][0]).values(name="a", value="b"))
        with pytest.raises(IntegrityError), write(session):
            session.execute(insert(rules["pk_settings"][0]).values(name="a", value="b"))
    engine.dispose()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_who_looked_too_early_is_told_what_a_look_would_have_said(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the other write comes in between: the look finds nothing, the table refuses."""
    admin, ada, bob = make_user(core, "admin", is_admin=True), make_user(core, "ada"), make_user(core, "bob")
    project_id, ada_id, bob_id = make_project(core).id, ada.id, bob.id
    monkeypatch.setattr(change_user, "_require_free", lambda *_: None)
    monkeypatch.setattr(save_environment, "by_name", lambda *_: None)
    with pytest.raises(AlreadyExists) as renamed:
        change_user.change_user(core, admin, bob_id, {"username": "ADA"})
    assert (renamed.value.field, str(renamed.value)) == ("username", "has already been taken")
    make = save_environment.create_environment
    make(core, core.session.get_one(Project, project_id), "live", {})
    with pytest.raises(AlreadyExists) as made:
        make(core, core.session.get_one(Project, project_id), "live", {})
    assert made.value.field == "name"
    change_user.change_user(core, admin, ada_id, {"username": "free"})
