"""What all templates know: who looks, what they may do, and words for numbers, times and statuses."""

import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g

from app.dashboard import act_wording, wording
from app.dashboard.context import can, visitor
from app.dashboard.in_place import in_place
from app.dashboard.play_variables import inputs_of
from app.dashboard.schedule_form import text_of
from app.domain import status
from app.http.edge import core
from app.models import Artifact, Project
from app.services.artifacts.keep_artifacts import available
from app.services.jobs.erase_job import erasable
from app.services.jobs.retry_job import retryable
from app.services.repositories.change_mirror import mirror_origin
from app.services.repositories.first_commit import STARTERS, is_empty
from app.services.repositories.request_fetch import fetch_state


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
        day=wording.day,
        browser=wording.browser,
        act_words=act_wording.act_words,
        act_details=act_wording.act_details,
        with_query=_with_query,
        shell_word=shlex.quote,
        age=lambda moment: wording.age(moment, core().now()),
    )
    # Globals, not the context of one request: macros that templates import see these too.
    app.jinja_env.globals.update(
        can=can,
        elapsed=_elapsed,
        in_place=in_place,
        now=lambda: core().now(),
        erasable=erasable,
        retryable=retryable,
        inputs_of=inputs_of,
        input_text=text_of,
        keepable=_keepable,
        first_steps=_first_steps,
        cancelable=status.CANCELABLE,
        blocked=status.BLOCKED,
    )
    app.context_processor(_of_request)


def _of_request() -> dict[str, Any]:
    return {"visitor": visitor(), "section": g.get("section"), "external_url": core().config.external_url}


def _with_query(given: Mapping[str, Any], **more: Any) -> str:
    """The query string of what is not empty."""
    return urlencode({name: value for name, value in (dict(given) | more).items() if value not in ("", None)})


def _elapsed(start: datetime | None, end: datetime | None) -> float | None:
    return wording.elapsed(start, end, core().now())


def _first_steps(project: Project) -> dict[str, Any]:
    """What the page of a project without pipelines says: `empty` (nothing was pushed yet), `starters`, and of a mirror
    `origin`, where it comes from, without credentials, and whether it is being fetched (`fetching`).
    """
    origin = mirror_origin(core(), project)
    return {
        "empty": is_empty(core(), project),
        "starters": STARTERS,
        "origin": origin and origin.address,
        "fetching": origin is not None and fetch_state(core(), project).goes_on,
    }


def _keepable(artifacts: Iterable[Artifact]) -> bool:
    """Whether any of them would be lost one day."""
    return any(artifact.expire_at is not None and available(core(), artifact) for artifact in artifacts)
