"""What a new project may start from: each starter is a pipeline that runs, and its scripts pass."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.domain.errors import Conflict, InvalidRequest, NotAllowed
from app.domain.permissions import Role
from app.models import Job, Pipeline
from app.services.core import Core
from app.services.repositories.first_commit import STARTERS, _files, add_starter, is_empty
from tests.factories import make_member, make_project, make_user


def test_every_starter_is_committed_and_its_pipeline_runs_at_once(core: Core) -> None:
    owner = make_user(core, "owner")
    found = {}
    for name in STARTERS:
        project = make_project(core, f"rocks/{name}", creator=owner)
        assert is_empty(core, project)
        add_starter(core, project, owner, name)
        assert not is_empty(core, project)
        pipeline = core.session.query(Pipeline).filter_by(project_id=project.id).one()
        assert (pipeline.ref, pipeline.source, pipeline.yaml_errors) == ("main", "push", None), name
        jobs = core.session.query(Job).filter_by(pipeline_id=pipeline.id).order_by(Job.id)
        found[name] = [(job.name, job.status) for job in jobs]
    assert found == {
        "hello": [("hello", "pending")],
        "shell": [("build", "pending"), ("test", "created"), ("deploy", "created")],
        "python": [("test", "pending")],
        "node": [("test", "pending")],
    }


def test_a_starter_is_for_an_empty_repository_and_goes_where_its_configuration_is_looked_for(core: Core) -> None:
    owner, reporter = make_user(core, "owner"), make_user(core, "reporter")
    project = make_project(core, "rocks/big", creator=owner, config_path="ci/main.yml", default_branch="trunk")
    make_member(core, reporter, project, Role.REPORTER)
    mirror = make_project(core, "rocks/far", creator=owner, mirror_url="https://example.com/x.git")
    for place, user, name, error in (
        (project, owner, "../python", InvalidRequest),
        (project, reporter, "hello", NotAllowed),
        (mirror, owner, "hello", NotAllowed),
    ):
        with pytest.raises(error):
            add_starter(core, place, user, name)
    add_starter(core, project, owner, "hello")
    with core.repositories.open(project.id).objects() as objects:
        assert b"hello:" in objects.read_file(objects.resolve("trunk"), "ci/main.yml", 1000)
    with pytest.raises(Conflict):
        add_starter(core, project, owner, "shell")
    assert core.session.query(Pipeline).count() == 1


@pytest.mark.parametrize("name", ["hello", "shell", "python"])
def test_the_scripts_of_a_starter_pass(name: str, tmp_path: Path) -> None:
    """In the order of the file and in one folder, as artifacts would have it. What names an image from a registry
    needs no more of it than this host has.
    """
    for relative, content in _files(name, ".gitlab-ci.yml").items():
        (tmp_path / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / relative).write_bytes(content)
    jobs = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())
    script = "\n".join(line for job in jobs.values() if "script" in job for line in job["script"])
    predefined = {"CI_JOB_NAME": "hello", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHORT_SHA": "0123abcd"}
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"} | predefined
    shell = ["sh", "-eu"]
    ran = subprocess.run(shell, input=script, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
