"""All variables of a job that has run: what addresses, releases and the like are expanded with."""

from app.domain.plan import Variable
from app.models import Job
from app.services.core import Core
from app.services.pipelines.variables import job_variables
from app.services.reports.dotenv_variables import dotenv_variables


def settled_variables(core: Core, job: Job) -> list[Variable]:
    """The variables that `job` had, then those that it reported itself, in the order in which later ones win.

    Its token is over, and therefore empty.
    """
    return [*job_variables(core, job, job.runner, token=""), *dotenv_variables(core, job)]
