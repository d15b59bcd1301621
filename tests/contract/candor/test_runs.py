"""Logs and archived files of runs (seed: GET /api/runs/…)."""

import pytest

from tests.contract.candor.conftest import Site

FILES = {"dist/app.tgz": b"bytes", "dist/other.txt": b"not named in the plan"}


def run_path(site: Site, run: str = "last") -> str:
    return f"/api/runs/{site.id}/{run}"


def test_a_log_shows_each_stage_and_how_it_ended(site: Site) -> None:
    site.trigger()
    run = site.finish("failed", (("success", 0, b"cloned\n"), ("failed", 3, b"no newline")), "script_failure")
    client = site.client("demouser")
    answer = client.get(f"{run_path(site)}/log")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.text == (
        "**************** [1/2] ****************\ncloned\nProcess exited with status code 0\n"
        "\n**************** [2/2] ****************\nno newline\nProcess exited with status code 3\n"
    )
    assert client.get(f"{run_path(site, f'{run.id:08x}')}/log").text == answer.text


@pytest.mark.parametrize(
    ("steps", "reason", "last"),
    [
        ((("failed", None, b""), ("skipped", None, b"")), "job_execution_timeout", "Process exceeded stage execution"),
        ((("failed", None, b""), ("skipped", None, b"")), "runner_configuration_error", "Runtime unavailable"),
        ((("failed", 1, b""), ("skipped", None, b"")), "script_failure", "Process exited with status code 1"),
    ],
)
def test_a_log_says_why_a_stage_ended_and_what_was_skipped(site: Site, steps, reason, last) -> None:
    site.trigger()
    site.finish("failed", steps, reason)
    lines = site.client("demouser").get(f"{run_path(site)}/log").text.splitlines()
    assert lines[1].startswith(last)
    assert lines[-1] == "Skipped"


def test_a_run_that_waits_has_a_log_already(site: Site) -> None:
    site.trigger()
    text = site.client("demouser").get(f"{run_path(site)}/log").text
    assert text.startswith("**************** [1/2] ****************\n")


@pytest.mark.parametrize("run", ["last", "00000009", "zzzzzzzz", "1", "ffffffffffffffffffff", "-1", "0x000001"])
def test_a_run_that_is_not_there_has_no_log_and_no_archive(site: Site, run: str) -> None:
    client = site.client("demouser")
    log = client.get(f"{run_path(site, run)}/log")
    assert (log.status_code, log.text) == (404, "No log could be found")
    archive = client.get(f"{run_path(site, run)}/archive?file=app.tgz")
    assert (archive.status_code, archive.text) == (404, "No archive could be found")


@pytest.mark.parametrize("name", ["archive", "archived"])
def test_an_archived_file_streams_bare_and_downloads_dressed(site: Site, name: str) -> None:
    site.trigger()
    site.finish(files=FILES)
    client = site.client("demouser")
    stream = client.get(f"{run_path(site)}/{name}?file=app.tgz", buffered=True)
    assert (stream.status_code, stream.data) == (200, b"bytes")
    assert "Content-Disposition" not in stream.headers
    assert "Content-Type" not in stream.headers
    file = client.get(f"{run_path(site)}/{name}?file=app.tgz&mode=file", buffered=True)
    assert (file.status_code, file.data, file.content_length) == (200, b"bytes", 5)
    assert file.headers["Content-Disposition"].startswith('attachment; filename="app.tgz"')


@pytest.mark.parametrize("query", ["", "?file=", "?file=a&file=b", "?file=app.tgz&mode=other", "?mode=stream"])
def test_a_download_without_one_file_or_of_another_mode_is_400(site: Site, query: str) -> None:
    site.trigger()
    site.finish(files=FILES)
    assert site.client("demouser").get(f"{run_path(site)}/archive{query}").status_code == 400


@pytest.mark.parametrize("name", ["../app.tgz", "dist/app.tgz", "..%252Fapp.tgz", "other.txt", "%252e%252e", "app"])
def test_only_files_that_the_run_archived_are_served(site: Site, name: str) -> None:
    site.trigger()
    site.finish(files=FILES)
    assert site.client("demouser").get(f"{run_path(site)}/archive?file={name}").status_code == 404


def test_a_file_name_may_be_encoded_once_more(site: Site) -> None:
    site.save({"stages": [{"name": "a", "image": "b"}], "archive": ["out/a b*.txt"]})
    site.trigger()
    site.finish(steps=(("success", 0, b""),), files={"out/a b*.txt": b"1"})
    client = site.client("demouser")
    assert client.get(f"{run_path(site)}/archive?file=a%2520b%252A.txt", buffered=True).data == b"1"
    assert client.get(f"{run_path(site)}/archive?file=a%20b*.txt", buffered=True).data == b"1"
