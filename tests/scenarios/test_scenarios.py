"""Every folder beside this file is a pipeline and what has to come of it.

`.gitlab-ci.yml` is compiled; the folder's other files are the repository's. In `expected.json`:
`context` holds fields of CompileContext; `stages` all stages that are used; `jobs` all jobs by name, in order, each
with those fields of its plan that matter (null: the field's default); `plan` fields of the plan itself; `skipped` why
there is no pipeline; `errors` and `warnings` all diagnostics as they are printed; `included` the files included, as
`type location`.

Below `sources/projects/GROUP/NAME/REF/` lie the files of other projects of the server, below `sources/remote/HOST/`
those of other servers.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from app.dialects.base import CompileContext
from app.dialects.registry import compile_configuration
from app.domain.plan_json import to_json
from tests.support.sources import FakeSources, blob

CONFIGURATION = ".gitlab-ci.yml"
FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.json"))
KEYS = {"context", "stages", "jobs", "plan", "skipped", "errors", "warnings", "included"}
SOURCES = "sources"


def context_of(folder: Path, given: dict[str, Any]) -> CompileContext:
    fields = dict(given)
    if fields.get("changed_files") is not None:
        fields["changed_files"] = frozenset(fields["changed_files"])
    since = fields.pop("changes_since", None)
    if since is not None:
        fields["changes_since"] = lambda ref: frozenset(since[ref]) if ref in since else unknown_ref(ref)
    if "last_commit" in fields:
        fields["last_commit"] = fields["last_commit"].get
    for key in ("masked", "raw"):
        fields[key] = frozenset(fields.get(key, ()))
    files = {
        name: text for name, text in texts(folder).items() if name != "expected.json" and not name.startswith(SOURCES)
    }
    return CompileContext(
        read_file=files.get,
        list_files=lambda: {name: blob(text) for name, text in files.items()},
        sources=sources_of(folder / SOURCES),
        **fields,
    )


def texts(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def sources_of(folder: Path) -> FakeSources:
    projects: dict[str, dict[str, dict[str, str]]] = {}
    for name, text in texts(folder / "projects").items():
        group, project, ref, path = name.split("/", 3)
        projects.setdefault(f"{group}/{project}", {}).setdefault(ref, {})[path] = text
    return FakeSources(projects, {f"https://{name}": text for name, text in texts(folder / "remote").items()})


def unknown_ref(ref: str) -> frozenset[str]:
    raise ValueError(f"no ref {ref}")


def test_there_are_scenarios() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    assert set(expected) <= KEYS
    text = (folder / CONFIGURATION).read_text()
    found = compile_configuration(CONFIGURATION, text, context_of(folder, expected.get("context", {})))
    assert [str(diagnostic) for diagnostic in found.errors] == expected.get("errors", [])
    assert [str(diagnostic) for diagnostic in found.warnings] == expected.get("warnings", [])
    assert found.skipped_reason == expected.get("skipped")
    if "included" in expected:
        assert [f"{file.type} {file.location}" for file in found.included] == expected["included"]
    assert (found.plan is not None) == ("jobs" in expected)
    if found.plan is None:
        return
    if "stages" in expected:
        assert list(found.plan.stages) == expected["stages"]
    plan = to_json(found.plan)
    assert {key: plan.get(key) for key in expected.get("plan", {})} == expected.get("plan", {})
    assert [job["name"] for job in plan["jobs"]] == list(expected["jobs"])
    for job in plan["jobs"]:
        fields = expected["jobs"][job["name"]]
        assert {key: job.get(key) for key in fields} == fields
