"""Containers without a clean-up command.

When a container ends, its monitor, conmon, starts `podman container cleanup`: a whole program, a fifth of all that a
short job's container costs, which then gets in the way of the request that removes the container (the two want the same
locks, and one of them finds the state "improper"). The runner removes every container of its own anyway, at once, and
what it leaves after a crash at its next start; removal does all that the clean-up would have done. So its Podman
service starts conmon by a few lines of shell that leave that command out.

Not for containers that share a network: with both its ends taken down at once, the name server of Podman 4 misses the
network that the next job makes in the same moment, and that job's services are not found.
"""

import logging
import shlex
import subprocess
from pathlib import Path

SECONDS = 10.0
#: How the names of containers end that share no network.
ALONE = "-alone"
# Passes every argument on, in order, but those two options with their values. A loop over words needs no quoting.
SCRIPT = """#!/bin/sh
option= alone=
for word; do
  case $option$word in
    -n*{alone}) alone=yes ;;
  esac
  option=$word
done
[ "$alone" ] || exec {conmon} "$@"
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
        wrapper.write_text(SCRIPT.format(conmon=shlex.quote(conmon), alone=ALONE))
        wrapper.chmod(0o700)
        subprocess.run([wrapper, "--version"], check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("containers keep Podman's own clean-up command: %s", error)
        return None
    return wrapper
