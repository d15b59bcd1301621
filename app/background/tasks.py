"""What the leader does, and how often."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.services.accounts.sign_in_throttle import forget_old_guesses
from app.services.audit.remove_old_events import remove_old_events
from app.services.core import Core
from app.services.environments.stop_environment import stop_expired_environments
from app.services.jobs.explain_waiting import explain_waiting
from app.services.jobs.reap_jobs import (
    assign_resources,
    end_late_jobs,
    end_lost_jobs,
    end_stuck_jobs,
    expire_artifacts,
    start_delayed_jobs,
)
from app.services.pages.publish_site import end_expired_sites
from app.services.pipelines.cancel_redundant import cancel_overdue
from app.services.pipelines.lost_downstream import fail_forgotten
from app.services.pipelines.mirror_downstream import mirror_downstream
from app.services.pipelines.start_downstream import start_downstream
from app.services.projects.measure_usage import measure_usage
from app.services.releases.make_ordered_releases import make_ordered_releases
from app.services.repositories.receive_push import finish_pushes
from app.services.repositories.request_fetch import fetch_next_mirror
from app.services.repositories.tidy_repositories import tidy_repositories
from app.services.schedules.run_schedules import run_due_schedules


@dataclass(frozen=True, slots=True)
class Task:
    """`run` is called at most every `seconds`; what it raises is logged, and it is called again.

    `apart`: it may wait for other hosts, and holds up no other task meanwhile.
    """

    name: str
    run: Callable[[Core], object]
    seconds: float
    apart: bool = False


#: An upload that nobody has written to for so long belongs to a server that was killed, in seconds.
ABANDONED_AFTER = 6 * 3600
#: So many mirrors are fetched at once: a slow remote holds up no other.
FETCHES = 4


def sweep_uploads(core: Core) -> None:
    """Remove what uploads, and indexes of logs, left behind that were never finished."""
    older_than = time.time() - ABANDONED_AFTER
    core.artifacts.sweep(older_than)
    core.traces.sweep(older_than)


TASKS = (
    Task("start delayed jobs", start_delayed_jobs, 1),
    Task("assign free resources", assign_resources, 10),
    Task("run due schedules", run_due_schedules, 1, apart=True),
    Task("start downstream pipelines", start_downstream, 1, apart=True),
    Task("tell trigger jobs of their pipelines", mirror_downstream, 1),
    Task("cancel redundant pipelines", cancel_overdue, 10),
    Task("fail trigger jobs whose pipelines are gone", fail_forgotten, 30),
    # The first looks every second; the others, which have work while it is at work, more seldom.
    *(Task(f"fetch mirrors ({number})", fetch_next_mirror, number, apart=True) for number in range(1, FETCHES + 1)),
    Task("finish interrupted pushes", finish_pushes, 10),
    Task("make releases", make_ordered_releases, 1),
    Task("stop expired environments", stop_expired_environments, 10),
    Task("end expired sites", end_expired_sites, 60),
    Task("end lost jobs", end_lost_jobs, 10),
    Task("end late jobs", end_late_jobs, 10),
    Task("explain why jobs wait", explain_waiting, 10),
    Task("end stuck jobs", end_stuck_jobs, 60),
    Task("remove expired artifacts", expire_artifacts, 60),
    Task("remove abandoned uploads", sweep_uploads, 3600),
    Task("remove old rows of the audit log", remove_old_events, 3600),
    Task("forget old guesses of passwords", forget_old_guesses, 600),
    Task("measure how much room projects take", measure_usage, 600, apart=True),
    Task("tidy repositories", tidy_repositories, 3600),
)
