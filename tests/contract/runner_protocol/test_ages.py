"""gitlab-runner 14 to 19, each through the whole life of a job: every answer is one that this version understands."""

import gzip
import socket
import zlib

import pytest

from app import crypto
from app.domain.plan import ArtifactSpec, CacheSpec, Image, Service, Step, Variable
from app.domain.runner_features import required_features
from app.models import Job, Setting, write
from app.services.jobs.cancel_job import cancel_job
from tests.contract.runner_protocol.ages import NAMES, AgedRunner, Unreadable, decode
from tests.contract.runner_protocol.stock import StockJob, checksum
from tests.support.world import plan

REGISTRATION = "GR1348941-registration"
ZIP = b"PK\x05\x06" + bytes(18)
BUILD = plan(
    "build",
    steps=(
        Step("script", ("make",)),
        Step("after_script", ("echo bye",), phase="after_script", when="always", allow_failure=True),
    ),
    image=Image("alpine:3", entrypoint=("",), pull_policy=("if-not-present",), user="1000", platform="linux/amd64"),
    services=(
        Service(Image("postgres"), aliases=("db", "sql"), command=("-x",), variables=(Variable("A", "b"),)),
        Service(Image("redis")),
    ),
    variables=(Variable("FILE", "x", file=True), Variable("RAW", "$x", raw=True)),
    artifacts=(
        ArtifactSpec(paths=("out/",), expire_in=604800),
        ArtifactSpec(paths=("r.xml",), when="always", file_type="junit", file_format="gzip"),
    ),
    cache=(CacheSpec(key="k", paths=("c/",)),),
)
#: Runners from before 16.0 would not look at these keys.
PICKY = plan("picky", cache=(CacheSpec(key="k", paths=("c/",), fallback_keys=("f",)),))


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def runner(core, server, name):
    """A runner of that age that has registered itself, which was its first contact."""
    with write(core.session):
        core.session.get_one(Setting, "registration_token_hash").value = crypto.token_hash(REGISTRATION)
    made = AgedRunner(server.url, "", name)
    answer = made.register(REGISTRATION)
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    said = answer.json()
    assert (isinstance(said["id"], int), said["token"][:6], said["token_expires_at"]) == (True, "glrtr-", None)
    made.token = said["token"]
    return made


def steered(answer, status, job_status):
    """The answer steers the runner: its code, the job's status, and a whole number of seconds to wait."""
    assert (answer.status_code, answer.headers["Job-Status"]) == (status, job_status), answer.text
    assert answer.headers["X-GitLab-Trace-Update-Interval"] in ("3", "60")
    return answer


def refused(answer, job_status):
    """What makes every version give the job up."""
    assert (answer.status_code, answer.headers["Job-Status"]) == (403, job_status)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"message": "403 Forbidden - Job is not processing on runner"}


def nothing(answer):
    """No job; what the runner echoes as `last_update`."""
    assert (answer.status_code, answer.content) == (204, b"")
    return answer.headers["X-GitLab-Last-Update"]


def take(runner):
    answer = runner.request_job()
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json"), answer.text
    decode(answer.json(), runner.name)
    return StockJob(runner, answer.json())


def begin(runner, job):
    if runner.can("two_phase_job_commit"):
        for _ in range(2):  # while the executor is made ready
            steered(job.update("pending"), 200, "running")
    steered(job.update("running"), 200, "running")
    if runner.can("two_phase_job_commit"):
        assert job.update("pending").status_code == 409


def print_log(runner, job):
    """The times in it are those of the runner's clock, far from the server's: a log is bytes, and they play no part."""
    section = b"section_start:1772366340:step_script\r\x1b[0K"
    for piece in (section + b"\n", runner.line(b"$ make\n"), runner.line("größe\n".encode())):
        start = len(job.sent)
        answer = steered(job.print(piece), 202, "running")
        assert answer.headers["Range"] == f"0-{len(job.sent)}"
        again = steered(job.patch(start, piece), 202, "running")  # the answer was lost
        assert again.headers["Range"] == f"0-{len(job.sent)}"
    ahead = steered(job.patch(len(job.sent) + 7, b"lost before"), 416, "running")
    assert ahead.headers["Range"] == f"0-{len(job.sent)}"


