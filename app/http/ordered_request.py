"""A request that remembers in which order its fields were sent.

`variables[][key]=A&variables[][value]=1&variables[][key]=B…` makes sense only in that order, and a MultiDict puts
fields of one name together.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict


class OrderedFields(ImmutableMultiDict[str, Any]):
    """The fields of a query or a form; `in_order` are all of them as (name, value)."""

    def __init__(self, mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        given = mapping if mapping is None or isinstance(mapping, Mapping | MultiDict) else list(mapping)
        super().__init__(given)
        self.in_order: tuple[tuple[str, Any], ...] = (
            tuple(given) if isinstance(given, list) else tuple(self.items(multi=True))
        )


class OrderedRequest(Request):
    """`args` and `form` are OrderedFields."""

    parameter_storage_class = OrderedFields


def in_order(fields: MultiDict[str, Any]) -> Iterable[tuple[str, Any]]:
    """The fields as they were sent, where `fields` knows."""
    return fields.in_order if isinstance(fields, OrderedFields) else fields.items(multi=True)
