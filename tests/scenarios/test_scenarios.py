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

import pytest

from app.dialects.registry import compile_configuration
from app.domain.plan_json import to_json
from tests.scenarios.folders import CONFIGURATION, FOLDERS, context_of

KEYS = {"context", "stages", "jobs", "plan", "skipped", "errors", "warnings", "included"}


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
