"""gitlab-runner as it spoke over the years: what each of several versions sends, and what it makes of an answer.

`ages/VERSION.json` holds a version's words: its `info`, which headers and fields it sends, how it prints.
`payload.json` holds the fields of the job that each version reads, those that it added to the version before. All are
written by hand from gitlab.md part A (revisions and versions of Go are made up); nothing was recorded.

In `payload.json` a name that ends in `?` may be null, as GitLab sends it; `[…]` is a list, `{"*": …}` an object of any
names, `any` whatever there is.
"""

import json
from pathlib import Path
from uuid import uuid4

from tests.contract.runner_protocol.stock import StockRunner

FOLDER = Path(__file__).with_name("ages")
NAMES = ("14.0", "15.11", "16.11", "17.11", "18.11", "19.4")
_KINDS = {"int": (int,), "number": (int, float), "text": (str,), "bool": (bool,)}


class AgedRunner(StockRunner):
    """A runner of one of `NAMES`; all its calls leave out what that version does not say."""

    def __init__(self, url, token, name):
        self.name = name
        self.age = json.loads((FOLDER / f"{name}.json").read_text())
        super().__init__(url, token, self.age["system_id"])
        self.info, self.trace_query = self.age["info"], self.age["trace_query"]
        self.http.headers["User-Agent"] = self.age["user_agent"]

    def call(self, method, path, body=None, **headers):
        said = {name: value for name, value in headers.items() if name.replace("_", "-") in self.age["headers"]}
        if "X-Request-Id" in self.age["headers"]:
            said["X_Request_Id"] = uuid4().hex
        if body and not self.system_id:
            body = {key: value for key, value in body.items() if key != "system_id"}
        return super().call(method, path, body, **said)

    def register(self, registration_token):
        body = self.age["register"] | {"info": self.info, "token": registration_token}
        return self.call("POST", "/runners", body, RUNNER_TOKEN=registration_token)

    def verify(self):
        everything = {"info": self.info, "token": self.token, "system_id": self.system_id}
        said = {key: everything[key] for key in self.age["verify"]}
        return self.call("POST", "/runners/verify", said, RUNNER_TOKEN=self.token)

    def can(self, feature):
        return self.info["features"].get(feature, False)

    def line(self, text):
        """`text` as this version prints it in a log: the newer ones put the time and the stream before each line."""
        return (b"2026-03-01T11:59:00.123456Z 01O " if self.age["stamped_lines"] else b"") + text


class Unreadable(AssertionError):
    """A runner could not have decoded the answer."""


def decode(document, name):
    """Check `document` as the JSON decoder of version `name` would, which gives up at the first value of another kind
    than it expects, and passes over names that it does not know. Raises Unreadable.
    """
    added = json.loads((FOLDER / "payload.json").read_text())
    shape = {}
    for age in NAMES[: NAMES.index(name) + 1]:
        shape = _merged(shape, added.get(age, {}))
    _check(document, shape, "job")


def _merged(old, new):
    if isinstance(old, list) and isinstance(new, list):
        return [_merged(old[0], new[0])]
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merged(old[key], value) if key in old else value for key, value in new.items()}
    return new


def _check(value, shape, where):
    if isinstance(shape, dict):
        _require(isinstance(value, dict), where, value, "an object")
        for key, one in value.items():
            _check_field(one, key, shape, f"{where}.{key}")
    elif isinstance(shape, list):
        _require(isinstance(value, list), where, value, "a list")
        for place, one in enumerate(value):
            _check(one, shape[0], f"{where}[{place}]")
    elif shape != "any":
        fits = isinstance(value, _KINDS[shape]) and (shape == "bool" or not isinstance(value, bool))
        _require(fits, where, value, shape)


def _check_field(value, key, shape, where):
    if key in shape or "*" in shape:
        _check(value, shape.get(key, shape.get("*")), where)
    elif f"{key}?" in shape and value is not None:
        _check(value, shape[f"{key}?"], where)


def _require(condition, where, value, kind):
    if not condition:
        raise Unreadable(f"{where} is {value!r} and not {kind}")
