"""What the daemon must know after a `kill -9`: which jobs it had, and how they ended if they had.

One folder for each job below `<data_dir>/jobs`, mode 0700: `job.json` (id, token, where it belongs, the result once
there is one), the log `trace`, and room for files on their way. The folder goes when the server knows the result.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runner.sender import Result


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job of this runner. `runner` is the runner's short token. `reasons`: failure reasons that the
    server accepts.
    """

    job_id: int
    token: str = field(repr=False)
    url: str
    runner: str
    reasons: tuple[str, ...] = ()
    result: Result | None = None


class JobFolder:
    """The folder of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def trace(self) -> Path:
        return self.path / "trace"

    def write(self, record: JobRecord) -> None:
        """Keep `record`, replacing the one before in one step."""
        temporary = self.path / ".job.json"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file)
        temporary.replace(self.path / "job.json")

    def read(self) -> JobRecord | None:
        """The record, None where there is none that can be read."""
        try:
            document = json.loads((self.path / "job.json").read_text(encoding="utf-8"))
            result = document.pop("result")
            reasons = tuple(document.pop("reasons"))
            return JobRecord(**document, reasons=reasons, result=Result(**result) if result else None)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class JobFolders:
    """All of them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, runner: str, job_id: int) -> JobFolder:
        """A fresh folder, also for a job that comes a second time while its first run is still being delivered."""
        return JobFolder(Path(tempfile.mkdtemp(prefix=f"{_safe(runner)}-{job_id}-", dir=self._root)))

    def left_over(self) -> Iterator[tuple[JobFolder, JobRecord]]:
        """What an earlier run of the daemon did not bring to its end. Folders without a record are removed."""
        for path in sorted(self._root.iterdir()):
            folder = JobFolder(path)
            record = folder.read()
            if record is None:
                folder.remove()
            else:
                yield folder, record


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name)
