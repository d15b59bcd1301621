"""A repository on disk, and the same one behind HTTP with a password."""

import base64
import http.server
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from runner.workspace.base import Sources

USER, PASSWORD = "gitlab-ci-token", "glcbt-sesame-open-wide"
ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_ALLOW_PROTOCOL": "file:http",
}  # fmt: skip


def git(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@dataclass
class Upstream:
    """A bare repository and the work tree that fills it."""

    bare: Path
    tree: Path

    def commit(self, files: dict[str, str], branch: str = "main") -> str:
        for name, content in files.items():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).write_text(content)
        git(self.tree, "add", "-A")
        git(self.tree, "commit", "-q", "--allow-empty", "-m", f"commit {sorted(files)}")
        git(self.tree, "push", "-q", "-f", str(self.bare), f"HEAD:refs/heads/{branch}")
        return git(self.tree, "rev-parse", "HEAD")

    def sources(self, sha: str, url: str = "", branch: str = "main", **fields: object) -> Sources:
        values: dict[str, object] = {
            "repository": url or f"file://{self.bare}",
            "username": USER,
            "password": PASSWORD,
            "sha": sha,
            "ref": branch,
            "refspecs": (f"+refs/heads/{branch}:refs/remotes/origin/{branch}",),
        }
        return Sources(**values | fields)  # type: ignore[arg-type]


def make_upstream(folder: Path) -> Upstream:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "main", "bare.git")
    git(folder / "bare.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    git(folder / "bare.git", "config", "http.receivepack", "false")
    git(folder, "init", "-q", "-b", "main", "tree")
    return Upstream(folder / "bare.git", folder / "tree")


class Handler(http.server.BaseHTTPRequestHandler):
    """Smart HTTP by `git http-backend`, behind a password."""

    server: "GitServer"

    def do_GET(self) -> None:
        self.serve(b"")

    def do_POST(self) -> None:
        self.serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def serve(self, body: bytes) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization", "")))
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.server.locked and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        parts = urlsplit(self.path)
        if "/lfs/" in parts.path:
            self.serve_large(parts.path, body)
            return
        environment = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query, "REQUEST_METHOD": self.command, "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for key, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def serve_large(self, path: str, body: bytes) -> None:
        """Git LFS: the batch call, then the objects themselves, from `server.large`."""
        content, kind = self.server.large.get(path.rpartition("/")[2], b""), "application/octet-stream"
        if path.endswith("/objects/batch"):
            kind = "application/vnd.git-lfs+json"
            base = f"{self.server.url}{path.removesuffix('/objects/batch')}"
            objects = [
                {**wanted, "actions": {"download": {"href": f"{base}/{wanted['oid']}"}}}
                for wanted in json.loads(body)["objects"]
            ]
            content = json.dumps({"transfer": "basic", "objects": objects}).encode()
        self.send_response(200 if content else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@dataclass
class GitServer(http.server.ThreadingHTTPServer):
    """Serves the repositories below `root`; `seen` are (path, Authorization) of every request, `large` the objects
    of Git LFS by their SHA-256.
    """

    root: Path
    locked: bool = True
    seen: list[tuple[str, str]] = field(default_factory=list)
    large: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        http.server.ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
