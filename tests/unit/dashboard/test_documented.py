"""docs/reference/pages.md says where each page is made, and for whom it is."""

import re
from pathlib import Path

from flask import Flask

TOP = Path(__file__).resolve().parents[3]
PAGE = (TOP / "docs/reference/pages.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(/[^`]*)` \| `(\w+\.py)` \| (?:`([\w/]+\.html)`|–) \|$", re.MULTILINE)


def test_every_page_is_listed_with_the_view_and_the_template_that_make_it(app: Flask) -> None:
    rows = ROW.findall(PAGE)
    made = {
        (re.sub(r"<[^<>]*:(\w+)>", r"<\1>", rule.rule), app.view_functions[rule.endpoint].__module__)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "GET" in rule.methods
    }
    assert {(address, f"app.dashboard.{view[:-3]}") for address, view, _ in rows} == made
    assert len(rows) == len(made)
    for _, view, template in rows:
        if template:
            assert (TOP / "templates" / template).is_file(), template
            assert f'"{template}"' in (TOP / "app/dashboard" / view).read_text(encoding="utf-8"), (view, template)


def test_every_template_is_a_page_or_a_part_of_one() -> None:
    """Nothing lies about that no page shows."""
    texts = [path.read_text(encoding="utf-8") for folder in ("app", "templates") for path in (TOP / folder).rglob("*.*")
             if path.suffix in (".py", ".html")]  # fmt: skip
    whole = "\n".join(texts)
    every = [path.relative_to(TOP / "templates").as_posix() for path in (TOP / "templates").rglob("*.html")]
    assert [name for name in every if f'"{name}"' not in whole] == []
