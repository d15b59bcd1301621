"""Tags that the server itself makes in a bare repository."""

from datetime import datetime

from app.domain import refs
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.git.command import GitFailed, run
from app.git.objects import ZERO_ID, is_object_id
from app.git.repository import Repository


def annotate(repository: Repository, name: str, commit_id: str, message: str, tagger: str, at: datetime) -> str:
    """The id of a new tag object with `message`; `tagger` as `Name <address>`. No ref points at it yet."""
    _check(name, commit_id)
    person = "".join(character for character in tagger if character.isprintable())
    head = f"object {commit_id}\ntype commit\ntag {name}\ntagger {person} {int(at.timestamp())} +0000\n\n"
    body = message.replace("\0", "\ufffd").rstrip("\n") + "\n"
    _, out = run(repository.folder, ["mktag"], stdin=(head + body).encode("utf-8", "replace"))
    return out.decode("ascii").strip()


def add_tag(repository: Repository, name: str, target: str) -> None:
    """Make the tag `name` at the object `target`. Raises AlreadyExists where there is one of that name."""
    _check(name, target)
    try:
        run(repository.folder, ["update-ref", "--no-deref", refs.TAG_PREFIX + name, target, ZERO_ID])
    except GitFailed as error:
        if repository.current([refs.TAG_PREFIX + name]):
            raise AlreadyExists(f"the tag {name} already exists", "tag_name") from error
        raise


def _check(name: str, target: str) -> None:
    if not refs.is_valid_name(name):
        raise InvalidRequest("Tag name invalid", "tag_name")
    if not is_object_id(target):
        raise NotFound("Commit")
