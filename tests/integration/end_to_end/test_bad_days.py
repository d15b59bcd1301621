"""Programs are killed and jobs are hostile; nothing hangs, nothing is lost, and the next job runs clean."""

import re
import zipfile
from io import BytesIO

import pytest

from tests.integration.stack import script_output, wait_until

pytestmark = pytest.mark.podman


def test_a_server_killed_in_mid_trace_loses_no_line(repository):
    pipeline = repository.start("""
image: localhost/skerry/base
count:
  script: ['for i in $(seq 1 400); do echo "line $i of the count"; sleep 0.02; done']
""")
    job = repository.wait_for_job(pipeline["id"], "count", "running")
    repository.wait_for_trace(job, b"line 50 of")
    repository.server.kill()
    repository.server.start()
    ended = repository.wait(pipeline["id"], seconds=90)
    repository.must_pass(ended)
    lines = re.findall(rb"line (\d+) of the count", script_output(repository.trace(job)))
    assert [int(line) for line in lines] == list(range(1, 401))


def test_a_runner_killed_in_mid_job_reports_its_orphan_when_it_is_back(repository, runner, containers):
    pipeline = repository.start("image: localhost/skerry/base\nlong: {script: [echo started, sleep 600]}")
    job = repository.wait_for_job(pipeline["id"], "long", "running")
    repository.wait_for_trace(job, b"started\n")
    runner.kill()
    runner.start()
    lost = repository.wait_for_job(pipeline["id"], "long", "failed", seconds=30)
    assert lost["failure_reason"] == "runner_system_failure"
    containers.gone(job["id"], seconds=60)
    assert repository.run("image: localhost/skerry/base\nnext: {script: ['true']}")["status"] == "success"


def test_a_runner_that_is_told_to_stop_finishes_its_job(repository, runner):
    pipeline = repository.start("image: localhost/skerry/base\nshort: {script: [echo started, sleep 3, echo done]}")
    job = repository.wait_for_job(pipeline["id"], "short", "running")
    repository.wait_for_trace(job, b"started\n")
    runner.stop()
    assert repository.jobs(pipeline["id"])["short"]["status"] == "success"
    assert b"done" in repository.trace(job)
    runner.start()


HOSTILE = """
image: localhost/skerry/base
stages: [attack, after]
attack:
  stage: attack
  script:
    - mkdir -p .git/hooks out
    - printf '#!/bin/sh\\ntouch /tmp/skerry-hook-ran\\n' > .git/hooks/post-checkout
    - chmod +x .git/hooks/post-checkout
    - git config core.fsmonitor 'touch /tmp/skerry-fsmonitor-ran; true'
    - git config filter.evil.smudge 'touch /tmp/skerry-filter-ran; cat'
    - echo '* filter=evil' > .gitattributes
    - ln -s /etc linked
    - ln -s /etc/passwd out/passwd
    - echo secret > out/kept && chmod 600 out/kept
    - touch tracked-by-nobody
  artifacts:
    paths: [out/, linked/passwd, ../../etc/passwd]
after:
  stage: after
  script:
    - test ! -e tracked-by-nobody
    - test ! -e linked
    - test ! -x .git/hooks/post-checkout
    - cat out/kept
"""


def test_a_hostile_workspace_harms_neither_the_host_nor_the_next_job(repository, runner_user):
    pipeline = repository.run(HOSTILE)
    jobs = repository.jobs(pipeline["id"])
    assert {name: job["status"] for name, job in jobs.items()} == {"attack": "success", "after": "success"}, (
        repository.trace(jobs["after"]).decode(errors="replace")
    )
    path = f"/api/v4{repository.api_path}/jobs/{jobs['attack']['id']}/artifacts"
    archive = zipfile.ZipFile(BytesIO(repository.server.call("GET", path).body))
    assert archive.read("out/kept") == b"secret\n"
    assert not any(b"root:" in archive.read(name) for name in archive.namelist())
    listing = runner_user.run(["ls", "/tmp"]).stdout
    assert "skerry-" not in "".join(name for name in listing.split() if name.endswith("-ran"))


STRANGE = """
image: localhost/skerry/base
strange:
  script:
    - printf 'nul \\000 bad \\377\\376 utf-8\\n'
    - head -c 10000000 /dev/zero | tr '\\0' x; echo
    - printf 'no newline at the end'
"""


def test_strange_bytes_and_a_line_of_10_megabytes_arrive_as_they_were(repository):
    pipeline = repository.run(STRANGE)
    printed = script_output(repository.trace(repository.jobs(pipeline["id"])["strange"]))
    assert b"nul \x00 bad \xff\xfe utf-8\n" in printed
    assert b"x" * 10_000_000 + b"\n" in printed
    assert b"no newline at the end" in printed


def test_a_branch_with_a_hostile_name_is_only_a_name(repository, tmp_path):
    name = "$(touch${IFS}x);--upload-pack=y"
    pipeline = repository.start(
        'image: localhost/skerry/base\nshow: {script: [\'echo "on $CI_COMMIT_BRANCH"\', "test ! -e x"]}', ref=name
    )
    ended = repository.wait(pipeline["id"])
    trace = repository.trace(repository.jobs(pipeline["id"])["show"])
    assert ended["status"] == "success", trace.decode(errors="replace")
    assert f"on {name}".encode() in trace


def test_background_processes_end_with_their_job(repository, containers):
    pipeline = repository.run('image: localhost/skerry/base\nbg: {script: ["sleep 500 & echo started"]}', seconds=30)
    assert pipeline["status"] == "success"
    containers.gone(repository.jobs(pipeline["id"])["bg"]["id"], seconds=5)


def test_a_token_of_a_finished_job_opens_nothing(repository):
    pipeline = repository.run('image: localhost/skerry/base\nleak: {script: ["printf %s $CI_JOB_TOKEN | base64 -w0"]}')
    import base64

    job = repository.jobs(pipeline["id"])["leak"]
    encoded = re.search(rb"([A-Za-z0-9+/=]{30,})", script_output(repository.trace(job)))
    assert encoded
    token = base64.b64decode(encoded[1]).decode()
    assert token.startswith("glcbt-")
    assert repository.server.call("GET", "/api/v4/job", token=None, JOB_TOKEN=token).status == 401
    wait_until(
        "the clone is refused",
        lambda: (
            repository.git(
                "ls-remote",
                f"http://gitlab-ci-token:{token}@127.0.0.1:{repository.server.port}/{repository.path}.git",
                check=False,
            ).returncode
            != 0
        ),
        seconds=2,
    )
