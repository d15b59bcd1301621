"""What came of a job at the fake server."""

from typing import Any

from tests.contract.runner.served_job import ServedJob


def finished(job: ServedJob, seconds: float = 20) -> dict[str, Any]:
    """The last update of `job`, which has to end in time."""
    assert job.ended.wait(seconds), f"the job did not end: {bytes(job.trace)!r} {job.updates}"
    return job.final


def output_of(trace: bytes, section: str = "step_script") -> bytes:
    """What stands between a section's heading and its end."""
    start = trace.index(f":{section}\r".encode())
    return trace[trace.index(b"\n", start) + 1 : trace.index(b"section_end", start)]
