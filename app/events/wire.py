"""Announcements as short texts, for a channel between processes."""

import json
from dataclasses import asdict

from app.events.base import Notice, QueuedJob

#: PostgreSQL takes payloads of less than 8,000 bytes.
LONGEST = 7900


def queued(job: QueuedJob) -> str:
    """`job` as text; one that is too long says only that there is something for everybody."""
    text = json.dumps({"queued": asdict(job) | {"tags": sorted(job.tags)}}, separators=(",", ":"))
    return text if len(text) <= LONGEST else json.dumps({"all": True})


def notice(one: Notice) -> str:
    """`one` as text; data that is too long stays behind, so that whoever listens reads the database."""
    text = json.dumps({"notice": {"topic": one.topic, "data": one.data}}, separators=(",", ":"))
    return text if len(text) <= LONGEST else json.dumps({"notice": {"topic": one.topic, "data": {}}})


def watching(topics: list[str]) -> list[str]:
    """That somebody listens to `topics`, in as many texts as it takes."""
    return [json.dumps({"watching": topics[start : start + 100]}) for start in range(0, len(topics), 100)]


def parse(text: str) -> QueuedJob | Notice | list[str] | None:
    """What a text announces; a list: topics that somebody watches; None: something for everybody.

    Raises ValueError where another version wrote what this one does not understand.
    """
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("not an announcement")
        if "queued" in document:
            job = document["queued"]
            return QueuedJob(**(job | {"tags": frozenset(job["tags"]), "group_ids": tuple(job["group_ids"])}))
        if "notice" in document:
            return Notice(**document["notice"])
        if "watching" in document:
            return [str(topic) for topic in document["watching"]]
    except (TypeError, KeyError) as error:
        raise ValueError(f"not an announcement: {error}") from error
    if document.get("all"):
        return None
    raise ValueError("not an announcement")
