"""Stands in for `skerry` and `skerry-runner` in the tests of the set-up: the same command lines, and real git.

fake_skerry.py skerry|skerry-runner ARGUMENTS. The server's jobs end one after the other as they are asked for;
SKERRY_FAKE_RESULT says how the last one ends.
"""

# ruff: noqa: T201 - a command line prints

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOG = b"section_start:12:build\r\x1b[0K\x1b[31;1mline of the log\x1b[0;m \x07\nsection_end:13:build\r\x1b[0K\n"
JOBS = ("build", "test", "deploy")


def data() -> Path:
    return Path(os.environ["SKERRY_DATA_DIR"])


def read() -> dict[str, Any]:
    state: dict[str, Any] = json.loads((data() / "state.json").read_text())
    return state


def write(**changes: Any) -> None:
    fresh = data() / f"state.{os.getpid()}"
    fresh.write_text(json.dumps(read() | changes))
    fresh.rename(data() / "state.json")


def skerry(words: list[str]) -> None:
    if words == ["init"]:
        if not (data() / "state.json").exists():
            (data() / "state.json").write_text(json.dumps({"tokens": [], "users": [], "projects": [], "pipelines": []}))
    elif words == ["serve"]:
        serve()
    elif words[:2] == ["user", "create"]:
        if words[2] in read()["users"]:
            sys.exit("skerry: there is a user 'admin' already")
        write(users=[*read()["users"], words[2]])
        print("the-password")
    elif words[:2] == ["token", "create"]:
        if words[words.index("--user") + 1] not in read()["users"]:
            sys.exit("skerry: User admin was not found")
        token = "glpat-" + secrets.token_hex(10)
        write(tokens=[*read()["tokens"], token])
        print(token)
    elif words[:2] == ["project", "create"]:
        repository = data() / f"{words[2]}.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", repository], check=True)
        subprocess.run(["git", "-C", repository, "config", "http.receivepack", "true"], check=True)
        write(projects=[*read()["projects"], words[2]])
    elif words[:2] == ["runner", "create"]:
        print("glrt-" + secrets.token_hex(10))
    else:
        sys.exit(f"skerry: no such command: {words}")


def skerry_runner(words: list[str]) -> None:
    configuration = Path(os.environ["SKERRY_RUNNER_CONFIG"])
    if words[0] == "register":
        token = os.environ["CI_SERVER_TOKEN"]
        with configuration.open("a") as file:
            file.write(f'[[runners]]\nurl = "{words[words.index("--url") + 1]}"\ntoken = "{token}"\n')
    elif words == ["unregister", "--all-runners", "--keep-at-server"]:
        configuration.write_text(configuration.read_text().partition("[[runners]]")[0])
    elif words[0] == "run":
        print("runner runs", flush=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        signal.sigwait({signal.SIGTERM})
        print("runner stopped", flush=True)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass

    def reply(self, status: int, body: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        state = read()
        if path == "/-/ready":
            self.reply(200, {})
        elif path.startswith("/skerry/hello.git/"):
            self.git(path, query, body)
        elif self.headers.get("PRIVATE-TOKEN") not in state["tokens"]:
            self.reply(401, {"message": "401 Unauthorized"})
        elif path == "/api/v4/user":
            self.reply(200, {"username": "admin"})
        elif path.startswith("/api/v4/projects/skerry%2Fhello") and "skerry/hello" in state["projects"]:
            self.project(path.removeprefix("/api/v4/projects/skerry%2Fhello"), query)
        else:
            self.reply(404, {"message": "404 Not Found"})

    def project(self, path: str, query: str) -> None:
        pipelines = read()["pipelines"]
        if path == "":
            self.reply(200, {"id": 1})
        elif path == "/pipeline":
            self.reply(201, make_pipeline())
        elif path == "/pipelines":
            asked = query.removeprefix("sha=")
            self.reply(200, [pipeline for pipeline in pipelines if asked in ("per_page=1", pipeline["sha"])])
        elif match := re.fullmatch(r"/pipelines/(\d+)", path):
            self.reply(200, advance(int(match[1])))
        elif match := re.fullmatch(r"/pipelines/(\d+)/jobs", path):
            self.reply(200, jobs(pipelines[int(match[1]) - 1]))
        else:
            self.reply(200, LOG)

    def git(self, path: str, query: str, body: bytes) -> None:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        user, _, token = given.partition(":")
        if user != "admin" or token not in read()["tokens"]:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="skerry"')
            self.end_headers()
            return
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(data()), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": user,
            "CONTENT_LENGTH": str(len(body)),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=True)
        headers, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in headers.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(content)
        if path.endswith("/git-receive-pack"):
            make_pipeline()


def head() -> str:
    asked = ["git", "-C", str(data() / "skerry/hello.git"), "rev-parse", "--verify", "--quiet", "refs/heads/main"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def make_pipeline() -> dict[str, Any]:
    pipelines = read()["pipelines"]
    number = len(pipelines) + 1
    made = {"id": number, "sha": head(), "status": "pending", "done": 0, "web_url": f"http://x/-/pipelines/{number}"}
    write(pipelines=[*pipelines, made])
    return made


def advance(number: int) -> dict[str, Any]:
    """One more job has ended each time somebody looks."""
    pipelines = read()["pipelines"]
    pipeline: dict[str, Any] = pipelines[number - 1]
    pipeline["done"] = min(pipeline["done"] + 1, len(JOBS))
    pipeline["status"] = result() if pipeline["done"] == len(JOBS) else "running"
    write(pipelines=pipelines)
    times = {"created_at": "2026-01-02T03:04:05.250Z", "finished_at": "2026-01-02T03:04:06.000Z"}
    return pipeline | times | {"duration": 0}


def result() -> str:
    return os.environ.get("SKERRY_FAKE_RESULT", "success")


def jobs(pipeline: dict[str, Any]) -> list[dict[str, Any]]:
    done = pipeline["done"]
    statuses = ["success"] * done + ["running"] + ["created"] * len(JOBS)
    if done == len(JOBS):
        statuses[done - 1] = result()
    return [
        {
            "id": 10 + index,
            "name": name,
            "status": statuses[index],
            "duration": 1.25,
            "failure_reason": "script_failure",
        }
        for index, name in enumerate(JOBS)
    ]


def serve() -> None:
    host, _, port = os.environ["SKERRY_BIND"].rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("server serves", flush=True)
    time.sleep(float(os.environ.get("SKERRY_FAKE_DELAY", "0")))
    server.serve_forever()


if __name__ == "__main__":
    {"skerry": skerry, "skerry-runner": skerry_runner}[sys.argv[1]](sys.argv[2:])
