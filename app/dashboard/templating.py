"""What all templates know: who looks, what they may do, and words for numbers, times and statuses."""

from datetime import datetime
from typing import Any

from flask import Flask, g

from app.dashboard import wording
from app.dashboard.context import can, visitor
from app.edge import core


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        status_word=wording.status_word,
        status_tone=wording.status_tone,
        shown_status=wording.shown_status,
        file_size=wording.size,
        duration=wording.duration,
        machine_time=wording.machine_time,
        full_time=wording.full_time,
        visible=wording.visible,
        age=lambda moment: wording.age(moment, core().now()),
    )
    app.context_processor(_common)


def _common() -> dict[str, Any]:
    return {"visitor": visitor(), "can": can, "section": g.get("section"), "elapsed": _elapsed, "config_": core().config}


def _elapsed(start: datetime | None, end: datetime | None) -> float | None:
    return wording.elapsed(start, end, core().now())
