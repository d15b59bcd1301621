"""Sets of tags are one row each, also when two pipelines need the same new one at once."""

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models import TagSet, write
from app.services.core import Core
from app.services.pipelines.tag_sets import tag_set_ids
from tests.databases import BOTH


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_writes_at_once_agree_on_one_row_for_each_set(app: Flask, core: Core) -> None:
    wanted = [{"b", "a"}, set(), {f"tag{number}" for number in range(5)}]
    found, ready = [], threading.Barrier(4)

    def make(order: int) -> None:
        with app.app_context():
            ready.wait()
            with write(core.session):
                found.append(tag_set_ids(core, wanted[::order]))
            core.session.remove()

    threads = [threading.Thread(target=make, args=((-1) ** number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert all(one == found[0] for one in found)
    assert core.session.scalar(select(func.count()).select_from(TagSet)) == 3
    assert core.session.get_one(TagSet, found[0][frozenset({"a", "b"})]).tags == ["a", "b"]
