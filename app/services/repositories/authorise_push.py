"""Which refs of a push may move, and what is said of the others."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain import refs
from app.domain.permissions import Role
from app.git.receive import RefUpdate
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.repositories.protected_refs import Protections, may_push

#: Refs of our own: writers neither see nor move them.
KEPT = ("refs/pipelines/", "refs/keep/")
NOTES_PREFIX = "refs/notes/"
MAX_REF = 1000


@dataclass(frozen=True, slots=True)
class Authorised:
    """The updates that may be tried, the reasons why others are refused by ref, and the refs that may only move
    forward.
    """

    allowed: tuple[RefUpdate, ...]
    refused: dict[str, str]
    forward_only: tuple[str, ...] = ()


def authorise_push(core: Core, project: Project, user: User, updates: Iterable[RefUpdate], atomic: bool) -> Authorised:
    """Judge each update of `user`, who may push to `project` at all. One refused update of an atomic push
    refuses all.
    """
    judge = _Judge(core, project, user)
    updates = tuple(updates)
    reasons = {update.ref: judge.refusal(update) for update in updates}
    refused = {ref: reason for ref, reason in reasons.items() if reason}
    if refused and atomic:
        return Authorised((), {update.ref: refused.get(update.ref, "atomic push failed") for update in updates})
    allowed = tuple(update for update in updates if update.ref not in refused)
    return Authorised(allowed, refused, tuple(update.ref for update in allowed if judge.forward_only(update)))


class _Judge:
    def __init__(self, core: Core, project: Project, user: User) -> None:
        self._core, self._project, self._user = core, project, user
        self._protections = Protections(core, project)

    def refusal(self, update: RefUpdate) -> str | None:
        """Why `update` is refused, None when it is not."""
        if update.ref.startswith(KEPT):
            return "these refs are kept by the server"
        ref = refs.split(update.ref)
        if _unusable(update.ref):
            return "this cannot be the name of a ref here"
        if update.ref.startswith(NOTES_PREFIX):
            return None
        if ref.kind == "other":
            return "only branches, tags and notes can be pushed"
        if not refs.is_valid_name(ref.name):
            return f"this cannot be the name of a {ref.kind}"
        return self._tag(update, ref.name) if ref.is_tag else self._branch(update, ref.name)

    def forward_only(self, update: RefUpdate) -> bool:
        """Whether `update` must keep all that the ref holds. Git itself checks that, because it has the new commits."""
        ref = refs.split(update.ref)
        moves = ref.kind == "branch" and not update.creates and not update.deletes
        return moves and not self._protections.of("branch", ref.name).allow_force_push

    def _branch(self, update: RefUpdate, name: str) -> str | None:
        protection = self._protections.of("branch", name)
        if update.deletes and name == self._project.default_branch:
            return "the default branch cannot be deleted"
        if update.deletes and protection.protected:
            return "protected branches cannot be deleted by a push"
        if not may_push(self._core, self._user, self._project, protection):
            return "you are not allowed to push to this protected branch"
        return None

    def _tag(self, update: RefUpdate, name: str) -> str | None:
        protection = self._protections.of("tag", name)
        if protection.protected and not update.creates:
            return "protected tags cannot be changed or deleted by a push"
        if not may_push(self._core, self._user, self._project, protection):
            return "you are not allowed to create this protected tag"
        if not update.creates and not update.deletes and not self._is_maintainer():
            return "only maintainers may change existing tags"
        return None

    def _is_maintainer(self) -> bool:
        return self._user.is_admin or access.role_of(self._core, self._user, self._project) >= Role.MAINTAINER


def _unusable(ref: str) -> bool:
    """Names that are too long for us, that are not UTF-8 (`receive` marks such bytes as half characters), or
    that git forbids.
    """
    try:
        return len(ref.encode()) > MAX_REF or not refs.is_valid_ref(ref)
    except UnicodeEncodeError:
        return True
