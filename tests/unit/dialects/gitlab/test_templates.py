"""The templates that come with Skerry."""

import pytest

from app.dialects.base import CompileContext
from app.dialects.gitlab import compile_text, templates


@pytest.mark.parametrize("name", templates.names())
def test_a_template_compiles_without_a_warning(name: str) -> None:
    files = {"go.sum": "1", "package-lock.json": "2", "pyproject.toml": "3"}
    text = f"include: {{template: {name}}}\nown: {{script: x}}"
    found = compile_text(".gitlab-ci.yml", text, CompileContext(read_file=files.get, list_files=lambda: files))
    assert found.diagnostics == ()
    assert found.plan is not None


def test_a_path_out_of_the_folder_is_no_template() -> None:
    assert templates.names()
    assert templates.read("../templates/Bash.gitlab-ci.yml") is None
    assert templates.read("Bash") is None
