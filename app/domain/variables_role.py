"""Who may give a pipeline variables: a setting of the project (`ci_pipeline_variables_minimum_override_role`)."""

from collections.abc import Mapping

from app.domain.permissions import Role

#: The values of the setting, and the least role that each lets in. None: nobody, administrators neither.
MINIMUMS: Mapping[str, Role | None] = {
    "developer": Role.DEVELOPER,
    "maintainer": Role.MAINTAINER,
    "owner": Role.OWNER,
    "no_one_allowed": None,
}
#: What GitLab's own setting begins with where nobody restricted it.
DEFAULT = "developer"


def may_set_variables(minimum: str, role: Role) -> bool:
    """Whether somebody with `role` may give a pipeline variables, where the project's setting is `minimum`."""
    least = MINIMUMS[minimum]
    return least is not None and role >= least
