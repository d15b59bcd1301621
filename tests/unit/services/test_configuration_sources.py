"""Files of other projects: who may include what, at which version."""

import hashlib
from base64 import b64encode
from pathlib import Path

import pytest

from app.dialects.sources import Unavailable, UnknownProject, UnknownRef, Unreadable
from app.domain.errors import InvalidConfiguration
from app.domain.permissions import Role
from app.models import Project, User
from app.services.core import Core
from app.services.pipelines import configuration_sources as module
from app.services.pipelines.configuration_sources import configuration_sources
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.projects.create_project import create_project
from tests.factories import make_member, make_user
from tests.git_client import Checkout, new_checkout


@pytest.fixture
def ada(core: Core) -> User:
    return make_user(core, "ada")


@pytest.fixture
def library(core: Core, ada: User) -> Project:
    return create_project(core, full_path="acme/library", creator=ada, visibility="private")


@pytest.fixture
def checkout(core: Core, library: Project, tmp_path: Path) -> Checkout:
    """Tags 1.0.0 and 1.1.0, branch `main` at the second, branch `next` beyond it."""
    made = new_checkout(
        tmp_path / "library", str(core.repositories.path(library.id)), {"ci/job.yml": "lib: {script: one}"}
    )
    made.git("tag", "1.0.0")
    made.commit(
        {"ci/job.yml": "lib: {script: two}", "templates/lint.yml": "lint: {script: lint}", "binary.yml": b"\xff"}
    )
    made.git("tag", "--annotate", "--message", "released", "1.1.0")
    made.git("branch", "next")
    made.commit({"ci/job.yml": "lib: {script: three}"})
    assert made.push("main", "next", "--tags").ok
    return made


def test_a_project_is_read_at_branches_tags_and_commits(core: Core, ada: User, checkout: Checkout) -> None:
    head, one = checkout.git("rev-parse", "main"), checkout.git("rev-parse", "1.0.0")
    expected = {
        None: "three",
        "HEAD": "three",
        "main": "three",
        "next": "two",
        "1.0.0": "one",
        one: "one",
        one[:8]: "one",
    }
    with configuration_sources(core, ada) as sources:
        for ref, word in expected.items():
            assert (
                sources.tree("ACME/library", ref, anonymous=False).read_file("/ci/job.yml")
                == f"lib: {{script: {word}}}"
            )
        tree = sources.tree("acme/library", "main", anonymous=False)
        assert (tree.project, tree.sha, tree.read_file("none.yml")) == ("acme/library", head, None)
        assert "templates/lint.yml" in tree.list_files()
        with pytest.raises(Unreadable, match="is not UTF-8 text"):
            tree.read_file("binary.yml")
        for ref in ("v9", "f" * 40, "abcdef0", "main~1", "--all", "refs/pipelines/1", ""):
            with pytest.raises(UnknownRef):
                sources.tree("acme/library", ref, anonymous=False)


def test_versions_of_a_component_are_tags(core: Core, ada: User, checkout: Checkout) -> None:
    with configuration_sources(core, ada) as sources:
        for version, tag in {"~latest": "1.1.0", "1": "1.1.0", "1.0": "1.0.0", "1.1.0": "1.1.0", "next": None}.items():
            found = sources.component("acme/library", version, anonymous=False)
            assert found.tag == tag
        with pytest.raises(UnknownRef):
            sources.component("acme/library", "2", anonymous=False)


def test_only_who_may_read_the_code_includes_it(core: Core, ada: User, library: Project, checkout: Checkout) -> None:
    guest, reporter, stranger = (make_user(core, name) for name in ("guest", "reporter", "stranger"))
    make_member(core, guest, library, Role.GUEST)
    make_member(core, reporter, library, Role.REPORTER)
    for user, anonymous in ((guest, False), (stranger, False), (None, False), (ada, True)):
        with configuration_sources(core, user) as sources:
            for project in ("acme/library", "acme/none", str(library.id)):
                with pytest.raises(UnknownProject):
                    sources.tree(project, None, anonymous=anonymous)
                with pytest.raises(UnknownProject):
                    sources.component(project, "1", anonymous=anonymous)
    with configuration_sources(core, reporter) as sources:
        assert sources.tree("acme/library", None, anonymous=False).sha


def test_more_repositories_are_read_than_may_be_open(
    core: Core, ada: User, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 1)
    other = create_project(core, full_path="acme/other", creator=ada)
    new_checkout(tmp_path / "other", str(core.repositories.path(other.id)), {"a.yml": "a"}).push("main")
    with configuration_sources(core, ada) as sources:
        one, two = (sources.tree(path, None, anonymous=False) for path in ("acme/library", "acme/other"))
        for _ in range(3):
            assert (one.read_file("ci/job.yml"), two.read_file("a.yml")) == ("lib: {script: three}", "a")


def test_the_budget_of_time_ends(core: Core, ada: User, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", -1)
    with configuration_sources(core, ada) as sources:
        for ask in (
            lambda: sources.tree("acme/library", None, anonymous=False),
            lambda: sources.remote("http://x/a.yml"),
        ):
            with pytest.raises(Unavailable, match="Request timed out when fetching configuration files"):
                ask()


def test_a_pipeline_includes_what_its_user_may_read(
    core: Core, ada: User, library: Project, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"far: {script: far}\n"
    fetched: list[str] = []
    monkeypatch.setattr(module, "fetch_remote", lambda url, reach, limit: fetched.append(url) or content)
    digest = b64encode(hashlib.sha256(content).digest()).decode()
    text = (
        "include:\n  - {project: acme/library, ref: 1.0.0, file: ci/job.yml}\n"
        "  - component: $CI_SERVER_FQDN/acme/library/lint@1\n"
        f"  - {{remote: 'https://example.com/far.yml', integrity: sha256-{digest}}}\n"
        "  - https://example.com/far.yml\n"
    )
    project = create_project(core, full_path="acme/app", creator=ada)
    own = new_checkout(tmp_path / "app", str(core.repositories.path(project.id)), {".gitlab-ci.yml": text})
    assert own.push("main").ok
    made = run_pipeline(core, request_for_ref(core, project, "main", ada))
    assert sorted(job.name for job in made.jobs) == ["far", "lib", "lint"]
    assert fetched == ["https://example.com/far.yml"]
    other = make_user(core, "other")
    make_member(core, other, project, Role.MAINTAINER)
    with pytest.raises(InvalidConfiguration) as refused:
        run_pipeline(core, request_for_ref(core, project, "main", other))
    assert "Project `acme/library` not found or access denied!" in str(refused.value.diagnostics[0])


def test_a_server_may_be_told_to_fetch_nothing(app, core: Core, ada: User) -> None:
    object.__setattr__(core.config, "remote_includes", False)
    with configuration_sources(core, ada) as sources, pytest.raises(Unavailable, match="does not fetch any"):
        sources.remote("https://example.com/far.yml")
