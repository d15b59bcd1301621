"""Runners come and go as gitlab.md A.1 says."""

import pytest

from app import crypto
from app.models import Runner, RunnerManager, Setting, write
from tests.contract.runner_protocol.stock import INFO, StockRunner

TOKEN = "registration-token"


@pytest.fixture
def registration(core):
    with write(core.session):
        core.session.get_one(Setting, "registration_token_hash").value = crypto.token_hash(TOKEN)


def register(stock, **more):
    body = {
        "description": "x",
        "tag_list": "b,a",
        "run_untagged": True,
        "locked": False,
        "paused": False,
        "info": INFO,
        "token": TOKEN,
    }
    return stock.call("POST", "/runners", body | more, RUNNER_TOKEN=more.get("token", TOKEN))


def test_a_runner_registers_with_the_registration_token_and_works(core, stock, server, registration):
    answer = register(stock)
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    assert set(answer.json()) == {"id", "token", "token_expires_at"}
    runner = core.session.get(Runner, answer.json()["id"])
    assert (runner.tags, runner.description, runner.runner_type) == (["a", "b"], "x", "instance_type")
    assert StockRunner(server.url, answer.json()["token"]).verify().status_code == 200


def test_a_wrong_registration_token_is_refused(stock, registration):
    answer = register(stock, token="wrong")
    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden - invalid token supplied"})


def test_registration_without_any_tag_or_untagged_jobs_makes_no_sense(stock, registration):
    answer = register(stock, tag_list="", run_untagged=False)
    assert answer.status_code == 400
    assert "can not be empty" in answer.json()["message"]["tag_list"][0]


def test_a_missing_token_is_named(stock):
    answer = stock.call("POST", "/runners/verify", {"info": INFO})
    assert (answer.status_code, answer.json()) == (400, {"message": "400 Bad Request - token is missing"})


def test_verify_knows_the_runner_and_notes_what_it_can_do(core, stock):
    answer = stock.verify()
    assert (answer.status_code, answer.json()["token"]) == (200, stock.token)
    manager = core.session.query(RunnerManager).one()
    assert (manager.system_id, manager.version, manager.features["cancel_gracefully"]) == (
        stock.system_id,
        "19.4.0",
        True,
    )


def test_an_unknown_runner_is_refused_everywhere(server):
    stranger = StockRunner(server.url, "glrt-unknown")
    body = {"token": "glrt-unknown", "system_id": "s"}
    calls = [
        stranger.verify(),
        stranger.request_job(),
        stranger.call("DELETE", "/runners", body),
        stranger.call("DELETE", "/runners/managers", body),
        stranger.call("POST", "/runners/reset_authentication_token", body),
        stranger.call("GET", "/runners/router/discovery", RUNNER_TOKEN="glrt-unknown"),
    ]
    assert {call.status_code for call in calls} == {403}
    assert all(call.json() == {"message": "403 Forbidden"} for call in calls)


def test_an_unregistered_runner_is_gone(core, stock):
    stock.verify()
    assert stock.call("DELETE", "/runners", {"token": stock.token}).status_code == 204
    assert stock.verify().status_code == 403
    assert core.session.query(RunnerManager).count() == 0


def test_one_manager_can_go_and_the_runner_stays(stock):
    stock.verify()
    body = {"token": stock.token, "system_id": stock.system_id}
    assert stock.call("DELETE", "/runners/managers", body).status_code == 204
    again = stock.call("DELETE", "/runners/managers", body)
    assert (again.status_code, again.json()["message"]) == (404, "404 Not Found - Runner manager not found")
    assert stock.call("DELETE", "/runners/managers", {"token": stock.token}).status_code == 400
    assert stock.verify().status_code == 200


def test_managers_of_one_runner_are_told_apart_and_one_without_a_name_is_old(core, server, stock):
    other = StockRunner(server.url, stock.token, "s_bbbbbbbbbbbb", {"cancel_gracefully": False})
    stock.verify()
    other.request_job()
    assert stock.call("POST", "/jobs/request", {"token": stock.token, "info": INFO}).status_code == 204
    core.session.rollback()
    found = {row.system_id: row.features["cancel_gracefully"] for row in core.session.query(RunnerManager)}
    assert found == {stock.system_id: True, "s_bbbbbbbbbbbb": False, "<legacy>": True}
    body = {"token": stock.token, "system_id": other.system_id}
    assert other.call("DELETE", "/runners/managers", body).status_code == 204
    assert [manager.request_job().status_code for manager in (stock, other)] == [204, 204]


@pytest.mark.parametrize(
    "fields",
    [[("tag_list", "b,a")], [("tag_list", "b"), ("tag_list", "a")], [("tag_list[]", "a"), ("tag_list[]", "b")]],
    ids=["one", "repeated", "list"],
)
def test_a_form_registers_as_well(core, stock, registration, fields):
    form = [("token", TOKEN), ("run_untagged", "False"), ("active", "false"), *fields]
    answer = stock.http.post(f"{stock.api}/runners/", data=form, timeout=10)
    assert answer.status_code == 201
    runner = core.session.get(Runner, answer.json()["id"])
    assert (runner.tags, runner.run_untagged, runner.paused) == (["a", "b"], False, True)


def test_a_new_token_ends_the_old_one(stock, server):
    answer = stock.call("POST", "/runners/reset_authentication_token", {"token": stock.token})
    assert answer.status_code == 201
    assert stock.verify().status_code == 403
    assert StockRunner(server.url, answer.json()["token"]).verify().status_code == 200


def test_there_is_no_job_router(stock):
    assert stock.call("GET", "/runners/router/discovery", RUNNER_TOKEN=stock.token).status_code == 501


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'"x"', b"{", b"[" * 100_000, b'{"token": 1}', b'{"token": "\\ud800"}', b'{"token": "a\\u0000"}'],
)
def test_a_body_that_is_no_request_is_refused_with_a_message(stock, body):
    headers = {"Content-Type": "application/json"}
    answer = stock.http.post(f"{stock.api}/jobs/request", data=body, headers=headers, timeout=10)
    assert answer.status_code in (400, 403)
    assert answer.json()["message"]


def test_nonsense_in_info_does_no_harm(core, stock):
    info = {"version": "1\0\ud800", "features": {"x\0": True, "y": "no"}, "platform": 7, "executor": "e" * 1000}
    answer = stock.call("POST", "/jobs/request", {"token": stock.token, "system_id": "s\0", "info": info})
    assert answer.status_code == 204
    manager = core.session.query(RunnerManager).one()
    assert (manager.version, manager.features, len(manager.executor)) == ("1?", {"x": True}, 255)
