"""Runners that others wrote, as PyPI has them, against the real server (requirements-clients.lock).

`gitlab-runner-api` 1.0.4 (2020) is a library: it needs `pkg_resources`, which new versions of setuptools lack, for its
own version alone, so that name is lent to it. `gitlab-python-runner` 14.3.20 (2022) is a whole runner; it runs scripts
with gitlab-emulator, of which 1.1.9 is the last that needs no package beyond the pinned ones. Nothing else is changed.
"""

import io
import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from app import crypto
from app.models import Job, Runner, Setting, write
from app.services.jobs.cancel_job import cancel_job
from app.services.runners.manage_runner import remove_runner
from tests.factories import make_project, make_token, make_user
from tests.git_client import new_checkout

REGISTRATION = "registration-of-clients"
PIPELINE = """
stages: [build, test]
make:
  stage: build
  tags: [python]
  script: ["mkdir out", "echo built by $CI_JOB_NAME >out/a.txt", "echo grown"]
  artifacts: {paths: [out/], name: made}
use:
  stage: test
  tags: [python]
  script: [cat out/a.txt, exit 3]
"""


def needs(module):
    missing = os.environ.get("CI") != "true" and find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed (requirements-clients.lock)")


@pytest.fixture(autouse=True)
def registration(core):
    with write(core.session):
        core.session.get_one(Setting, "registration_token_hash").value = crypto.token_hash(REGISTRATION)


def trace(core, job_id):
    with core.traces.open(job_id) as file:
        return file.read().decode()


@needs("gitlab_runner_api")
class TestGitlabRunnerApi:
    @pytest.fixture
    def api(self, monkeypatch):
        lent = SimpleNamespace(require=lambda name: [SimpleNamespace(version=version(name))])
        monkeypatch.setitem(sys.modules, "pkg_resources", lent)
        import gitlab_runner_api

        return gitlab_runner_api

    @pytest.fixture
    def runner(self, api, server):
        info = {"name": "lib", "version": "1", "platform": "linux", "architecture": "amd64", "executor": "mine"}
        wishes = {"description": "a library", "tags": ["a", "b"], "run_untagged": True, "locked": False}
        return api.Runner.register(server.url, REGISTRATION, maximum_timeout=3600, **wishes, **info)

    def test_it_registers_and_knows_itself_again(self, api, core, server, runner):
        row = core.session.get_one(Runner, runner.id)
        assert (row.tags, row.description, row.maximum_timeout) == (["a", "b"], "a library", 3600)
        assert api.Runner.loads(runner.dumps()) == runner
        assert runner.request_job() is None
        with pytest.raises(api.exceptions.AuthException):
            api.Runner.register(server.url, "not the token")
        remove_runner(core, row)
        for call in (runner.check_auth, runner.request_job):
            with pytest.raises(api.exceptions.AuthException):
                call()

    def test_a_job_runs_with_a_log_that_it_counts_in_letters(self, api, core, runner, world, project):
        row = world.job(project, tags=("a",))
        job = runner.request_job()
        assert (job.id, job.name, job.stage, job.script, job.ref) == (row.id, "build", "build", ["true"], "main")
        assert (job.project_path, job.is_branch) == (project.full_path, True)
        job.auth()
        job.log += "größe →\n"
        job.log += "in bytes we have gone further\n"  # refused: so it sends the whole log with an update
        job.log += "the end\n"
        job.set_success()
        ended = world.read(row)
        assert (ended.status, ended.runner_id) == ("success", runner.id)
        assert trace(core, row.id) == str(job.log)
        assert str(job.log).startswith("Running with gitlab_runner_api 1.0.4\ngröße →\nin bytes")

    def test_a_job_fails_or_is_canceled(self, api, core, runner, world, project):
        row = world.job(project)
        runner.request_job().set_failed(api.failure_reasons.ScriptFailure())
        failed = world.read(row)
        assert (failed.status, failed.failure_reason) == ("failed", "script_failure")
        assert trace(core, row.id) == "Running with gitlab_runner_api 1.0.4\n"
        row = world.job(project)
        job = runner.request_job()
        cancel_job(core, world.read(row), world.user(project))
        with pytest.raises(api.exceptions.JobCancelledException):
            job.log += "more\n"
        with pytest.raises(api.exceptions.JobCancelledException):
            job.set_success()


@needs("GitlabPyRunner")
class TestGitlabPythonRunner:
    @pytest.fixture
    def hosted(self, core, server, tmp_path):
        """A project whose pipeline waits for a runner."""
        owner = make_user(core, "owner")
        project = make_project(core, "tools/hello", creator=owner)
        token = make_token(core, owner)[1]
        checkout = new_checkout(
            tmp_path / "work", server.clone_url(project.full_path, "owner", token), {".gitlab-ci.yml": PIPELINE}
        )
        pushed = checkout.push("main")
        assert pushed.ok, pushed.text
        return project

    @pytest.fixture
    def run(self, tmp_path):
        """Its command line, in a folder and a home of its own."""
        folder = tmp_path / "runner"
        folder.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}

        def run(*words):
            return subprocess.run(
                [sys.executable, "-m", "GitlabPyRunner", *words],
                cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip

        return run

    def test_it_registers_runs_jobs_of_a_repository_and_leaves(self, core, server, hosted, run):
        done = run("--register", server.url, "--regtoken", REGISTRATION, "--desc", "pure", "--tag", "python")
        assert done.returncode == 0, done.stderr
        core.session.rollback()
        runner = core.session.query(Runner).one()
        assert (runner.tags, runner.run_untagged, runner.description) == (["python"], False, "pure")
        make, use = (run("--start", "gitlab-runner.yml", "--once") for _ in range(2))
        core.session.rollback()
        first, second = core.session.query(Job).order_by(Job.id)
        log = trace(core, first.id)
        assert (make.returncode, first.status) == (0, "success"), log
        assert "grown" in log
        assert "section_start" in log
        [artifact] = first.artifacts
        assert (artifact.filename, artifact.file_type, artifact.file_format) == ("made.zip", "archive", "zip")
        with core.artifacts.open(artifact.storage_key) as file, zipfile.ZipFile(io.BytesIO(file.read())) as archive:
            assert archive.read("out/a.txt") == b"built by make\n"
        log = trace(core, second.id)
        assert (use.returncode, second.status, second.failure_reason) == (1, "failed", "unknown_failure"), log
        assert "built by make" in log
        manager = runner.managers[0]
        assert (manager.version, manager.features["artifacts_exclude"]) == ("14.3.20", True)
        assert run("--unregister").returncode == 0
        core.session.rollback()
        assert core.session.query(Runner).count() == 0
