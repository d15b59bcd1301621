"""Raw paths, request ids, trusted proxies."""

import re

import pytest
from flask import Flask, jsonify, request, url_for
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import get_contextvars

from app.config import Config
from app.http.middleware import install

#: (the address as sent, what the view is handed)
CASES = [
    ("/one/a", "a"),
    ("/one/a%2Fb", "a/b"),
    ("/one/a%2fb%2Fc", "a/b/c"),
    ("/one/a%252Fb", "a%2Fb"),
    ("/one/a%2500b", "a%00b"),
    ("/one/100%25", "100%"),
    ("/one/100%", "100%"),
    ("/one/100%zz", "100%zz"),
    ("/one/%2e%2e", ".."),
    ("/one/caf%C3%A9", "café"),
    ("/one/a+b%20c", "a+b c"),
    ("/one/a%3Fb%23c", "a?b#c"),
    ("/one/a?x=%2F", "a"),
    ("/one/%2F", "/"),
    ("/many/a/b", "a/b"),
    ("/many/a%2Fb/c", "a/b/c"),
    ("/many/a//b", "a//b"),
    ("/many/a/100%25", "a/100%"),
    ("/two/group%2Fproject/x%2Fy", "group/project|x/y"),
]
#: Addresses that no route may match.
NOWHERE = ["/one/a/b", "/one/a%00b", "/many/a%00", "//one/a"]


def make(**settings) -> Flask:
    app = Flask("routes")
    install(app, Config(**settings))
    app.add_url_rule("/one/<name>", "one", lambda name: name)
    app.add_url_rule("/many/<path:name>", "many", lambda name: name)
    app.add_url_rule("/two/<one>/<string:two>", "two", lambda one, two: f"{one}|{two}")
    app.add_url_rule("/who", "who", lambda: jsonify(address=request.remote_addr, root=request.script_root))
    return app


@pytest.mark.parametrize(("address", "expected"), CASES)
def test_a_segment_is_split_before_it_is_decoded(address: str, expected: str) -> None:
    response = make().test_client().get(address)
    assert (response.status_code, response.text) == (200, expected)


@pytest.mark.parametrize("address", NOWHERE)
def test_what_names_nothing_matches_no_route(address: str) -> None:
    assert make().test_client().get(address).status_code == 404


@pytest.mark.parametrize("name", ["a", "a/b", "100%", "a%2Fb", "café", "a b?c#d", ".."])
def test_an_address_leads_back_to_its_name(name: str) -> None:
    app = make()
    with app.test_request_context():
        addresses = [url_for("one", name=name), url_for("many", name=name)]
    for address in addresses:
        assert app.test_client().get(address).text == name


def test_below_a_prefix_of_the_server_paths_stay_raw() -> None:
    environ = {"SCRIPT_NAME": "/ci", "PATH_INFO": "/one/a/b", "RAW_URI": "/ci/one/a%2Fb"}
    assert make().test_client().get("/", environ_overrides=environ).text == "a/b"


def test_a_path_that_was_changed_on_purpose_is_left_alone() -> None:
    environ = {"PATH_INFO": "/one/other", "RAW_URI": "/one/a%2Fb"}
    assert make().test_client().get("/", environ_overrides=environ).text == "other"


def test_an_absolute_target_is_understood() -> None:
    environ = {"PATH_INFO": "/one/a/b", "RAW_URI": "http://ci.example.com/one/a%2Fb?x=1"}
    assert make().test_client().get("/", environ_overrides=environ).text == "a/b"


@given(st.binary())
def test_any_bytes_are_a_query(query: bytes) -> None:
    app = make()
    app.add_url_rule("/query", "query", lambda: jsonify(request.args))
    environ = {"QUERY_STRING": query.decode("latin-1")}
    assert app.test_client().get("/query", environ_overrides=environ).status_code == 200


def test_a_query_in_plain_utf8_is_read() -> None:
    app = make()
    app.add_url_rule("/query", "query", lambda: request.args["x"])
    environ = {"QUERY_STRING": "x=café".encode().decode("latin-1")}
    assert app.test_client().get("/query", environ_overrides=environ).text == "café"


def test_each_request_has_an_id_of_its_own_in_answer_and_logs() -> None:
    app = make()
    app.add_url_rule("/log", "log", lambda: get_contextvars()["request_id"])
    client = app.test_client()
    first, second = client.get("/log"), client.get("/log", headers={"X-Request-Id": "chosen"})
    assert re.fullmatch(r"[0-9a-f]{16}", first.headers["X-Request-Id"])
    assert first.text == first.headers["X-Request-Id"] != second.headers["X-Request-Id"] == second.text
    assert client.get("/nowhere").headers["X-Request-Id"]


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/ci"}


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ((), {"address": "127.0.0.1", "root": ""}),
        (("10.0.0.0/8",), {"address": "127.0.0.1", "root": ""}),
        (("127.0.0.0/8",), {"address": "203.0.113.9", "root": "/ci"}),
    ],
)
def test_only_trusted_proxies_are_believed(proxies: tuple[str, ...], expected: dict[str, str]) -> None:
    client = make(trusted_proxies=proxies).test_client()
    assert client.get("/who", headers=FORWARDED).json == expected
    assert client.get("/one/a%2Fb", headers=FORWARDED).text == "a/b"
