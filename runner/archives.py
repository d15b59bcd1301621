"""The files that a pushed run keeps: put into an S3 bucket as `RUNID/NAME` (candor.md A.6 to A.9)."""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from runner.workspace.base import Workspace, WorkspaceError

DEFAULT_BUCKET = "candor"
DEFAULT_REGION = "us-east-1"
#: Seconds; a store that says nothing for so long is not there.
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
PART = 8 * 1024 * 1024
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]", re.ASCII)
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ArchiveError(Exception):
    """A file of the run is not there, or could not be kept; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where files are kept. `endpoint` is an URL, "" for Amazon's own."""

    access: str
    secret: str
    bucket: str = DEFAULT_BUCKET
    region: str = DEFAULT_REGION
    endpoint: str = ""

    def __repr__(self) -> str:
        return f"Store({self.bucket!r} at {self.endpoint or 'Amazon'})"


def read_store(environment: Mapping[str, str]) -> Store | None:
    """The store in `S3_*`; None without `S3_ACCESS` and `S3_SECRET`. Raises ValueError for what makes no sense."""
    access, secret = (_text(environment, name) for name in ("S3_ACCESS", "S3_SECRET"))
    if not access and not secret:
        return None
    if not access or not secret:
        raise ValueError("S3_ACCESS and S3_SECRET: only one of them is set")
    return Store(
        access=access,
        secret=secret,
        bucket=environment.get("S3_BUCKET") or DEFAULT_BUCKET,
        region=environment.get("S3_REGION") or DEFAULT_REGION,
        endpoint=_endpoint(environment),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    """The value of `name`, or the content of the file that NAME_FILE points at."""
    given, path = environment.get(name, ""), environment.get(f"{name}_FILE")
    if given or not path:
        return given
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE: {path} cannot be read: {error}") from None


def _endpoint(environment: Mapping[str, str]) -> str:
    host, port = environment.get("S3_ENDPOINT", ""), environment.get("S3_PORT", "")
    said = environment.get("S3_SSL") or "true"
    if said.lower() not in _TRUTH:
        raise ValueError(f"S3_SSL: {said!r} is neither true nor false")
    if host and not _HOST.fullmatch(host):
        raise ValueError(f"S3_ENDPOINT: {host!r} is no host's name; port and TLS are said by S3_PORT and S3_SSL")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"S3_PORT: {port!r} is no port")
    if not host:
        return ""
    return f"{'https' if _TRUTH[said.lower()] else 'http'}://{host}{f':{port}' if port else ''}"


class Archives:
    """Keeps the files of runs in `store`. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client = _connect(store)

    def keep(self, run_id: str, paths: Sequence[str], workspace: Workspace, stop: threading.Event) -> list[str]:
        """Put each file of `paths` below `workspace` into the bucket, without a copy on disk, and return their names.

        Folders are passed over. Of files with the same last name the last counts. Every file is looked for before the
        first one is sent, so that a run that lacks one keeps none. Raises ArchiveError, also when `stop` is set
        meanwhile.
        """
        files: dict[str, str] = {}
        for path in paths:
            file = _open(workspace, path)
            if file is not None:
                file.close()
                files[PurePosixPath(path).name] = path
        for name, path in files.items():
            file = _open(workspace, path)
            if file is not None:
                with file:
                    self._send(f"{run_id}/{name}", file, stop)
        return list(files)

    def _send(self, key: str, file: BinaryIO, stop: threading.Event) -> None:
        from boto3.exceptions import Boto3Error
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import BotoCoreError, ClientError

        # One part after the other: no run takes more memory than one part, however large its files are.
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
        try:
            self._client.upload_fileobj(_Stoppable(file, stop), self._store.bucket, key, Config=parts)
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise ArchiveError(f"{key} could not be kept: {error}") from error


def _open(workspace: Workspace, path: str) -> BinaryIO | None:
    """The file, None for a folder. Only one is open at a time, however many a plan names."""
    try:
        return workspace.open_file(path)
    except WorkspaceError as error:
        raise ArchiveError(str(error)) from error


class _Stoppable:
    """A file to read from, until `stop` is set."""

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise ArchiveError("the run was stopped")
        return self._file.read(size)


def _connect(store: Store) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    settings = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 4, "mode": "standard"},
        # What every store understands, also those that are older than Amazon's newest checksums.
        s3={"addressing_style": "path" if store.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return Session(store.access, store.secret, region_name=store.region).client(
        "s3", endpoint_url=store.endpoint or None, config=settings
    )
