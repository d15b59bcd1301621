"""What the pages take from htmx, and what they forbid it."""

import hashlib
import json
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
TEMPLATES = {
    file.relative_to(TOP / "templates"): file.read_text(encoding="utf-8") for file in TOP.glob("templates/**/*.html")
}
PART = re.compile(r"<\w+[^>]* hx-swap-oob=[^>]*>")


def test_the_vendored_htmx_is_the_file_that_the_documents_name() -> None:
    script = (TOP / "static" / "vendor" / "htmx.min.js").read_bytes()
    said = (TOP / "docs" / "dependencies.md").read_text(encoding="utf-8")
    (version,) = [found.decode() for found in re.findall(rb'version:"([\d.]+)"', script)]
    assert f"htmx.org@{version}" in said
    assert hashlib.sha256(script).hexdigest() in said
    assert f"\nHTMX := {version}\n" in (TOP / "Makefile").read_text(encoding="utf-8")


def test_htmx_may_neither_run_what_stands_in_a_page_nor_keep_pages() -> None:
    written = re.search(r"<meta name=\"htmx-config\" content='(.+)'>", TEMPLATES[Path("base.html")])
    assert written
    config = json.loads(written[1])
    assert [config[name] for name in ("allowEval", "allowScriptTags", "includeIndicatorStyles")] == [False] * 3
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0
    everything = "\n".join(TEMPLATES.values())
    assert not re.search(r"\bhx-(on|vars|vals|ext)\b", everything), "what would need eval, or another script"
    assert not re.search(r"hx-trigger=\"[^\"]*\[", everything), "a filter would need eval"


def test_every_part_of_a_page_can_be_found_and_forms_in_place_have_parts_to_change() -> None:
    parts = [part for text in TEMPLATES.values() for part in PART.findall(text)]
    assert len(parts) > 20
    assert [part for part in parts if ' id="' not in part] == []
    for name, text in TEMPLATES.items():
        if "live=true" in text and name.parts[0] != "macros":
            assert PART.search(text), f"{name}: what its forms change would go stale"
        assert not re.search(r"data-(live|in-place|confirm|refresh|suggest)\b", text), f"{name}: nothing reads these"
