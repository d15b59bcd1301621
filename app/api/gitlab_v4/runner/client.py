"""Whether whoever asked still listens."""

import select
import socket
from typing import Any


def is_gone(environ: dict[str, Any]) -> bool:
    """Whether the client of this request hung up. False where the server does not hand out its socket."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        return False
    try:
        poller = select.poll()
        poller.register(connection, select.POLLIN)
        if not poller.poll(0):
            return False
        # Readable: more of the client's bytes, or the end of them. Looking takes nothing away.
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):  # reset, or closed on our side
        return True
