"""Who calls, and what a call of permissions.txt is about: made when it is first asked for."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count

from app.domain.permissions import Role
from app.domain.plan import Variable
from app.git.command import run
from app.models import (
    CiVariable,
    Deployment,
    Group,
    Job,
    Project,
    Release,
    ReleaseLink,
    Runner,
    write,
)  # fmt: skip
from app.services.accounts.place_tokens import Draft as TokenDraft
from app.services.accounts.place_tokens import create_place_token
from app.services.environments.save_environment import create_environment
from app.services.jobs.resources import group_ids, take
from app.services.pipelines.triggers import add_trigger
from app.services.projects.ci_variables import add_variable, variables_of
from app.services.projects.groups import create_group
from app.services.projects.job_token_scope import grant
from app.services.repositories.protect_refs import protect
from app.services.runners.share_runner import share_runner
from app.services.schedules.save_schedule import Draft, create_schedule
from app.services.schedules.schedule_variables import add_variable as add_schedule_variable
from tests.factories import make_member, make_pipeline, make_project, make_runner, make_token, make_user
from tests.support.place import Place, zipped


class Things:
    """Makes what a call is about: `{pending}` is a pending job, the same until a call changed it (`forget`), so that no
    call depends on one before.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: dict[str, int | str] = {}
        self._numbers = count(10, 10)
        self._place.pipeline = make_pipeline(place.core, place.project, ref="topic", protected=False)

    def make(self, name: str) -> int | str:
        if name not in self._made:
            builder: Callable[[], int | str] = getattr(self, f"_{name}")
            self._made[name] = builder()
        return self._made[name]

    def forget(self, names: Iterable[str]) -> None:
        """The next call gets new ones of these."""
        for name in names:
            self._made.pop(name, None)

    def _job(self, **given: object) -> Job:
        return self._place.job(**{"user_id": self._place.users["developer"].id, **given})

    def _pending(self) -> int:
        return self._job().id

    def _canceling(self) -> int:
        return self._job(status="canceling").id

    def _manual(self) -> int:
        return self._job(status="manual", when="manual").id

    def _failed(self) -> int:
        return self._job(status="failed").id

    def _logged(self) -> int:
        job = self._job(status="failed")
        self._place.log(job, b"log")
        return job.id

    def _others(self) -> int:
        job = self._job(status="failed", user_id=self._place.users["owner"].id)
        self._place.log(job, b"log")
        return job.id

    def _debug(self) -> int:
        job = self._job(status="failed")
        self._place.set(job, plan=job.plan | {"variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]})
        return job.id

    def _archived(self) -> int:
        job = self._job(name="build", status="success")
        self._place.archive(job, zipped({"a": b"1"}))
        return job.id

    def _passed(self) -> int:
        """A pipeline of the default branch that passed, with artifacts of the job `build`."""
        before = self._place.pipeline
        self._place.pipeline = passed = make_pipeline(self._place.core, self._place.project, status="success")
        self._archived()
        self._place.pipeline = before
        return passed.id

    def _pipeline(self) -> int:
        return make_pipeline(self._place.core, self._place.project, status="failed", ref="topic", protected=False).id

    def _guarded(self) -> int:
        """A failed job of a protected branch."""
        unprotected = self._place.pipeline
        self._place.pipeline = make_pipeline(self._place.core, self._place.project)
        job = self._job(status="failed")
        self._place.pipeline = unprotected
        return job.id

    def _variable(self) -> int:
        return add_variable(self._place.core, self._place.project, "KEY", "v", {}).id

    def _group(self) -> int:
        """The resource group `prod`, and the job that holds it."""
        job = self._job(status="running")
        with write(self._place.core.session):
            group = group_ids(self._place.core, self._place.project.id, ["prod"])["prod"] or 0
            take(self._place.core, group, job.id)
        return group

    def _schedule(self) -> int:
        """A schedule of the developer, with a variable KEY."""
        core, developer = self._place.core, self._place.users["developer"]
        draft = Draft(description="nightly", ref="refs/heads/topic", cron="0 1 * * *")
        schedule = create_schedule(core, self._place.project, developer, draft)
        add_schedule_variable(core, schedule, developer, Variable("KEY", "v", public=False))
        return schedule.id

    def _grouped(self) -> int:
        """A variable KEY of the group, which a call before may have removed."""
        return self._kept(self._place.project.group)

    def _overall(self) -> int:
        """The same of the instance."""
        return self._kept(None)

    def _kept(self, of: Group | None) -> int:
        self._place.core.session.rollback()
        found = self._place.core.session.scalar(variables_of(of).where(CiVariable.key == "KEY"))
        return found.id if found else add_variable(self._place.core, of, "KEY", "v", {}).id

    def _trigger(self) -> int:
        place = self._place
        return add_trigger(place.core, place.project, place.users["maintainer"], "nightly").id

    def _environment(self, state: str = "available") -> int:
        made = create_environment(self._place.core, self._place.project, f"review/{next(self._numbers)}", {})
        self._place.set(made, state=state)
        return made.id

    def _stopped(self) -> int:
        return self._environment("stopped")

    def _deployment(self) -> int:
        values = {"project_id": 1, "ref": "topic", "sha": "1" * 40, "status": "success"}
        environment_id, now = self._environment(), self._place.core.now()
        with write(self._place.core.session):
            made = Deployment(environment_id=environment_id, created_at=now, updated_at=now, **values)
            self._place.core.session.add(made)
        return made.id

    def _release(self) -> int:
        """The release of the tag `v` and this number, with a link of this number."""
        now, number = self._place.core.now(), next(self._numbers)
        texts = {"tag_name": f"v{number}", "name": "One", "sha": "1" * 40}
        with write(self._place.core.session):
            release = Release(project_id=1, released_at=now, created_at=now, updated_at=now, **texts)
            release.links = [ReleaseLink(id=number, name="a", url="https://a.example.com", created_at=now)]
            self._place.core.session.add(release)
        return number

    def _runner(self) -> int:
        return make_runner(self._place.core, runner_type="project_type", project=self._place.project)[0].id

    def _elsewhere(self) -> int:
        """A project that everyone sees, and that the maintainer maintains too."""
        core, users, path = self._place.core, self._place.users, f"far/away{next(self._numbers)}"
        project = make_project(core, path, creator=users["owner"], visibility="public")
        make_member(core, users["maintainer"], project, Role.MAINTAINER)
        return project.id

    def _foreign(self) -> int:
        """A runner of such a project."""
        project = self._place.core.session.get_one(Project, self._elsewhere())
        return make_runner(self._place.core, runner_type="project_type", project=project)[0].id

    def _shared(self) -> int:
        """One that takes this project's jobs too."""
        runner = self._place.core.session.get_one(Runner, self._foreign())
        return share_runner(self._place.core, runner, self._place.project).id

    def _granted(self) -> int:
        """A project whose job tokens count here."""
        source = self._place.core.session.get_one(Project, self._elsewhere())
        grant(self._place.core, self._place.project, source)
        return source.id

    def _outside(self) -> int:
        """A group that everyone sees."""
        path = f"outside{next(self._numbers)}"
        return create_group(self._place.core, self._place.users["owner"], name="O", path=path, visibility="public").id

    def _trusted(self) -> int:
        """A group whose projects' job tokens count here."""
        source = self._place.core.session.get_one(Group, self._outside())
        grant(self._place.core, self._place.project, source)
        return source.id

    def _bot(self) -> int:
        """An access token of the project."""
        return self._bot_of(self._place.project)

    def _groupbot(self) -> int:
        """One of its group."""
        return self._bot_of(self._place.project.group)

    def _bot_of(self, place: Project | Group) -> int:
        draft = TokenDraft(name="bot", scopes=["api"], role=Role.GUEST)
        return create_place_token(self._place.core, place, self._place.users["owner"], draft)[0].id

    def _member(self) -> int:
        """A new user with the least role in the project and in its group."""
        user = make_user(self._place.core)
        make_member(self._place.core, user, self._place.project, Role.GUEST)
        make_member(self._place.core, user, self._place.core.session.get_one(Group, 1), Role.GUEST)
        return user.id

    def _user(self) -> int:
        return make_user(self._place.core).id

    def _token(self) -> int:
        """A token of the project's owner."""
        user = self._place.users["owner"]
        return make_token(self._place.core, user)[0].id

    def _rule(self) -> str:
        """A pattern of protected branches and of protected tags."""
        pattern = f"rule{next(self._numbers)}"
        for kind in ("branch", "tag"):
            protect(self._place.core, self._place.project, kind, pattern)
        return pattern

    def _branch(self) -> str:
        """A branch, and a tag of the same name."""
        name, repository = f"new{next(self._numbers)}", self._place.core.repositories.open(1)
        commit = repository.branches()[0].target
        for kind in ("heads", "tags"):
            run(repository.folder, ["update-ref", f"refs/{kind}/{name}", commit])
        return name


def credentials(place: Place, column: str) -> dict[str, str]:
    """The headers of a caller, with a new token."""
    if column == "anonymous":
        return {}
    if column in ("revoked", "expired"):
        past = place.core.now() - timedelta(seconds=1)
        given = {"revoked_at": past} if column == "revoked" else {"expires_at": past}
        return {"PRIVATE-TOKEN": place.token(place.users["owner"], **given)}
    if column == "runner":
        _, plain = make_runner(place.core)
        return {"Runner-Token": plain, "PRIVATE-TOKEN": plain}
    if not column.endswith("job"):
        return {"PRIVATE-TOKEN": place.token(place.users[column])}
    pipeline = place.pipeline
    if column == "otherjob":
        elsewhere = make_project(place.core, creator=place.users["owner"])
        place.pipeline = make_pipeline(place.core, elsewhere, user=place.users["owner"])
    job = place.job(status="success" if column == "endedjob" else "running")
    place.set(job, user_id=place.users["developer"].id)
    place.pipeline = pipeline
    return {"JOB-TOKEN": place.job_token(job)}
