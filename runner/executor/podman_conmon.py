"""Containers without a clean-up command.

When a container ends, its monitor, conmon, starts `podman container cleanup`: a whole program, a fifth of all that a
short job's container costs, which then gets in the way of the request that removes the container (the two want the same
locks, and one of them finds the state "improper"). The runner removes every container of its own anyway, at once, and
what it leaves after a crash at its next start; removal does all that the clean-up would have done. So its Podman
service starts conmon by a few lines of shell that leave that command out.
"""

import logging
import shlex
import subprocess
from pathlib import Path

SECONDS = 10.0
# Passes every argument on, in order, but those two options with their values. A loop over words needs no quoting.
SCRIPT = """#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
    --exit-command | --exit-command-arg)
      shift 2
      left=$((left - 2))
      ;;
    *)
      set -- "$@" "$1"
      shift
      left=$((left - 1))
      ;;
  esac
done
exec {conmon} "$@"
"""

logger = logging.getLogger(__name__)


def write_wrapper(folder: Path, conmon: str) -> Path | None:
    """Make the program `folder`/conmon that starts the conmon at the path `conmon`, and try it. None where it does not
    work (a folder that may hold no programs, for instance): Podman's own way is then only dearer.
    """
    wrapper = folder / "conmon"
    try:
        if not conmon.startswith("/") or not Path(conmon).is_file():
            raise OSError(f"{conmon!r} is no program")
        wrapper.write_text(SCRIPT.format(conmon=shlex.quote(conmon)))
        wrapper.chmod(0o700)
        subprocess.run([wrapper, "--version"], check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("containers keep Podman's own clean-up command: %s", error)
        return None
    return wrapper
