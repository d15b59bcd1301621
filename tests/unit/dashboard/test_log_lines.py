"""A line of a log is read alike by the page (static/js/log/ansi.js) and by the server (app.domain.plain_log)."""

import json
import subprocess
from pathlib import Path

import pytest

from app.domain.plain_log import plain_line

_MODULE = Path(__file__).parents[3] / "static/js/log/ansi.js"
_READ = """
const { parseLine } = await import(process.argv[1]);
let given = "";
for await (const piece of process.stdin) given += piece;
process.stdout.write(JSON.stringify(JSON.parse(given).map((line) => parseLine(line).runs)));
"""
_LINES = (
    "plain",
    "abc\b\bX",
    "abc\b\b\x1b[K",
    "work |\b/\b-\b\\\b \bdone",
    "_\bb_\bo_\bl_\bd",
    "\b\b\x1b[31ma\x1b[0mb\x1b[1m\b\bc\x1b[0m",
    "10%\b\b\b20%\r30%\r\b",
    "\u00e9\U0001f600\bx",
    "2026-08-22T00:44:03.123456Z 01O a\bb",
    "10%\r50%\r100%",
    "section_start:1:build\r\x1b[0Ka\bHeader",
    "ab\b" * 1000,
)


@pytest.mark.node
def test_the_page_and_the_server_read_a_line_alike_and_colours_go_with_what_is_typed_over() -> None:
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", _READ, _MODULE.as_uri()],
        input=json.dumps(_LINES),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown = json.loads(done.stdout)
    assert ["".join(run["text"] for run in runs) for runs in shown] == [plain_line(line) for line in _LINES]
    (first, second) = shown[5]
    assert (first["text"], first["style"]["bold"], first["style"]["fg"]) == ("c", True, None)
    assert (second["text"], second["style"]["bold"]) == ("b", False)
