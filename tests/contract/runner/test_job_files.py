"""Sources, artifacts and caches of jobs from a plain GitLab server."""

import io
import zipfile

from tests.contract.runner.outcomes import finished


def test_artifacts_of_other_jobs_come_in_and_own_ones_go_out(gitlab, serve):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("from-build.txt", "built")
    gitlab.artifacts[90] = archive.getvalue()
    gitlab.download_faults.append(500)
    file = {"filename": "a.zip", "size": 1}
    dependency = {"id": 90, "name": "build", "token": "glcbt-token-of-job-1", "artifacts_file": file}
    artifact = {"name": "out-$CI_JOB_ID", "paths": ["*.txt"], "expire_in": "1 week", "artifact_type": "archive"}
    job = gitlab.add_job(
        ["cat from-build.txt", "echo mine >own.txt"],
        dependencies=[dependency, {"id": 91, "name": "without", "token": "x"}],
        artifacts=[artifact, {"paths": ["nothing"], "when": "on_failure"}],
    )
    serve()
    assert finished(job)["state"] == "success"
    [(query, filename, content)] = job.uploads
    assert query == {"artifact_type": "archive", "artifact_format": "zip", "expire_in": "1 week"}
    assert filename == "out-1.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert sorted(opened.namelist()) == ["from-build.txt", "own.txt"]


def test_paths_may_be_written_with_the_project_directory(gitlab, serve):
    paths = ["$CI_PROJECT_DIR/made", "${CI_PROJECT_DIR}//also", "$UNKNOWN"]
    job = gitlab.add_job(["echo x >made; echo y >also; echo z >other"], artifacts=[{"paths": paths}])
    serve()
    assert finished(job)["state"] == "success"
    archive = zipfile.ZipFile(io.BytesIO(job.uploads[0][2]))
    assert sorted(archive.namelist()) == ["also", "made"]


def test_missing_artifacts_of_another_job_fail_this_one_before_its_script(gitlab, serve):
    dependency = {"id": 90, "name": "build", "token": "", "artifacts_file": {"filename": "a.zip", "size": 1}}
    job = gitlab.add_job(["echo never"], dependencies=[dependency])
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "runner_system_failure")
    assert b"never\n" not in job.trace
    assert b"Job failed (system failure)" in job.trace


def test_an_upload_that_is_refused_fails_a_passing_job(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"]}, {"paths": ["README"], "when": "on_failure"}])
    job.upload_faults.append(413)
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "script_failure")
    assert job.uploads == []


def test_a_report_that_the_server_cannot_read_is_the_jobs_own_fault(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"], "artifact_type": "dotenv"}])
    job.upload_faults += [400, 400, 400]
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "script_failure")
    assert b"the server refused the artifacts: 400" in job.trace


def test_an_upload_is_tried_again(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"]}])
    job.upload_faults.append(500)
    serve()
    assert finished(job)["state"] == "success"
    assert len(job.uploads) == 1


def test_caches_are_restored_and_saved_by_key_and_policy(gitlab, serve):
    running = serve()
    cache = {"key": "k-$CI_JOB_ID", "paths": ["kept"], "policy": "pull-push", "fallback_keys": ["old"]}
    running.workspaces.caches["old"] = {"kept": b"1\n"}
    read_only = {"key": "ro", "paths": ["kept"], "policy": "pull"}
    job = gitlab.add_job(["cat kept", "echo 2 >>kept"], cache=[cache, read_only])
    finished(job)
    assert running.workspaces.caches == {"old": {"kept": b"1\n"}, "k-1": {"kept": b"1\n2\n"}}


def test_sources_are_tried_as_often_as_the_job_says(gitlab, serve):
    running = serve()
    running.workspaces.failures = 2
    attempts = {"key": "GET_SOURCES_ATTEMPTS", "value": "3"}
    job = gitlab.add_job(["cat README"], variables=[attempts])
    assert finished(job)["state"] == "success"
    assert len(running.workspaces.sources) == 3


def test_sources_that_cannot_be_had_are_the_runners_failure(gitlab, serve):
    running = serve()
    running.workspaces.failures = 2
    job = gitlab.add_job(["true"])
    final = finished(job)
    assert final["failure_reason"] == "runner_system_failure"
    assert b"the repository is away" in job.trace
