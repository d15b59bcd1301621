"""A log by range, its index, and its stream."""

import base64
import json
import os
import posixpath
import re
import threading
import time

import pytest
import requests

from app import assets
from app.dashboard import job_log, streams
from app.events.base import Notice, TooManyWaiting
from app.models import write
from app.storage.base import End
from tests.factories import print_trace

LOG = b"".join(b"line %d\n" % number for number in range(1, 20_001))
RAW = "/skerry/hello/-/jobs/1/raw"
EVENTS = "/skerry/hello/-/jobs/1/events"


@pytest.fixture
def logged(site, core):
    """The job has printed LOG and ended."""
    print_trace(core, 1, LOG)
    with write(core.session):
        site.job.status = "success"
    return site


def _events(text: str) -> list[dict]:
    found = []
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if line and not line.startswith(":")]
        event = {name: value for name, _, value in lines}
        if "event" in event:
            found.append(event)
    return found


def _bytes(events: list[dict]) -> bytes:
    return b"".join(base64.b64decode(event["data"]) for event in events if event["event"] == "log")


def test_the_raw_log_is_the_bytes_as_they_came_and_nothing_in_it_can_run(logged):
    response = logged.visitor("guest").get(RAW)
    assert response.data == LOG
    assert response.mimetype == "text/plain"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    download = logged.visitor("guest").get(RAW + "?download=1")
    assert download.headers["Content-Disposition"] == 'attachment; filename="job-1.log"'


@pytest.mark.parametrize(
    ("wanted", "status", "expected"),
    [
        ("bytes=0-9", 206, LOG[:10]),
        ("bytes=100-", 206, LOG[100:]),
        ("bytes=-7", 206, LOG[-7:]),
        ("bytes=5-99999999", 206, LOG[5:]),
        ("bytes=99999999-", 416, b""),
        ("bytes=0-1,5-6", 416, b""),
        ("lines=1-2", 200, LOG),
        ("bytes=x", 200, LOG),
    ],
)
def test_a_part_of_the_log_is_fetched_by_range(logged, wanted, status, expected):
    response = logged.visitor("guest").get(RAW, headers={"Range": wanted})
    assert (response.status_code, response.data) == (status, expected)


def test_a_job_without_a_log_has_an_empty_one(site):
    guest = site.visitor("guest")
    assert guest.get(RAW).data == b""
    assert guest.get("/skerry/hello/-/jobs/1/log_index").json == {
        "size": 0,
        "lines": 0,
        "blocks": [],
        "sections": [],
        "times": [],
        "last": "",
    }


def test_nobody_reads_beyond_what_the_row_counts(logged, core):
    """After a hand-back the file is longer for a while: those are the lines of an attempt that never was."""
    counted, guest = LOG[:70_000], logged.visitor("guest")
    with write(core.session):
        logged.job.trace_size = len(counted)
    assert guest.get(RAW).data == counted
    assert guest.get(RAW, headers={"Range": "bytes=-7"}).data == counted[-7:]
    assert guest.get(RAW, headers={"Range": "bytes=70000-"}).status_code == 416
    assert guest.get("/skerry/hello/-/jobs/1/log_index").json["size"] == len(counted)
    assert _bytes(_events(guest.get(EVENTS).text)) == counted
    page = guest.get("/skerry/hello/-/jobs/1").text
    assert "line 20000" not in page
    with write(core.session):
        logged.job.trace_size = 0
    assert guest.get(RAW).data == b""
    assert _events(guest.get(EVENTS + "?from=70000").text)[0]["event"] == "reset"


def test_a_log_whose_file_lost_its_end_is_shown_as_far_as_it_goes(logged, core):
    os.truncate(core.traces.path(1), 1000)
    guest = logged.visitor("guest")
    response = guest.get(RAW)
    assert (response.data, response.content_length) == (LOG[:1000], 1000)
    assert _bytes(_events(guest.get(EVENTS).text)) == LOG[:1000]


def test_the_index_leads_to_every_line(logged):
    guest = logged.visitor("guest")
    index = guest.get("/skerry/hello/-/jobs/1/log_index").json
    assert (index["size"], index["lines"]) == (len(LOG), 20_000)
    start, line, lines, _ = index["blocks"][3]
    end = index["blocks"][4][0]
    part = guest.get(RAW, headers={"Range": f"bytes={start}-{end - 1}"}).data.split(b"\n")
    assert part[0] == b"line %d" % line
    assert len(part) - 1 == lines
    assert base64.b64decode(index["last"]) == LOG[index["blocks"][-1][0] :]


