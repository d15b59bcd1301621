"""One corpus of plans for both parsers, the server's dialect and the runner's own: both take the same plans, and where
they refuse one, the same place in it is wrong.
"""

from pathlib import Path

import pytest

from app.dialects.base import CompileContext
from app.dialects.candor import Unreadable, load
from app.dialects.candor.compiler import compile_text
from runner.plan import PlanError, parse_plan

CORPUS = Path(__file__).parents[2] / "corpus" / "candor_plans"
ROWS = [
    line.split("\t") for line in (CORPUS / "expected.tsv").read_text().splitlines() if line and not line.startswith("#")
]
#: Where the runner is laxer: by the reference it passes over keys that it does not know.
LAXER = {"a-key-that-nobody-knows.json", "a-key-of-a-stage-that-nobody-knows.json"}


def by_server(path: Path) -> str:
    compiled = compile_text(path.name, path.read_text(), CompileContext())
    assert bool(compiled.plan) != bool(compiled.errors)
    if compiled.plan:
        return "ok"
    first = compiled.errors[0]
    return f"line {first.line}" if first.code == "syntax" else first.message.partition(": ")[0]


def by_runner(path: Path) -> str:
    try:
        parse_plan(load(path.read_text()))
    except Unreadable:
        return "-"
    except PlanError as error:
        return error.place if str(error).startswith(f"{error.place}: ") else f"{error} does not begin with its place"
    return "ok"


@pytest.mark.parametrize(("name", "server", "runner"), ROWS, ids=[row[0] for row in ROWS])
def test_server_and_runner_judge_a_plan_alike(name: str, server: str, runner: str) -> None:
    assert (by_server(CORPUS / name), by_runner(CORPUS / name)) == (server, runner)
    assert server == runner or name in LAXER or runner == "-"


def test_every_plan_of_the_corpus_is_expected() -> None:
    assert {row[0] for row in ROWS} == {path.name for path in CORPUS.iterdir()} - {"expected.tsv"}
    assert sum(row[1] == "ok" for row in ROWS) >= 10
    assert sum(row[1] != "ok" for row in ROWS) >= 30
