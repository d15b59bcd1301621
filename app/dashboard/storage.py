"""How much room each project takes."""

from flask import render_template
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator
from app.http.edge import core
from app.services.projects.measure_usage import show_usage


@pages.get("/-/admin/storage")
def storage() -> ResponseReturnValue:
    administrator()
    return render_template("admin/storage.html", usage=show_usage(core()))
