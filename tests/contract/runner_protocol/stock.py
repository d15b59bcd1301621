"""What a stock gitlab-runner 19 sends, in the shapes of gitlab.md part A, over real HTTP."""

import zlib

import requests

FEATURES = dict.fromkeys(
    (
        *("variables", "image", "services", "artifacts", "cache", "fallback_cache_keys", "refspecs", "masking"),
        *("upload_multiple_artifacts", "upload_raw_artifacts", "raw_variables", "artifacts_exclude"),
        *("multi_build_steps", "trace_reset", "trace_checksum", "trace_size", "cancelable", "cancel_gracefully"),
        *("return_exit_code", "two_phase_job_commit"),
    ),
    True,
) | {"shared": False, "session": False}
INFO = {
    "name": "gitlab-runner",
    "version": "19.4.0",
    "revision": "d79f3e7b",
    "platform": "linux",
    "architecture": "amd64",
    "executor": "docker",
    "shell": "bash",
    "features": FEATURES,
    "config": {"gpus": ""},
}
TIMEOUT = 60


def checksum(data: bytes) -> str:
    return f"crc32:{zlib.crc32(data):08x}"


class StockRunner:
    """One runner token at one server."""

    trace_query = "?debug_trace=false"

    def __init__(self, url, token, system_id="s_0123456789ab", features=None):
        self.api, self.token, self.system_id = f"{url}/api/v4", token, system_id
        self.info = INFO if features is None else INFO | {"features": FEATURES | features}
        self.http = requests.Session()

    def call(self, method, path, body=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, self.api + path, json=body, headers=names, timeout=TIMEOUT)

    def verify(self):
        body = {"info": self.info, "token": self.token, "system_id": self.system_id}
        return self.call("POST", "/runners/verify", body, RUNNER_TOKEN=self.token)

    def request_job(self, **more):
        body = {"info": self.info, "token": self.token, "system_id": self.system_id} | more
        return self.call("POST", "/jobs/request", body, RUNNER_TOKEN=self.token)

    def take(self):
        """The next job, which has to be there."""
        answer = self.request_job()
        assert answer.status_code == 201, answer.text
        return StockJob(self, answer.json())


class StockJob:
    """A job that a runner got."""

    def __init__(self, runner, payload):
        self.runner, self.payload = runner, payload
        self.id, self.token, self.sent = payload["id"], payload["token"], b""

    def update(self, state, token=None, **more):
        token = token or self.token
        body = {"info": self.runner.info, "token": token, "state": state, "output": {}} | more
        return self.runner.call("PUT", f"/jobs/{self.id}", body, JOB_TOKEN=token)

    def finish(self, state="success", data=None, **more):
        data = self.sent if data is None else data
        crc = checksum(data)
        return self.update(state, checksum=crc, output={"checksum": crc, "bytesize": len(data)}, **more)

    def patch(self, start, data, content_range=None, token=None):
        headers = {
            "JOB-TOKEN": token or self.token,
            "Content-Type": "text/plain",
            "Content-Range": f"{start}-{start + len(data) - 1}" if content_range is None else content_range,
        }
        url = f"{self.runner.api}/jobs/{self.id}/trace{self.runner.trace_query}"
        return self.runner.http.patch(url, data=data, headers=headers, timeout=TIMEOUT)

    def print(self, data):
        """Send the next piece of the log, which has to be taken."""
        answer = self.patch(len(self.sent), data)
        assert answer.status_code == 202, answer.text
        self.sent += data
        return answer

    def upload(self, data, name="artifacts.zip", token=None, **query):
        """Chunked multipart with the one part `file`; `data` is bytes or an iterator of them."""
        boundary = "b0b1b2b3b4b5b6b7"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()

        def body():
            yield head
            yield from [data] if isinstance(data, bytes) else data
            yield f"\r\n--{boundary}--\r\n".encode()

        headers = {"JOB-TOKEN": token or self.token, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        url = f"{self.runner.api}/jobs/{self.id}/artifacts"
        return self.runner.http.post(url, params=query, data=body(), headers=headers, timeout=TIMEOUT)

    def download(self, job_id, token=None, **headers):
        url = f"{self.runner.api}/jobs/{job_id}/artifacts?direct_download=true"
        headers = {"JOB-TOKEN": token or self.token} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.runner.http.get(url, headers=headers, timeout=TIMEOUT)