def test_the_page_names_all_its_scripts_so_that_none_waits_for_another(logged):
    page = logged.visitor("guest").get("/skerry/hello/-/jobs/1").text
    named = re.findall(r'rel="modulepreload" href="[^"]*/js/([\w/]+)', page)
    assert sorted(named) == sorted(_scripts(r'(?:from |import\()"(.+?)\.js"') - {"main"})
    everywhere = _scripts(r'from "(.+?)\.js"')
    assert [name for name in everywhere if name.startswith("log/")] == [], "other pages load none of the log's"


def _scripts(imports: str) -> set[str]:
    """What `main.js` leads to by `imports`, a pattern with one group."""
    folder, needed, new = assets.folder("static") / "js", set(), {"main"}
    while new:
        needed |= new
        found = [(name, part) for name in new for part in re.findall(imports, (folder / f"{name}.js").read_text())]
        new = {posixpath.normpath(posixpath.join(posixpath.dirname(name), part)) for name, part in found} - needed
    return needed


def test_the_stream_of_an_ended_job_sends_all_of_it_and_ends(logged):
    response = logged.visitor("guest").get(EVENTS)
    assert response.mimetype == "text/event-stream"
    events = _events(response.text)
    assert _bytes(events) == LOG
    assert events[-2]["event"] == "changed"
    assert events[-1]["event"] == "end"
    logs = [event for event in events if event["event"] == "log"]
    assert logs[-1]["id"] == str(len(LOG))


def test_a_reader_who_is_far_behind_does_not_wait(site, core):
    log = b"x" * (3 * streams_bytes() + 5)
    print_trace(core, 1, log)
    with write(core.session):
        site.job.status = "success"
    begun = time.monotonic()
    assert _bytes(_events(site.visitor("guest").get(EVENTS).text)) == log
    assert time.monotonic() - begun < streams.TICK


def streams_bytes() -> int:
    """What a stream sends in one go."""
    return job_log.BURST * job_log.CHUNK


def test_a_reader_who_comes_again_loses_and_repeats_nothing(logged):
    guest = logged.visitor("guest")
    assert _bytes(_events(guest.get(EVENTS + "?from=1234").text)) == LOG[1234:]
    again = guest.get(EVENTS + "?from=0", headers={"Last-Event-ID": "70000"}).text
    assert _bytes(_events(again)) == LOG[70_000:]
    assert _bytes(_events(guest.get(EVENTS + "?from=nonsense").text)) == LOG


def test_a_reader_of_a_log_that_was_cut_is_told_to_begin_anew(logged):
    events = _events(logged.visitor("guest").get(EVENTS + "?from=99999999").text)
    assert events[0]["event"] == "reset"
    assert _bytes(events) == LOG


def test_a_reader_who_has_seen_this_version_is_not_told_of_a_change(logged):
    guest = logged.visitor("guest")
    version = next(event["data"] for event in _events(guest.get(EVENTS).text) if event["event"] == "changed")
    events = _events(guest.get(f"{EVENTS}?from={len(LOG)}&version={version}").text)
    assert [event["event"] for event in events] == ["end"]


def test_a_crowd_is_told_to_come_again(logged, core, monkeypatch):
    def full(_topics):
        raise TooManyWaiting

    monkeypatch.setattr(type(core.bus), "subscribe", lambda _bus, topics: full(topics))
    response = logged.visitor("guest").get(EVENTS)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"


def test_one_visitor_cannot_take_all_the_places(site, monkeypatch):
    monkeypatch.setattr(streams, "STREAMS_OF_ONE_VISITOR", 1)
    guest, reporter = site.visitor("guest"), site.visitor("reporter")
    first = guest.get(EVENTS, buffered=False)
    assert guest.get(EVENTS).status_code == 503
    other = reporter.get(EVENTS, buffered=False)
    assert other.status_code == 200
    other.close()
    first.close()
    again = guest.get(EVENTS, buffered=False)
    assert again.status_code == 200, "a place that was left is free again"
    again.close()


class _Reader(threading.Thread):
    """Reads a stream over real HTTP and keeps what came."""

    def __init__(self, url: str, cookies) -> None:
        super().__init__(daemon=True)
        self.response = requests.get(url, stream=True, cookies=cookies, timeout=30)
        self.text, self.ended = "", False

    def run(self) -> None:
        for piece in self.response.iter_content(None):
            self.text += piece.decode()
        self.ended = True

    def wait_for(self, condition, seconds: float = 10) -> None:
        until = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < until, self.text
            time.sleep(0.02)


@pytest.fixture
def signed_in_cookies(site):
    visitor = site.visitor("guest")
    cookie = visitor.client.get_cookie("skerry_session")
    return {cookie.key: cookie.value}


