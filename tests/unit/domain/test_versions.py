"""Which tag a version of a component means."""

import pytest

from app.domain.versions import choose

TAGS = ("1.0.0", "v1.2.0", "1.10.0", "2.0.0-rc1", "0.9.1", "main", "10", "3.0")


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        ("~latest", "1.10.0"),
        ("1", "1.10.0"),
        ("1.2", "v1.2.0"),
        ("0", "0.9.1"),
        ("2", None),
        ("2.0.0-rc1", "2.0.0-rc1"),
        ("1.0.0", "1.0.0"),
        ("1.0.1", None),
        ("main", None),
        ("3.0", None),
        ("", None),
    ],
)
def test_a_version_means_the_highest_release_that_begins_with_it(wanted: str, tag: str | None) -> None:
    assert choose(wanted, TAGS) == tag


def test_where_nothing_is_released_nothing_is_latest() -> None:
    assert choose("~latest", ("main", "2.0.0-rc1")) is None
