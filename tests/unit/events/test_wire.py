"""Announcements survive the way through a channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import wire
from app.events.base import Notice, QueuedJob

numbers = st.integers(0, 2**63 - 1)
jobs = st.builds(
    QueuedJob,
    job_id=numbers,
    project_id=numbers,
    group_ids=st.lists(numbers, max_size=5).map(tuple),
    tags=st.frozensets(st.text(max_size=20), max_size=5),
    protected=st.booleans(),
    instance_runners=st.booleans(),
)


@given(jobs)
def test_a_job_comes_back_as_it_was(job):
    assert wire.parse(wire.queued(job)) == job


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=10), st.integers(), max_size=5))
def test_a_notice_comes_back_as_it_was(topic, data):
    assert wire.parse(wire.notice(Notice(topic, data))) == Notice(topic, data)


def test_watched_topics_come_back_in_pieces():
    topics = [f"trace:{number}" for number in range(250)]
    assert [topic for text in wire.watching(topics) for topic in wire.parse(text)] == topics


def test_what_is_too_long_is_said_shortly():
    job = QueuedJob(1, 1, (1,), frozenset(f"tag{number}" * 20 for number in range(100)), False)
    assert wire.parse(wire.queued(job)) is None
    assert wire.parse(wire.notice(Notice("job:1", {"text": "x" * 10_000}))) == Notice("job:1", {})


@pytest.mark.parametrize("text", ["", "x", "1", "[]", "{}", '{"queued": {}}', '{"notice": {"x": 1}}', '{"queued": 1}'])
def test_what_is_no_announcement_is_refused(text):
    with pytest.raises(ValueError):
        wire.parse(text)
