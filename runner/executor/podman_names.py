"""What Podman's name server remembers of networks that are gone.

When a runner or a container dies at the wrong moment, Podman removes the network and leaves the name server's file
of it. The next network gets the same addresses, and the name server then answers its containers out of the old file:
no service is found by name any more, in any job, until somebody removes the file.
"""

import logging
from pathlib import Path

from runner.executor.podman_api import PodmanClient, PodmanError

#: How the networks begin that this executor makes; no other one's file is touched.
PREFIX = "skerry-"

logger = logging.getLogger(__name__)


def forget_lost_networks(client: PodmanClient) -> list[str]:
    """Remove the name server's files of networks of ours that are not there any more; returns their names.

    Of what another runner of this account makes meanwhile nothing is lost: it has its network before its file, and the
    files are looked at first.
    """
    try:
        store = client.request("GET", "/info").get("store") or {}
        folder = Path(str(store.get("runRoot") or "/nonexistent"), "networks", "aardvark-dns")
        files = [path for path in folder.glob(f"{PREFIX}*") if path.is_file()]
        if not files:
            return []
        known = {network["name"] for network in client.request("GET", "/networks/json") or []}
        lost = [path for path in files if path.name not in known]
        for path in lost:
            path.unlink(missing_ok=True)
    except (PodmanError, OSError) as error:
        logger.warning("the name server's old files cannot be removed: %s", error)
        return []
    return [path.name for path in lost]
