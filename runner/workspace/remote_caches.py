"""Caches in object storage (S3 or a store that speaks it), shared by all runners that name the same bucket.

An object's ETag says which version of a cache lies on this host: an unchanged one is not fetched again.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from runner.config import CacheTable

CONNECT_SECONDS, READ_SECONDS = 10, 60
PIECE = 1 << 20
PART = 16 << 20
#: No single object of S3 may be larger, and a bucket of a stranger could hold anything.
LARGEST = 64 << 30


class RemoteCacheError(Exception):
    """The store cannot be reached or refuses; the message has no secret in it."""


class RemoteCaches(Protocol):
    """A place for caches beyond this host. `go_on` is asked between pieces; False ends the transfer."""

    def fetch(self, name: str, target: Path, known: str, go_on: Callable[[], bool]) -> str | None:
        """Bring object `name` into the new file `target`, unless its version is `known`; return its version.

        None where there is no such object. Raises RemoteCacheError, OSError.
        """

    def keep(self, name: str, source: Path, go_on: Callable[[], bool]) -> str:
        """Make the file `source` the object `name`; return its version. Raises RemoteCacheError."""

    def close(self) -> None:
        """Give back the connections."""


class S3Caches:
    """See `RemoteCaches`. Thread-safe."""

    def __init__(self, table: CacheTable) -> None:
        self._table = table
        self._client = _connect(table)

    def fetch(self, name: str, target: Path, known: str, go_on: Callable[[], bool]) -> str | None:
        """See `RemoteCaches.fetch`."""
        from botocore.exceptions import BotoCoreError, ClientError

        unless = {"IfNoneMatch": known} if known else {}
        try:
            answer = self._client.get_object(Bucket=self._table.s3.bucket_name, Key=name, **unless)
            with closing(answer["Body"]) as body:
                _copy(body, target, go_on)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("304", "NotModified"):
                return known
            if code in ("404", "NoSuchKey"):
                return None
            _refuse(error)
        except BotoCoreError as error:
            _refuse(error)
        return str(answer["ETag"])

    def keep(self, name: str, source: Path, go_on: Callable[[], bool]) -> str:
        """See `RemoteCaches.keep`."""
        from boto3.exceptions import Boto3Error
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import BotoCoreError, ClientError

        bucket = self._table.s3.bucket_name
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
        try:
            with source.open("rb") as file:
                self._client.upload_fileobj(_Stoppable(file, go_on), bucket, name, Config=parts)
            return str(self._client.head_object(Bucket=bucket, Key=name)["ETag"])
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            _refuse(error)

    def close(self) -> None:
        """See `RemoteCaches.close`."""
        self._client.close()


class _Stoppable:
    """A file to read from, while `go_on` says so."""

    def __init__(self, file: BinaryIO, go_on: Callable[[], bool]) -> None:
        self._file = file
        self._go_on = go_on

    def read(self, size: int = -1) -> bytes:
        if not self._go_on():
            raise RemoteCacheError("the time is up")
        return self._file.read(size)


def _refuse(error: Exception) -> NoReturn:
    raise RemoteCacheError(str(error)) from error


def _copy(body: Any, target: Path, go_on: Callable[[], bool]) -> None:
    """The object's bytes into `target`, which is removed when they do not all come."""
    size = 0
    try:
        with target.open("xb") as file:
            for piece in body.iter_chunks(PIECE):
                size += len(piece)
                if not go_on():
                    raise RemoteCacheError("the time is up")
                if size > LARGEST:
                    raise RemoteCacheError(f"the cache is larger than {LARGEST} bytes")
                file.write(piece)
    except BaseException:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        raise


def _connect(table: CacheTable) -> Any:
    """A client. Without keys it finds its own, as Amazon's tools do: the environment, the host's role."""
    import boto3
    from botocore.config import Config

    s3 = table.s3
    endpoint = f"{'http' if s3.insecure else 'https'}://{s3.server_address}" if s3.server_address else None
    keys = {"aws_access_key_id": s3.access_key, "aws_secret_access_key": s3.secret_key} if s3.access_key else {}
    settings = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path" if s3.path_style else "auto"},
        # Stores that are not Amazon's do not all know its newer checksums; the transport has its own.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = s3.bucket_location or "us-east-1"
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=settings, **keys)


def object_name(table: CacheTable, short_token: str, project: str, key: str) -> str:
    """Where a cache lies in the bucket (gitlab.md A.7). Runners that share caches leave their own name out."""
    own = [] if table.shared else ["runner", short_token]
    return "/".join(part for part in (table.path.strip("/"), *own, "project", project, key) if part)


def until(deadline: float, cancelled: Callable[[], bool]) -> Callable[[], bool]:
    """`go_on` that holds until a moment of the monotonic clock, or until somebody cancels."""
    return lambda: time.monotonic() < deadline and not cancelled()
