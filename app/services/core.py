"""What every use case needs, put together once by `create_app` and passed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import scoped_session

from app.config import Config
from app.crypto import SecretBox
from app.domain.audit import Caller
from app.events.base import Bus
from app.storage.base import BlobStore, TraceStore

if TYPE_CHECKING:
    from app.git.repositories import Repositories


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that services work with. `session` is the session of the calling request or thread; `now` tells the
    time in UTC; `caller` who acts now.
    """

    config: Config
    session: "scoped_session[Any]"
    box: SecretBox
    bus: Bus
    artifacts: BlobStore
    traces: TraceStore
    repositories: "Repositories"
    now: Callable[[], datetime] = utc_now
    caller: Callable[[], Caller] = Caller

    @property
    def data_dir(self) -> Path:
        return self.config.data_dir
