"""How a trigger job stands while the pipeline that it started goes on (gitlab.md C.9)."""

from app.domain import status

_NOT_YET = frozenset({status.CREATED, status.PREPARING, status.WAITING_FOR_RESOURCE, status.WAITING_FOR_CALLBACK})


def job_status(strategy: str, pipeline_status: str) -> str:
    """The status of a job with `strategy` (depend or mirror) while its pipeline has `pipeline_status`.

    `depend`: it runs until the pipeline is done, and has failed unless that succeeded. `mirror`: the pipeline's own
    status, those before pending as pending.
    """
    if strategy == "mirror":
        return status.PENDING if pipeline_status in _NOT_YET else pipeline_status
    if pipeline_status == status.SUCCESS:
        return status.SUCCESS
    return status.FAILED if pipeline_status in status.COMPLETED else status.RUNNING
