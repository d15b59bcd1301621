"""What follows from a write happens after its commit, and cannot undo it."""

import pytest

from app.models import Counter, write
from app.services.afterwards import afterwards
from app.services.core import Core


def names(core: Core) -> set[str]:
    core.session.rollback()
    return {counter.name for counter in core.session.query(Counter)}


def add(core: Core, name: str) -> None:
    with write(core.session):
        core.session.add(Counter(name=name, value=1))


def test_work_is_done_in_a_write_of_its_own_once_the_first_is_committed(core: Core) -> None:
    seen: list[set[str]] = []

    def work() -> None:
        seen.append(names(core))
        add(core, "after")

    with write(core.session):
        core.session.add(Counter(name="before", value=1))
        afterwards(core, work)
        assert seen == []
    assert "before" in seen[0]
    assert {"before", "after"} <= names(core)


def test_work_that_fails_is_logged_and_what_comes_behind_it_still_happens(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no git here")

    with write(core.session):
        core.session.add(Counter(name="before", value=1))
        afterwards(core, fail)
        afterwards(core, lambda: add(core, "after"))
    assert {"before", "after"} <= names(core)
    assert "what follows from a write was not done" in caplog.text


def test_nothing_follows_from_a_write_that_is_rolled_back(core: Core) -> None:
    with pytest.raises(KeyError), write(core.session):
        afterwards(core, lambda: add(core, "after"))
        raise KeyError
    assert "after" not in names(core)
