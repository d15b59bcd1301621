"""Sites that jobs publish: read out of the archive for whoever may see the project, without the server's authority."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.domain import plan_json, status
from app.domain.delivery import PagesSpec
from app.domain.plan import JobPlan, Step
from app.models import Artifact, Job, PagesSite, Project, User, write
from app.services.artifacts.keep_artifacts import keep_artifacts
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.pages.publish_site import end_expired_sites
from tests.factories import make_job

BASE = "/skerry/hello/-/pages"
FILES = {
    "public/index.html": b"<h1>home</h1><script src=a.js></script>",
    "public/a.js": b"alert(1)",
    "public/guide.html": b"guide",
    "public/docs/index.html": b"docs",
    "public/404.html": b"nothing here",
    "secret.txt": b"not published",
    "dist/index.html": b"from dist",
}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def publish(site, core: Core):
    """A job uploads these files and passes; returns its id."""

    def run(files: dict[str, bytes] = FILES, *, expire_at: Any = None, **spec: Any) -> int:
        plan = JobPlan("pages", "deploy", (Step("script", ("x",)),), pages=PagesSpec(**spec))
        job = make_job(core, site.pipeline, plan=plan, status="running")
        job_id = job.id
        with core.artifacts.receive(10**8) as incoming:
            incoming.write(zipped(files))
            stored = incoming.keep()
        with write(core.session):
            core.session.add(
                Artifact(
                    job_id=job_id,
                    project_id=site.project.id,
                    file_type="archive",
                    file_format="zip",
                    filename="artifacts.zip",
                    size=stored.size,
                    sha256=stored.sha256,
                    storage_key=stored.key,
                    created_at=core.now(),
                    expire_at=expire_at,
                )
            )
        with write(core.session):
            finish(core, lock_job(core, job_id), status.SUCCESS)
        return job_id

    return run


def make_public(core: Core) -> None:
    with write(core.session):
        core.session.scalars(select(Project)).one().visibility = "public"


@pytest.mark.parametrize(
    ("address", "code", "body", "kind"),
    [
        ("/", 200, FILES["public/index.html"], "text/html"),
        ("/a.js", 200, b"alert(1)", "text/javascript"),
        ("/guide", 200, b"guide", "text/html"),
        ("/docs/", 200, b"docs", "text/html"),
        ("/nothing", 404, b"nothing here", "text/html"),
        ("/../secret.txt", 404, b"nothing here", "text/html"),
        ("/%2e%2e/secret.txt", 404, b"nothing here", "text/html"),
        ("/..%2fsecret.txt", 404, b"nothing here", "text/html"),
    ],
)
def test_files_of_the_published_folder_alone_are_served(site, publish, address, code, body, kind) -> None:
    publish()
    response = site.visitor("guest").get(BASE + address)
    assert (response.status_code, response.data, response.mimetype) == (code, body, kind)


def test_a_folder_is_left_for_its_address_with_a_slash(site, publish) -> None:
    publish()
    response = site.visitor("guest").get(f"{BASE}/docs")
    assert (response.status_code, response.headers["Location"]) == (302, f"{BASE}/docs/")


def test_nothing_in_a_site_can_act_as_the_one_who_looks(site, publish) -> None:
    publish()
    response = site.visitor("owner").get(f"{BASE}/")
    policy = {rule.split()[0]: rule.split()[1:] for rule in response.headers["Content-Security-Policy"].split(";")}
    assert policy["script-src"] == policy["form-action"] == policy["connect-src"] == ["'none'"]
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-forms" not in policy["sandbox"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_private_site_is_for_those_who_may_see_the_project(site, publish, core) -> None:
    publish()
    assert site.visitor().get(f"{BASE}/").status_code in (302, 303)
    assert site.visitor("stranger").get(f"{BASE}/").status_code == 404
    make_public(core)
    assert site.visitor().get(f"{BASE}/").status_code == 200


def test_without_a_site_there_is_nothing(site) -> None:
    assert site.visitor("owner").get(f"{BASE}/").status_code == 404


def test_the_last_job_counts_and_its_archive_is_kept_while_it_is_served(site, publish, core) -> None:
    later = core.now() + timedelta(days=1)
    first = publish(expire_at=later)
    assert core.session.scalars(select(Artifact).where(Artifact.job_id == first)).one().expire_at is None
    publish({"public/index.html": b"second"}, expire_at=later)
    assert site.visitor("guest").get(f"{BASE}/").data == b"second"
    core.session.rollback()
    assert core.session.scalars(select(Artifact).where(Artifact.job_id == first)).one().expire_at == later
    assert core.session.get_one(Job, first).artifacts_expire_at == later


def test_an_archive_that_is_kept_for_good_stays_when_another_is_served(site, publish, core) -> None:
    first = publish(expire_at=core.now() + timedelta(days=1))
    owner = core.session.scalars(select(User).where(User.username == "owner")).one()
    keep_artifacts(core, core.session.get_one(Job, first), owner)
    publish({"public/index.html": b"second"})
    core.session.rollback()
    assert core.session.scalars(select(Artifact).where(Artifact.job_id == first)).one().expire_at is None


def test_sites_with_prefixes_stand_side_by_side(site, publish) -> None:
    publish()
    publish(path_prefix="preview", publish="dist")
    guest = site.visitor("guest")
    assert guest.get(f"{BASE}/preview/").data == b"from dist"
    assert guest.get(f"{BASE}/preview").headers["Location"] == f"{BASE}/preview/"
    assert guest.get(f"{BASE}/").data == FILES["public/index.html"]


def test_a_site_ends_when_its_time_is_over(site, publish, core) -> None:
    publish(expire_in=3600)
    assert end_expired_sites(core) == 0
    with write(core.session):
        row = core.session.scalars(select(PagesSite)).one()
        row.expire_at = core.now() - timedelta(seconds=1)
    assert site.visitor("guest").get(f"{BASE}/").status_code == 404
    assert end_expired_sites(core) == 1
    assert core.session.scalar(select(PagesSite)) is None


def test_a_failed_job_and_one_without_an_archive_publish_nothing(site, core) -> None:
    for end in (status.FAILED, status.SUCCESS):
        plan = JobPlan("pages", "deploy", (Step("script", ("x",)),), pages=PagesSpec())
        job = make_job(core, site.pipeline, plan=plan, status="running")
        with write(core.session):
            finish(core, lock_job(core, job.id), end)
    assert core.session.scalar(select(PagesSite)) is None
    assert plan_json.from_json(JobPlan, plan_json.to_json(plan)) == plan


def test_what_did_not_change_is_not_sent_again(site, publish) -> None:
    publish()
    guest = site.visitor("guest")
    first = guest.get(f"{BASE}/")
    again = guest.get(f"{BASE}/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


class TestOnAHostOfItsOwn:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"external_url": "http://ci.example.com", "pages_url": "http://pages.example.net"}

    def test_public_sites_may_run_scripts_there(self, site, publish, core) -> None:
        publish()
        make_public(core)
        response = site.visitor().get(f"http://pages.example.net{BASE}/")
        assert (response.status_code, "sandbox" in response.headers["Content-Security-Policy"]) == (200, False)

    def test_the_server_sends_visitors_of_public_sites_there(self, site, publish, core) -> None:
        publish()
        make_public(core)
        response = site.visitor().get(f"http://ci.example.com{BASE}/docs/?x=1")
        assert response.headers["Location"] == f"http://pages.example.net{BASE}/docs/"

    def test_other_sites_stay_where_people_are_signed_in(self, site, publish) -> None:
        publish()
        guest = site.visitor("guest")
        assert guest.get(f"http://pages.example.net{BASE}/").status_code == 404
        response = guest.get(f"{BASE}/")
        assert (response.status_code, "sandbox" in response.headers["Content-Security-Policy"]) == (200, True)

    @pytest.mark.parametrize("path", ["/", "/-/sign_in", "/api/v4/version", "/skerry/hello", "/skerry/hello.git/HEAD"])
    def test_nothing_else_is_served_there(self, site, core, path) -> None:
        make_public(core)
        assert site.visitor().get(f"http://pages.example.net{path}").status_code == 404