def test_the_log_of_a_running_job_comes_as_it_grows_and_the_stream_ends_with_the_job(
    site, core, server, signed_in_cookies
):
    reader = _Reader(server.url + EVENTS, signed_in_cookies)
    reader.start()
    written = b""
    for number in range(3):
        piece = b"piece %d \xf0\x9f" % number
        print_trace(core, 1, piece)
        written += piece
        core.bus.publish(Notice("trace:1"))
        reader.wait_for(lambda reader, so_far=written: _bytes(_events(reader.text)) == so_far)
    with write(core.session):
        site.job.status, site.job.updated_at = "success", core.now()
    core.bus.publish(Notice("job:1"))
    reader.wait_for(lambda reader: reader.ended)
    assert [event["event"] for event in _events(reader.text)][-2:] == ["changed", "end"]


def test_a_stream_ends_when_the_server_stops(site, core, server, signed_in_cookies):
    reader = _Reader(server.url + EVENTS, signed_in_cookies)
    reader.start()
    core.bus.stop()
    reader.wait_for(lambda reader: reader.ended, seconds=4)


def test_a_waiting_stream_speaks_up_and_asks_again_whether_its_reader_may_read(
    site, core, server, signed_in_cookies, monkeypatch
):
    monkeypatch.setattr(streams, "HEARTBEAT", 0.05)
    monkeypatch.setattr(streams, "RECHECK", 0.3)
    monkeypatch.setattr(streams, "TICK", 0.05)
    reader = _Reader(server.url + EVENTS, signed_in_cookies)
    reader.start()
    reader.wait_for(lambda reader: ": still here" in reader.text)
    assert not reader.ended
    from app.models import Membership, User

    with write(core.session):
        guest = core.session.query(User).filter_by(username="guest").one()
        core.session.query(Membership).filter_by(user_id=guest.id).delete()
    reader.wait_for(lambda reader: reader.ended)


def test_waiting_streams_hold_no_connection_to_the_database(site, core, server, signed_in_cookies):
    from app.extensions import db

    readers = [_Reader(server.url + EVENTS, signed_in_cookies) for _ in range(5)]
    for reader in readers:
        reader.start()
        reader.wait_for(lambda reader: "event: changed" in reader.text)
    core.session.remove()
    until = time.monotonic() + 5
    while db.engine.pool.checkedout():
        assert time.monotonic() < until, "a stream that waits keeps a connection"
        time.sleep(0.02)
    core.bus.stop()
    for reader in readers:
        reader.wait_for(lambda reader: reader.ended)


def test_the_pipeline_tells_of_its_jobs(site, core):
    guest = site.visitor("guest")
    response = guest.get("/skerry/hello/-/pipelines/1/events?version=old", buffered=False)
    pieces = iter(response.iter_encoded())
    assert next(pieces) == b"retry: 2000\n\n"
    assert b"event: changed" in next(pieces)
    response.close()


def test_the_index_is_plain_json(logged):
    response = logged.visitor("guest").get("/skerry/hello/-/jobs/1/log_index")
    assert response.mimetype == "application/json"
    assert json.loads(response.data)["blocks"][0] == [0, 1, response.json["blocks"][0][2], ""]


def test_words_are_searched_in_the_whole_log_by_those_who_may_read_it(logged):
    found = logged.visitor("guest").get("/skerry/hello/-/jobs/1/log_search?q=LINE%201999").json
    assert found == {"lines": [1999, *range(19_990, 20_000)], "scanned": 20_000, "total": 11}
    assert logged.visitor("guest").get("/skerry/hello/-/jobs/1/log_search").json["total"] == 0
    assert logged.visitor("stranger").get("/skerry/hello/-/jobs/1/log_search?q=line").status_code == 404


def test_the_index_and_the_stream_say_when_the_parts_of_the_log_came(logged, core):
    with core.traces.hold(1, "another attempt", End.of(b"")) as held:
        for start, end, moment in ((0, 500, 100.0), (500, 1000, 100.2), (1000, 70_000, 160.0), (70_000, None, 220.0)):
            held.append(LOG[start:end], moment)
    guest = logged.visitor("guest")
    index = guest.get("/skerry/hello/-/jobs/1/log_index").json
    assert index["times"] == [[0, 100], [1000, 160], [70_000, 220]], "what came together is told once"
    events = _events(guest.get(EVENTS + "?from=65000").text)
    assert json.loads(events[0]["data"]) == [[1000, 160], [70_000, 220]]
    assert [event["event"] for event in events[:2]] == ["times", "log"]
