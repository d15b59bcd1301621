"""Clone and fetch by the real program, and who may: by password, token, job token, or as nobody."""

import base64
import gzip
import hashlib
import http.client
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests
from sqlalchemy.exc import OperationalError

from app import crypto
from app.domain.errors import StorageFull
from app.domain.permissions import Role
from app.git.command import GitFailed
from app.models import AccessToken, Job, User, write
from app.services.accounts.sign_in_throttle import look
from app.services.core import Core
from app.services.projects.job_token_scope import grant
from app.services.repositories.receive_push import finish_pushes
from tests.contract.git.conftest import Hosted
from tests.factories import PASSWORD, make_job, make_pipeline, make_project, make_token, make_user
from tests.git_client import Checkout, Result, clone

UPLOAD = "git-upload-pack"


def try_clone(folder: Path, url: str, *options: str) -> Result:
    return Checkout(folder).try_git("clone", "--quiet", *options, url, "copy")


def give_token(core: Core, job: Job) -> str:
    """Make `job` run, as a claim does; its token."""
    token, job_id = crypto.new_token("glcbt-"), job.id
    with write(core.session):
        row = core.session.get_one(Job, job_id)
        row.token_hash, row.status = crypto.token_hash(token), "running"
    return token


def test_a_clone_holds_what_was_pushed(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    pushed.git("tag", "v1")
    assert pushed.push("v1").ok
    copy = clone(tmp_path / "copy", hosted.owner_url)
    assert copy.git("rev-parse", "HEAD", "v1") == pushed.git("rev-parse", "HEAD", "v1")
    assert copy.git("status", "--porcelain") == ""
    pushed.commit({"a": "1"})
    assert pushed.push("main").ok
    copy.git("pull", "--quiet")
    assert copy.git("rev-parse", "HEAD") == pushed.git("rev-parse", "HEAD")


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_version_of_the_protocol_is_spoken(
    hosted: Hosted, pushed: Checkout, tmp_path: Path, version: str
) -> None:
    for number in range(3):
        pushed.commit({"a": str(number)})
    assert pushed.push("main").ok
    option = ("-c", f"protocol.version={version}")
    copy = clone(tmp_path / "copy", hosted.owner_url, *option, "--depth=1")
    assert copy.git("rev-list", "--count", "HEAD") == "1"
    copy.git(*option, "fetch", "--quiet", "--unshallow")
    assert copy.git("rev-list", "--count", "HEAD") == "4"
    copy.git(*option, "fetch", "--quiet", "--depth=1", "origin", "+refs/pipelines/1:refs/pipelines/1")
    assert copy.git("rev-parse", "refs/pipelines/1") == pushed.git("rev-parse", "HEAD~3")


def test_a_partial_clone_fetches_files_when_they_are_needed(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    pushed.commit({"large": "x" * 100_000})
    assert pushed.push("main").ok
    copy = clone(tmp_path / "copy", hosted.owner_url, "--filter=blob:none", "--no-checkout")
    assert "?" in copy.git("rev-list", "--objects", "--missing=print", "HEAD")
    copy.git("checkout", "--quiet", "main")
    assert (copy.folder / "large").read_text() == "x" * 100_000


def test_the_address_works_without_its_ending_and_in_any_case(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    url = hosted.owner_url.removesuffix(".git").replace("tools", "Tools")
    assert clone(tmp_path / "copy", url).git("rev-parse", "HEAD") == pushed.git("rev-parse", "HEAD")


def test_an_empty_project_can_be_cloned(hosted: Hosted, tmp_path: Path) -> None:
    copy = clone(tmp_path / "copy", hosted.owner_url)
    assert copy.git("symbolic-ref", "HEAD") == "refs/heads/main"


@pytest.mark.parametrize(("visibility", "readable"), [("private", False), ("internal", False), ("public", True)])
def test_nobody_in_particular_reads_public_projects_only(
    hosted: Hosted, pushed: Checkout, tmp_path: Path, visibility: str, readable: bool
) -> None:
    project_id = hosted.project.id
    with write(hosted.core.session):
        hosted.core.session.get_one(type(hosted.project), project_id).visibility = visibility
    assert try_clone(tmp_path, hosted.url()).ok is readable
    answer = requests.get(f"{hosted.url()}/info/refs?service={UPLOAD}", timeout=10)
    assert answer.status_code == (200 if readable else 401)
    assert ("WWW-Authenticate" in answer.headers) is not readable


def test_what_does_not_exist_looks_to_strangers_like_what_is_private(hosted: Hosted, pushed: Checkout) -> None:
    stranger = make_user(hosted.core)
    token = make_token(hosted.core, stranger)[1]
    answers = []
    for path in ("tools/hello", "tools/nothing"):
        for credentials in (None, (stranger.username, token), ("gitlab-ci-token", "glcbt-wrong"), ("x", "wrong")):
            url = f"{hosted.server.url}/{path}.git/info/refs?service={UPLOAD}"
            answer = requests.get(url, auth=credentials, timeout=10)
            answers.append((answer.status_code, answer.text, answer.headers.get("WWW-Authenticate")))
    assert answers[:4] == answers[4:]
    assert [status for status, _, _ in answers[:4]] == [401, 404, 401, 401]
    assert "tools" not in str(answers)


def test_a_wrong_token_is_401_even_for_a_public_project(hosted: Hosted, pushed: Checkout) -> None:
    project = make_project(hosted.core, "open/one", visibility="public")
    url = f"{hosted.server.url}/{project.full_path}.git/info/refs?service={UPLOAD}"
    assert requests.get(url, timeout=10).status_code == 200
    for given in ({"auth": ("x", "glpat-no")}, {"auth": ("x", "")}, {"headers": {"Authorization": "Bearer x"}}):
        assert requests.get(url, timeout=10, **given).status_code == 401  # type: ignore[arg-type]
    assert requests.get(url, timeout=10, headers={"Authorization": "Basic ?"}).status_code == 401


def test_a_password_opens_and_a_token_of_someone_who_is_blocked_does_not(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    assert try_clone(tmp_path, hosted.url("owner", quote(PASSWORD))).ok
    user_id = hosted.owner.id
    with write(hosted.core.session):
        hosted.core.session.get_one(User, user_id).blocked = True
    refused = Checkout(tmp_path).try_git("ls-remote", hosted.owner_url)
    assert "Authentication failed" in refused.text


def test_guessing_passwords_by_git_becomes_slow_and_the_sign_in_page_knows_of_it(
    hosted: Hosted, pushed: Checkout
) -> None:
    url = f"{hosted.url()}/info/refs?service={UPLOAD}"
    answers = [requests.get(url, auth=("owner", "wrong"), timeout=10) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "Too many wrong guesses" in answers[-1].text
    assert requests.get(url, auth=("owner", PASSWORD), timeout=10).status_code == 429
    assert requests.get(url, auth=("owner", hosted.token), timeout=10).status_code == 200
    hosted.core.session.rollback()
    assert look(hosted.core, "owner", "127.0.0.1").wait > 0


def test_wrong_tokens_cost_nothing_and_lock_nobody_out(hosted: Hosted, pushed: Checkout) -> None:
    url = f"{hosted.url()}/info/refs?service={UPLOAD}"
    for _ in range(8):
        assert requests.get(url, auth=("owner", "glpat-wrong"), timeout=10).status_code == 401
    assert requests.get(url, auth=("owner", PASSWORD), timeout=10).status_code == 200


@pytest.mark.parametrize("way", ["expired", "revoked", "wrong"])
def test_a_token_that_is_no_longer_good_opens_nothing(
    hosted: Hosted, pushed: Checkout, tmp_path: Path, way: str
) -> None:
    row, token = make_token(hosted.core, hosted.owner, expires_at=hosted.core.now() + timedelta(hours=1))
    url = hosted.url("owner", token)
    assert Checkout(tmp_path).try_git("ls-remote", url).ok
    row_id = row.id
    with write(hosted.core.session):
        found = hosted.core.session.get_one(AccessToken, row_id)
        found.expires_at = hosted.core.now() - timedelta(seconds=1) if way == "expired" else found.expires_at
        found.revoked_at = hosted.core.now() if way == "revoked" else None
    result = Checkout(tmp_path).try_git("ls-remote", url if way != "wrong" else url.replace(token, token[:-1] + "!"))
    assert not result.ok
    assert "Authentication failed" in result.text


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (("api",), True, True),
        (("write_repository",), True, True),
        (("read_repository",), True, False),
        (("read_api", "read_user"), False, False),
    ],
)
def test_a_token_does_what_its_scopes_say(
    hosted: Hosted, pushed: Checkout, scopes: tuple[str, ...], reads: bool, writes: bool
) -> None:
    pushed.git("remote", "set-url", "origin", hosted.url("owner", make_token(hosted.core, hosted.owner, *scopes)[1]))
    assert pushed.try_git("ls-remote", "origin").ok is reads
    result = pushed.push("HEAD:refs/heads/topic")
    assert result.ok is writes, result.text
    assert (hosted.ref("refs/heads/topic") is not None) is writes


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [(Role.NONE, False, False), (Role.GUEST, False, False), (Role.REPORTER, True, False), (Role.DEVELOPER, True, True)],
)
def test_a_member_does_what_their_role_says(
    hosted: Hosted, pushed: Checkout, role: Role, reads: bool, writes: bool
) -> None:
    pushed.git("remote", "set-url", "origin", hosted.url_of(role))
    assert pushed.try_git("ls-remote", "origin").ok is reads
    result = pushed.push("HEAD:refs/heads/topic")
    assert result.ok is writes
    assert (hosted.ref("refs/heads/topic") is not None) is writes
    if role is Role.REPORTER:
        assert "remote: You are not allowed to push code to this project." in result.text


def test_a_job_token_reads_its_own_project_and_public_ones_while_it_runs_and_never_writes(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    core = hosted.core
    job = make_job(core, make_pipeline(core, hosted.project, user=hosted.owner))
    token = give_token(core, job)
    private, public = make_project(core, "other/private"), make_project(core, "open/public", visibility="public")
    ask = Checkout(tmp_path)
    for project, readable in ((hosted.project, True), (public, True), (private, False)):
        url = hosted.server.clone_url(project.full_path, "gitlab-ci-token", token)
        assert ask.try_git("ls-remote", url).ok is readable, project.full_path
    pushed.git("remote", "set-url", "origin", hosted.url("gitlab-ci-token", token))
    result = pushed.push("HEAD:refs/heads/topic")
    assert "remote: A job token can only read." in result.text
    assert hosted.ref("refs/heads/topic") is None
    job_id = job.id
    with write(core.session):
        core.session.get_one(Job, job_id).status = "success"
    assert "Authentication failed" in ask.try_git("ls-remote", hosted.url("gitlab-ci-token", token)).text


def test_a_job_token_reads_a_project_that_granted_its_own_as_far_as_its_user_may(
    hosted: Hosted, tmp_path: Path
) -> None:
    core = hosted.core
    token = give_token(core, make_job(core, make_pipeline(core, hosted.project, user=hosted.owner)))
    mine, foreign = make_project(core, "other/mine", creator=hosted.owner), make_project(core, "strangers/foreign")
    ask = Checkout(tmp_path)
    for project in (mine, foreign):
        url = hosted.server.clone_url(project.full_path, "gitlab-ci-token", token)
        assert not ask.try_git("ls-remote", url).ok
        grant(core, project, hosted.project)
        assert ask.try_git("ls-remote", url).ok is (project is mine), project.full_path


def test_archived_and_mirrored_projects_can_only_be_read(hosted: Hosted, pushed: Checkout) -> None:
    project_id = hosted.project.id
    for column, value, back in (("archived", True, False), ("repository", "mirrored", "hosted")):
        with write(hosted.core.session):
            setattr(hosted.core.session.get_one(type(hosted.project), project_id), column, value)
        assert pushed.try_git("ls-remote", "origin").ok
        assert "remote: This project is" in pushed.push("HEAD:refs/heads/topic").text
        with write(hosted.core.session):
            setattr(hosted.core.session.get_one(type(hosted.project), project_id), column, back)
    assert hosted.ref("refs/heads/topic") is None


def _post(hosted: Hosted, service: str, body: bytes, **headers: str) -> requests.Response:
    url = f"{hosted.url()}/{service}"
    return requests.post(url, data=body, headers=headers, auth=("owner", hosted.token), timeout=30)


def _wants(commit: str) -> bytes:
    line = f"want {commit} no-progress\n".encode()
    return b"%04x" % (len(line) + 4) + line + b"00000009done\n"


def test_a_gzipped_request_is_understood(hosted: Hosted, pushed: Checkout) -> None:
    body = _wants(pushed.git("rev-parse", "HEAD"))
    plain = _post(hosted, UPLOAD, body)
    packed = _post(hosted, UPLOAD, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert plain.status_code == packed.status_code == 200
    assert plain.content == packed.content
    assert b"PACK" in plain.content


def test_a_body_that_claims_too_much_or_breaks_off_is_refused(hosted: Hosted, pushed: Checkout) -> None:
    gzipped = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b"0032want " + bytes(80 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    assert _post(hosted, UPLOAD, bomb, **gzipped).status_code == 413
    assert _post(hosted, UPLOAD, gzip.compress(b"0000")[:-4], **gzipped).status_code == 400
    assert _post(hosted, UPLOAD, b"no gzip", **gzipped).status_code == 400
    assert _post(hosted, UPLOAD, b"0000", **{"Content-Encoding": "br"}).status_code == 415


@pytest.mark.parametrize(
    "body", [b"garbage", b"00", b"0009abc", b"ffff" + b"x" * 10, b"0032" + b"0" * 46 + b"0000", b"0001"]
)
def test_a_push_that_is_none_is_400_and_moves_nothing(hosted: Hosted, pushed: Checkout, body: bytes) -> None:
    answer = _post(hosted, "git-receive-pack", body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert len(hosted.pipelines()) == 1


@pytest.mark.parametrize(
    "name", [b"$(touch x);--upload-pack=y", b"\xff\xfe", b"a\nb", b"a..b", b"../../x", b"x" * 2000, b"-x"]
)
def test_names_that_git_would_not_send_are_refused_one_by_one(hosted: Hosted, pushed: Checkout, name: bytes) -> None:
    head = pushed.git("rev-parse", "HEAD").encode()
    commands = [
        b"0" * 40 + b" " + head + b" refs/heads/" + name + b"\0report-status",
        b"0" * 40 + b" " + head + b" refs/tags/ok",
    ]
    lines = b"".join(b"%04x" % (len(line) + 4) + line for line in commands)
    empty_pack = b"PACK\0\0\0\2\0\0\0\0"
    answer = _post(hosted, "git-receive-pack", lines + b"0000" + empty_pack + hashlib.sha1(empty_pack).digest())
    assert answer.status_code == 200
    assert b"unpack ok" in answer.content
    assert b"ng refs/heads/" + name.replace(b"\n", b"") in answer.content.replace(b"\n", b"")
    assert b"ok refs/tags/ok" in answer.content
    assert [found.ref for found in hosted.pipelines()] == ["main", "ok"]


def test_the_dumb_protocol_is_refused(hosted: Hosted, pushed: Checkout) -> None:
    assert requests.get(f"{hosted.owner_url}/info/refs", timeout=10).status_code == 403
    assert requests.get(f"{hosted.owner_url}/info/refs?service=git-x", timeout=10).status_code == 403
    assert requests.get(f"{hosted.owner_url}/HEAD", timeout=10).status_code == 404


def test_a_client_that_vanishes_in_the_middle_of_a_push_leaves_nothing_behind(
    hosted: Hosted, checkout: Checkout, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    head = checkout.git("rev-parse", "HEAD")
    command = f"{'0' * 40} {head} refs/heads/main\0 report-status side-band-64k".encode()
    start = b"%04x" % (len(command) + 4) + command + b"0000PACK\0\0\0\2\0\0\0\x09"
    parts = urlsplit(hosted.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.putrequest("POST", "/tools/hello.git/git-receive-pack")
    credentials = base64.b64encode(f"owner:{hosted.token}".encode()).decode()
    connection.putheader("Authorization", f"Basic {credentials}")
    connection.putheader("Content-Length", str(10_000_000))
    connection.endheaders(start)
    pushes = hosted.core.repositories.path(hosted.project.id) / "pushes"
    wait_for(lambda: pushes.is_dir() and any(pushes.iterdir()))
    connection.close()
    wait_for(lambda: not any(pushes.iterdir()))
    assert hosted.ref("refs/heads/main") is None
    assert hosted.pipelines() == []
    assert checkout.push("main").ok


@pytest.mark.parametrize("where", ["journal_push", "ReceivePack"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageFull("full"), "the server's disk is full"),
        (GitFailed("failed", "fatal: /data/secret/path"), "the server cannot take it now, try again later"),
        (OperationalError("insert secret", {}, Exception("database or disk is full")), "the server cannot take it now"),
    ],
)
def test_what_stops_a_push_before_git_is_told_in_a_sentence(
    hosted: Hosted, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, error: Exception, where: str, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(f"app.api.git_http.push.{where}", fail)
        result = checkout.push("main")
    assert f"! [remote rejected] main -> main ({words}" in result.text
    assert "secret" not in result.text
    assert finish_pushes(hosted.core) == (where == "ReceivePack")
    assert checkout.push("main").ok
    assert len(hosted.pipelines()) == 1


@pytest.mark.parametrize("way", ["clone", "database"])
def test_a_clone_that_cannot_be_served_is_told_in_a_sentence(
    hosted: Hosted, pushed: Checkout, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    def fail(*_: object) -> None:
        raise GitFailed("failed", "secret") if way == "clone" else OperationalError("secret", {}, Exception("secret"))

    where = "app.git.transport.advertise" if way == "clone" else "app.api.git_http.views.require_read"
    monkeypatch.setattr(where, fail)
    result = pushed.try_git("ls-remote", "origin")
    assert "remote: The server cannot use" in result.text
    assert "503" in result.text
    assert "secret" not in result.text


def test_a_push_whose_pipelines_fail_to_be_made_stands_and_gets_them_later(
    hosted: Hosted, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise GitFailed("failed")

    with monkeypatch.context() as broken:
        broken.setattr("app.services.repositories.receive_push.insert_pipeline", fail)
        result = checkout.push("main")
    assert result.ok
    assert "remote: The pipelines of this push could not be created yet; the server tries again." in result.text
    assert hosted.pipelines() == []
    assert finish_pushes(hosted.core) == 1
    assert [found.ref for found in hosted.pipelines()] == ["main"]
