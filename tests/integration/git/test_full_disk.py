"""Logs and artifacts on a disk that is full: a reason to try again, and nothing that was counted is lost."""

import os
from collections.abc import Iterator

import pytest
import requests

from app.models import Job
from app.services.core import Core
from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.factories import make_token, make_user
from tests.integration.git.process import ALONE, serving
from tests.support.world import World

PIECE = 512 * 1024


@pytest.fixture
def address(core: Core) -> Iterator[str]:
    """A server whose disks for logs and for artifacts hold 6 MiB each."""
    with serving(core, "small-storage", ALONE) as (address, process):
        yield address
        assert process.poll() is None


def test_a_log_that_finds_the_disk_full_goes_on_when_there_is_room(core: Core, address: str) -> None:
    _, token = create_runner(core)
    world = World(core)
    first, second = world.job().id, world.job().id
    stock = StockRunner(address, token)
    jobs = {job.id: job for job in (stock.take(), stock.take())}
    one, two = jobs[first], jobs[second]
    piece = os.urandom(PIECE)
    for _ in range(6):
        one.print(piece)
    while (answer := two.patch(len(two.sent), piece)).status_code == 202:
        two.sent += piece
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert one.finish().status_code == 200
    assert two.patch(len(two.sent), piece).status_code == 503
    assert stock.call("PUT", f"/jobs/{second}", {"token": two.token, "state": "running"}).status_code == 200
    headers = {"PRIVATE-TOKEN": make_token(core, make_user(core, is_admin=True))[1]}
    project_id = core.session.get_one(Job, first).project_id
    erased = requests.post(f"{stock.api}/projects/{project_id}/jobs/{first}/erase", headers=headers, timeout=10)
    assert erased.status_code == 201
    two.print(piece)
    assert two.finish().status_code == 200


def test_an_upload_that_finds_the_disk_full_leaves_room_and_can_be_tried_again(core: Core, address: str) -> None:
    _, token = create_runner(core)
    job_id = World(core).job().id
    job = StockRunner(address, token).take()
    assert job.upload(os.urandom(PIECE) for _ in range(16)).status_code == 503
    assert job.upload(os.urandom(PIECE)).status_code == 201
    assert job.finish().status_code == 200
    core.session.rollback()
    assert [artifact.size for artifact in core.session.get_one(Job, job_id).artifacts] == [PIECE]
