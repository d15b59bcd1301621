"""The wall board: every project's default branch, large enough for the other end of a room."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import visitor
from app.http.edge import core
from app.services.projects.show_board import show_board


@pages.get("/-/board")
def board() -> ResponseReturnValue:
    """`?group=PATH` shows one group. Who is not signed in sees what is public."""
    group = request.args.get("group", "").strip()
    tiles = show_board(core(), visitor(), group)
    return render_template("admin/board.html", tiles=tiles, group=group)
