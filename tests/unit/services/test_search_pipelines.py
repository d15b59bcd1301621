"""Figures about pipelines."""

from datetime import UTC, datetime, timedelta

from app.services.pipelines.search_pipelines import busy_seconds


def test_overlaps_count_once_and_gaps_not_at_all() -> None:
    def at(seconds: int) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    assert busy_seconds([]) == 0
    assert busy_seconds([(at(5), at(9)), (at(0), at(6)), (at(1), at(2)), (at(20), at(21))]) == 10
    assert busy_seconds([(at(5), at(3))]) == 0
