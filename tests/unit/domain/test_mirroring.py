"""A trigger job's status follows its pipeline's (gitlab.md C.9)."""

import pytest

from app.domain import status
from app.domain.mirroring import job_status


def test_depend_runs_until_the_pipeline_is_done_and_only_success_is_success():
    shown = {word: job_status("depend", word) for word in status.AVAILABLE}
    done = {"success": "success", "failed": "failed", "canceled": "failed", "skipped": "failed"}
    assert shown == dict.fromkeys(status.AVAILABLE, "running") | done


def test_mirror_is_exact_from_pending_on():
    shown = {word: job_status("mirror", word) for word in status.AVAILABLE}
    early = ("created", "preparing", "waiting_for_resource", "waiting_for_callback")
    assert shown == {word: word for word in status.AVAILABLE} | dict.fromkeys(early, "pending")


@pytest.mark.parametrize("strategy", ["depend", "mirror"])
def test_a_job_never_goes_back_to_where_processing_would_start_it_again(strategy):
    assert "created" not in {job_status(strategy, word) for word in status.AVAILABLE}
