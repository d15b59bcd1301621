"""Put a stage's script where the container can read it."""

import os
import re
import secrets
import shlex
from pathlib import Path

from runner.executor.base import ExecutorError, Stage

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def write_script(control: Path, project_dir: str, stage: Stage) -> str:
    """Write `stage`'s script into the control folder; returns its file name.

    The job can write to that folder as well. So the file is made anew under a random name, relative to the opened
    folder and following no link: whatever the job has laid there, nothing of the host's is written to.
    """
    name = f"stage-{secrets.token_hex(8)}"
    text = f"cd {shlex.quote(project_dir)} 2>/dev/null\n{exports(stage)}{stage.script}"
    try:
        folder = os.open(control, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, 0o644, dir_fd=folder), "wb") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(text.encode("utf-8", "surrogateescape"))
        finally:
            os.close(folder)
    except OSError as error:
        raise ExecutorError(f"The script of stage {stage.name} cannot be written: {error}") from error
    return name


def exports(stage: Stage) -> str:
    """The stage's own variables as shell lines; what is no shell name cannot be exported and is left out."""
    return "".join(
        f"export {key}={shlex.quote(value)}\n" for key, value in stage.environment.items() if NAME.fullmatch(key)
    )
