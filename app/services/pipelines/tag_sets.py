"""The distinct sets of job tags, each a row."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.models import TagSet
from app.services.core import Core


def tag_set_ids(core: Core, sets: Iterable[Iterable[str]]) -> dict[frozenset[str], int]:
    """*In a write*: the id of each set of tags, its row made where it is missing. Two writes at once agree on one
    row.
    """
    wanted = {"\n".join(sorted(tags)): tags for tags in {frozenset(tags) for tags in sets}}
    if not wanted:
        return {}
    known = _known(core, wanted)
    # Sorted, so that two writes that lack the same rows cannot wait for each other.
    missing = [{"tags_key": key, "tags": sorted(wanted[key])} for key in sorted(wanted) if key not in known]
    if missing:
        on_sqlite = core.session.get_bind().dialect.name == "sqlite"
        insert: Any = sqlite.insert(TagSet) if on_sqlite else postgresql.insert(TagSet)
        core.session.execute(insert.on_conflict_do_nothing(index_elements=["tags_key"]), missing)
        known = _known(core, wanted)
    return {tags: known[key] for key, tags in wanted.items()}


def _known(core: Core, keys: Iterable[str]) -> dict[str, int]:
    rows = core.session.execute(select(TagSet.tags_key, TagSet.id).where(TagSet.tags_key.in_(list(keys))))
    return {row.tags_key: row.id for row in rows}
