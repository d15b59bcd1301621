"""What waits for a runner, and why."""

from flask import render_template
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator
from app.http.edge import core
from app.services.jobs.show_queue import show_queue


@pages.get("/-/admin/queue")
def queue() -> ResponseReturnValue:
    administrator()
    return render_template("admin/queue.html", queue=show_queue(core()))