def cut_off(server, job):
    """A piece whose connection breaks in the middle counts for nothing, and comes again whole."""
    host, port = server.url.removeprefix("http://").split(":")
    start = len(job.sent)
    head = (
        f"PATCH /api/v4/jobs/{job.id}/trace HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: {job.token}\r\n"
        f"Content-Range: {start}-{start + 99}\r\nContent-Length: 100\r\nContent-Type: text/plain\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b"half of it")
        connection.shutdown(socket.SHUT_WR)
        connection.makefile("rb").read()
    answer = job.print(b"x" * 99 + b"\n")
    assert answer.headers["Range"] == f"0-{start + 100}"


def upload(job):
    for _ in range(2):  # sent twice, it is one
        archive = job.upload(
            ZIP, name="artifacts.zip", expire_in="1 week", artifact_format="zip", artifact_type="archive"
        )
        assert archive.status_code == 201
    report = job.upload(
        gzip.compress(b"<testsuites/>"), name="junit.xml.gz", artifact_format="gzip", artifact_type="junit"
    )
    assert report.status_code == 201
    assert job.upload(b"other", artifact_format="zip", artifact_type="archive").status_code == 400


def finish(core, job):
    """The log went wrong on its way: 412, all of it again, and then the end, twice."""
    with core.traces.open(job.id) as file:
        assert file.read() == job.sent
    whole = job.sent.replace(b"make", b"mend")
    steered(job.finish(data=whole), 412, "running")
    assert steered(job.patch(len(job.sent), b"more"), 416, "running").headers["Range"] == "0-0"
    half = len(whole) // 2
    for start, piece in ((0, whole[:half]), (half, whole[half:])):
        steered(job.patch(start, piece), 202, "running")
    for _ in range(2):
        steered(job.finish(data=whole), 200, "success")
    refused(job.update("running"), "success")
    refused(job.patch(len(whole), b"late"), "success")
    with core.traces.open(job.id) as file:
        stored = file.read()
    assert (stored, checksum(stored)) == (whole, f"crc32:{zlib.crc32(whole):08x}")


def test_the_whole_life_of_a_job(core, server, world, project, runner):
    verified = runner.verify()
    assert (verified.status_code, verified.headers["Content-Type"]) == (200, "application/json")
    update = nothing(runner.request_job())
    assert nothing(runner.request_job(last_update=update)) == update
    world.pipeline(project, [BUILD, plan("test", "test")])
    job = take(runner)
    assert job.payload["job_info"]["name"] == "build"
    assert "artifacts_file" not in str(job.payload["dependencies"])
    begin(runner, job)
    print_log(runner, job)
    cut_off(server, job)
    upload(job)
    finish(core, job)
    then = take(runner)
    [dependency] = then.payload["dependencies"]
    assert dependency["artifacts_file"] == {"filename": "artifacts.zip", "size": len(ZIP)}
    fetched = then.download(dependency["id"], token=dependency["token"])
    assert (fetched.status_code, fetched.content) == (200, ZIP)
    begin(runner, then)
    failed = then.finish("failed", failure_reason="script_failure", exit_code=7)
    steered(failed, 200, "failed")
    assert world.read(core.session.get_one(Job, then.id)).exit_code == 7
    nothing(runner.request_job())


def test_a_cancel_reaches_the_job(core, world, project, runner):
    job = world.job(project)
    running = take(runner)
    begin(runner, running)
    running.print(b"working\n")
    cancel_job(core, world.read(job), world.user(project))
    if not runner.can("cancel_gracefully"):
        refused(running.update("running"), "canceled")
        refused(running.patch(len(running.sent), b"more"), "canceled")
        return
    steered(running.update("running"), 200, "canceling")
    steered(running.print(b"after_script\n"), 202, "canceling")
    assert running.upload(ZIP, artifact_format="zip", artifact_type="archive").status_code == 201
    steered(running.finish("failed", failure_reason="unknown_failure"), 200, "canceled")
    refused(running.finish("failed"), "canceled")


def test_only_runners_that_can_do_it_get_a_job(core, world, project, runner):
    """An older one goes on with the next job; the first waits for another runner and says why."""
    demanding = world.jobs(world.pipeline(project, [PICKY]))["picky"]
    with write(core.session):
        core.session.get_one(Job, demanding.id).required_features = required_features(PICKY)
    plain = world.job(project)
    able = runner.can("fallback_cache_keys")
    assert take(runner).id == (demanding.id if able else plain.id)
    if not able:
        nothing(runner.request_job())
        assert world.read(demanding).status == "pending"


def test_a_runner_that_registered_itself_leaves(core, server, runner):
    runner.verify()
    answer = runner.call("POST", "/runners/reset_authentication_token", {"token": runner.token})
    assert (answer.status_code, answer.json()["token_expires_at"]) == (201, None)
    old, runner.token = runner.token, answer.json()["token"]
    assert runner.token.startswith("glrtr-")
    assert AgedRunner(server.url, old, runner.name).verify().status_code == 403
    assert runner.call("DELETE", "/runners", {"token": runner.token}, RUNNER_TOKEN=runner.token).status_code == 204
    for gone in (runner.verify(), runner.request_job()):
        assert (gone.status_code, gone.json()) == (403, {"message": "403 Forbidden"})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        (("id",), "1"),
        (("runner_info", "timeout"), 60.5),
        (("git_info", "ref"), None),
        (("variables", 0, "public"), "true"),
        (("variables", 0, "value"), 7),
        (("steps", 0, "script"), "make"),
        (("allow_git_fetch",), 1),
        (("image", "executor_opts"), []),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_payload_that_go_would_not_decode_is_noticed(stock, world, project, field, wrong):
    world.pipeline(project, [BUILD])
    payload = stock.take().payload
    decode(payload, "19.4")
    place = payload
    for key in field[:-1]:
        place = place[key]
    place[field[-1]] = wrong
    with pytest.raises(Unreadable, match=str(field[-1])):
        decode(payload, "19.4")
