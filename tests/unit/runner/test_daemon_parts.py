"""The small parts of the daemon: permits, identity, what survives a crash, who ends a job."""

import re
import threading

from runner import identity
from runner.control import JobControl
from runner.sender import Result
from runner.slots import Slots
from runner.state import JobFolders, JobRecord

RECORD = JobRecord(7, "glcbt-secret", "https://ci", "abc", ("script_failure",))


def test_permits_are_counted_in_all_and_for_each_runner():
    slots, stop = Slots(2), threading.Event()
    assert slots.take("a", 1, stop)
    got = []
    waiter = threading.Thread(target=lambda: got.append(slots.take("a", 1, stop)))
    waiter.start()
    assert slots.take("b", 0, stop)
    assert not got
    slots.give("a")
    waiter.join(5)
    assert got == [True]
    blocked = threading.Thread(target=lambda: got.append(slots.take("b", 0, stop)))
    blocked.start()
    stop.set()
    slots.wake()
    blocked.join(5)
    assert got == [True, False]


def test_numbers_are_small_and_used_again():
    slots = Slots(1)
    assert [slots.take_number(), slots.take_number()] == [0, 1]
    slots.give_number(0)
    assert [slots.take_number(), slots.take_number()] == [0, 2]


def test_the_system_id_stays_and_tells_nothing_of_the_machines(tmp_path):
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef\n")
    first = identity.system_id(tmp_path / "data", machine)
    assert re.fullmatch(r"s_[0-9a-f]{12}", first)
    assert "0123456789ab" not in first
    assert identity.system_id(tmp_path / "data", tmp_path / "gone") == first
    other = identity.system_id(tmp_path / "other", tmp_path / "gone")
    assert re.fullmatch(r"r_[0-9a-f]{12}", other)
    (tmp_path / "data" / ".runner_system_id").write_text("garbage")
    assert identity.system_id(tmp_path / "data", machine) == first


def test_two_runners_of_one_user_have_two_ids(tmp_path):
    # Each removes what an earlier run under its own id has left: a shared id would cost the other one its jobs.
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef\n")
    assert identity.system_id(tmp_path / "one", machine) != identity.system_id(tmp_path / "two", machine)


def test_a_record_survives_and_is_private(tmp_path):
    folders = JobFolders(tmp_path / "jobs")
    folder = folders.create("a/b", 7)
    folder.write(RECORD)
    folder.write(JobRecord(7, "glcbt-secret", "https://ci", "abc", ("x",), Result("failed", "script_failure", 3)))
    assert (folder.path / "job.json").stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    [(found, record)] = JobFolders(tmp_path / "jobs").left_over()
    assert record == JobRecord(7, "glcbt-secret", "https://ci", "abc", ("x",), Result("failed", "script_failure", 3))
    assert "glcbt-secret" not in repr(record)
    found.remove()
    assert list(JobFolders(tmp_path / "jobs").left_over()) == []


def test_a_job_that_comes_twice_has_two_folders(tmp_path):
    folders = JobFolders(tmp_path / "jobs")
    assert folders.create("a", 7).path != folders.create("a", 7).path


def test_a_record_that_was_cut_off_is_cleared_away(tmp_path):
    folders = JobFolders(tmp_path / "jobs")
    for text in ("", "{", "[]", '{"job_id": 1}'):
        (folders.create("a", 1).path / "job.json").write_text(text)
    folders.create("a", 2)
    assert list(folders.left_over()) == []
    assert list((tmp_path / "jobs").iterdir()) == []


def test_the_first_wish_to_end_stays_and_a_harder_one_wins():
    control, killed = JobControl(), []
    control.on_kill = lambda: killed.append(control.reason)
    control.cancel()
    control.time_out()
    assert (control.reason, control.script.is_set(), control.everything.is_set()) == ("canceled", True, False)
    control.abort()
    assert (control.reason, control.everything.is_set(), killed) == ("aborted", True, ["aborted"])
