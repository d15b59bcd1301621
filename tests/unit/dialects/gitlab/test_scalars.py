"""Values as the text of a variable."""

import math

import pytest

from app.dialects.gitlab.scalars import as_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("x", "x"),
        (1.0, "1.0"),
        (1e20, "1.0e+20"),
        (1.5e-7, "1.5e-07"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_values_are_written_as_ruby_does(value: object, text: str) -> None:
    assert as_text(value) == text  # type: ignore[arg-type]
