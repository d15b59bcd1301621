"""Users, tokens, projects and runners are made right, or refused with the name of what is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app import crypto
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound, SkerryError
from app.domain.permissions import Role
from app.models import Group, PipelineDefinition, Project, ProtectedRef
from app.services.access import role_of
from app.services.accounts import authenticate
from app.services.accounts.create_token import create_token
from app.services.accounts.create_user import create_user
from app.services.core import Core
from app.services.projects.create_project import create_project, mirror_context
from app.services.runners.create_runner import create_runner
from tests.databases import BOTH
from tests.factories import (
    PASSWORD,
    make_job,
    make_manager,
    make_member,
    make_pipeline,
    make_project,
    make_runner,
    make_user,
)

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)


def test_a_user_signs_in_with_the_password_that_was_handed_over(core: Core) -> None:
    user, password = create_user(core, username="ada", name="Ada Lovelace")
    assert authenticate.user_by_password(core, "ADA", password) is user
    assert authenticate.user_by_password(core, "ada", password + "x") is None
    assert PASSWORD not in (user.password_hash or "")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "-ada"}, "username"),
        ({"username": "ada.git"}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "ada", "name": ""}, "name"),
        ({"username": "ada", "email": "nowhere"}, "email"),
        ({"username": "ada", "password": "short"}, "password"),
    ],
)
def test_a_user_that_makes_no_sense_is_refused(core: Core, given: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create_user(core, **given)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_name_is_taken_whatever_its_case(core: Core) -> None:
    make_user(core, "ada")
    with pytest.raises(AlreadyExists):
        create_user(core, username="Ada")


def test_a_token_opens_the_door_once_made_and_only_its_hash_is_kept(core: Core) -> None:
    user = make_user(core)
    row, plain = create_token(core, user=user, name="laptop", scopes=["api", "api"])
    found = authenticate.user_by_token(core, plain)
    assert found is not None
    assert found[0].id == user.id
    assert plain.startswith("glpat-")
    assert row.token_hash == crypto.token_hash(plain)
    assert row.scopes == ["api"]


def test_a_token_needs_a_known_scope_and_a_future(core: Core) -> None:
    user = make_user(core)
    for wrong in (
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": ["api"], "name": " "},
        {"scopes": ["api"], "expires_at": core.now() - timedelta(seconds=1)},
    ):
        with pytest.raises(InvalidRequest):
            create_token(core, **{"user": user, "name": "x", **wrong})  # type: ignore[arg-type]


def test_a_project_comes_with_its_groups_its_repository_and_a_protected_branch(core: Core) -> None:
    user = make_user(core)
    project = create_project(core, full_path="Tools/sub/hello.world", creator=user)
    groups = core.session.scalars(select(Group.full_path).order_by(Group.id)).all()
    rule = core.session.scalars(select(ProtectedRef)).one()
    definition = core.session.scalars(select(PipelineDefinition)).one()
    assert (project.full_path, groups) == ("Tools/sub/hello.world", ["Tools", "Tools/sub"])
    assert (rule.pattern, rule.kind, rule.push_role) == ("main", "branch", Role.MAINTAINER)
    assert definition.is_default
    assert definition.project_id == project.id
    assert role_of(core, user, project) is Role.OWNER
    assert core.repositories.open(project.id).exists


def test_a_refused_project_leaves_neither_group_nor_repository(core: Core) -> None:
    make_project(core, "tools/hello")
    with pytest.raises(AlreadyExists):
        create_project(core, full_path="tools/HELLO", creator=None)
    with pytest.raises(AlreadyExists):
        create_project(core, full_path="tools/hello/below", creator=None)
    assert [path.name for path in sorted(core.repositories.folder.iterdir())] == [".hooks", "1.git"]
    assert core.session.scalars(select(Group.full_path)).all() == ["tools"]


@pytest.mark.parametrize(
    "path",
    [
        "alone",
        "api/x",
        "-/x",
        "users/x",
        "a//b",
        "a/../b",
        "a/b.git",
        "a/b.",
        "a/info",
        "a/ b",
        "a/" + "b" * 256,
        "a/é",
    ],
)
def test_a_path_that_cannot_be_an_address_is_refused(core: Core, path: str) -> None:
    with pytest.raises(InvalidRequest):
        create_project(core, full_path=path, creator=None)


def test_only_a_maintainer_of_a_group_makes_projects_in_it(core: Core) -> None:
    owner, stranger, member = make_user(core), make_user(core), make_user(core)
    group = make_project(core, "tools/first", creator=owner).group
    with pytest.raises(NotFound):
        create_project(core, full_path="tools/second", creator=stranger)
    make_member(core, member, group, Role.DEVELOPER)
    with pytest.raises(NotAllowed):
        create_project(core, full_path="tools/second", creator=member)
    assert create_project(core, full_path="tools/second", creator=owner).full_path == "tools/second"
    assert create_project(core, full_path="tools/third", creator=make_user(core, is_admin=True)).id


def test_the_repository_of_a_project_that_is_gone_is_not_shown_to_the_next_of_its_id(core: Core) -> None:
    stale = core.repositories.path(1)
    stale.mkdir(parents=True)
    (stale / "secret").write_text("old")
    project = make_project(core)
    assert project.id == 1
    assert not (stale / "secret").exists()


def test_a_mirrors_address_is_kept_sealed(core: Core) -> None:
    url = "https://bot:hunter22@git.example.com/a/b.git"
    project = create_project(core, full_path="a/b", creator=None, mirror_url=url)
    sealed = core.session.get_one(Project, project.id).mirror_url_sealed or ""
    assert "hunter22" not in sealed
    assert core.box.open(sealed, mirror_context(project)) == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc", "ext::sh -c id", "/etc", "../x", "git@host:x.git", "https://", "https://h", "ssh://-oProxyCommand=x/y",
        "https://u:hunter22@ho st/x", "ftp://h/x", "https://u:hunter22@h:port/x",
    ],
)  # fmt: skip
def test_a_mirror_of_this_hosts_files_or_programs_is_refused_without_repeating_the_address(
    core: Core, url: str
) -> None:
    with pytest.raises(SkerryError) as refused:
        create_project(core, full_path="a/b", creator=None, mirror_url=url)
    assert "hunter22" not in str(refused.value)
    assert core.session.scalar(select(Project)) is None


def test_a_runner_is_made_for_its_owner_and_refused_for_any_other(core: Core) -> None:
    project = make_project(core)
    runner, token = create_runner(core, runner_type="project_type", project=project, tags=["b", " a ", "b"])
    assert (runner.tags, runner.project_id) == (["a", "b"], project.id)
    assert authenticate.runner_by_token(core, token) is runner
    assert token.startswith("glrt-")
    for wrong in (
        {"runner_type": "project_type"},
        {"project": project},
        {"runner_type": "any"},
        {"run_untagged": False},
        {"access_level": "all"},
        {"maximum_timeout": 599},
        {"tags": [str(number) for number in range(51)]},
    ):
        with pytest.raises(InvalidRequest):
            create_runner(core, **wrong)  # type: ignore[arg-type]


def test_the_factories_make_rows_that_belong_together(core: Core, tmp_path: Path) -> None:
    project = make_project(core, creator=make_user(core), build_timeout=60)
    pipeline = make_pipeline(core, project)
    job = make_job(core, pipeline, name="compile", stage="build", tags=("b", "a"))
    make_manager(core, make_runner(core)[0])
    assert (make_pipeline(core, project).iid, project.build_timeout) == (2, 60)
    assert (job.pipeline_id, job.stage_index, job.tags, len(job.steps)) == (pipeline.id, 1, ["a", "b"], 1)
