"""How a status that another system reports may go on: GitLab's table of moves, written out."""

import pytest

from app.domain import external_status
from app.domain.errors import InvalidRequest

ALLOWED = {
    "created": {"pending", "running", "success", "failed", "canceled", "skipped"},
    "pending": {"running", "success", "failed", "canceled", "skipped"},
    "running": {"success", "failed", "canceled"},
    "success": set(),
    "failed": set(),
    "canceled": set(),
    "skipped": set(),
}


@pytest.mark.parametrize("old", ALLOWED)
@pytest.mark.parametrize("new", external_status.STATES)
def test_the_moves(old: str, new: str) -> None:
    if new in ALLOWED[old]:
        external_status.check_move(old, new)
        return
    with pytest.raises(InvalidRequest, match=f"^Cannot transition status via :[a-z]+ from :{old} "):
        external_status.check_move(old, new)


def test_what_is_open_can_end_in_every_way() -> None:
    assert {"success", "failed", "canceled"} <= set.intersection(*(ALLOWED[state] for state in external_status.OPEN))
