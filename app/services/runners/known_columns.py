"""Some columns of a row, which stand in for the object of its model."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.models import Base
from app.models.base import AnySession


def known_columns(session: AnySession, model: type[Base], columns: Mapping[str, Any]) -> Any:
    """What has these `columns`, `id` among them, and the properties of `model`. Whatever else is asked of it is read
    from the row, then. It is for reading alone: what is set on it goes nowhere.

    For statements that are executed so often that to make objects of rows costs more than the database does.
    """
    return _class_of(model)(session, columns)


class _KnownColumns:
    _model: type[Base]
    id: Any

    def __init__(self, session: AnySession, columns: Mapping[str, Any]) -> None:
        self.__dict__.update(columns)
        self.__dict__["_session"] = session

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.__dict__["_session"].get_one(self._model, self.id), name)


@cache
def _class_of(model: type[Base]) -> type[_KnownColumns]:
    properties = {name: found for name, found in vars(model).items() if isinstance(found, property)}
    return type(f"Known{model.__name__}", (_KnownColumns,), {"_model": model, **properties})
