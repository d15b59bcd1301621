"""Bytes: traces and artifacts. Rows know where they lie; nothing here knows a row."""

from app.config import Config
from app.storage.base import BlobStore, TraceStore
from app.storage.files import FileBlobs
from app.storage.traces import FileTraces


def create_artifact_store(config: Config) -> BlobStore:
    """Where artifacts lie."""
    return FileBlobs(config.data_dir / "artifacts")


def create_trace_store(config: Config) -> TraceStore:
    """Where traces lie."""
    return FileTraces(config.data_dir / "traces")
