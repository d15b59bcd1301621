"""An S3 server on the loopback (moto), whose requests are real HTTP with real signatures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from boto3.session import Session
from moto.server import ThreadedMotoServer

ACCESS, SECRET = "access-of-the-store", "secret-of-the-store"


@dataclass
class ObjectStore:
    """`client` is boto3's own, to look into the store."""

    host: str
    port: int
    client: Any

    def environment(self, bucket: str = "candor") -> dict[str, str]:
        """The settings with which a runner uses `bucket`."""
        return {
            "S3_ENDPOINT": self.host,
            "S3_PORT": str(self.port),
            "S3_SSL": "false",
            "S3_ACCESS": ACCESS,
            "S3_SECRET": SECRET,
            "S3_REGION": "us-east-1",
            "S3_BUCKET": bucket,
        }

    def make_bucket(self, name: str) -> None:
        self.client.create_bucket(Bucket=name)

    def objects(self, bucket: str = "candor") -> dict[str, bytes]:
        """Key → content of all that is in `bucket`."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: self.client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    session = Session(ACCESS, SECRET, region_name="us-east-1")
    client = session.client("s3", endpoint_url=f"http://{host}:{port}")
    try:
        yield ObjectStore(host, port, client)
    finally:
        client.close()
        server.stop()
