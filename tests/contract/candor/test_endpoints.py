"""The routes are those that the seed and the reference name: a difference either way fails."""

import re
from pathlib import Path

from flask import Flask

EXPECTED = Path(__file__).parents[1] / "expected_endpoints" / "candor.tsv"


def test_the_routes_are_the_expected_ones(app: Flask) -> None:
    rows = [line.split("\t") for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#")]
    assert all(len(row) == 5 and row[3] and row[4] for row in rows)
    expected = {(method, re.sub(r":\w+", ":", path)) for method, path, *_ in rows}
    actual = {
        (method, re.sub(r"<[^>]+>", ":", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("candor.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert actual == expected
