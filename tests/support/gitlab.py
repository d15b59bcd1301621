"""What the tests of GitLab's API share."""

from tests.support.calls import Calls


class Api(Calls):
    """Calls below /api/v4."""

    prefix = "/api/v4"

    def headers(self, token: str) -> dict[str, str]:
        return {"PRIVATE-TOKEN": token}
