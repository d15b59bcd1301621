"""No token gets into a log line."""

import pytest

from app.logs import hide_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /api/v4/job?private_token=abc&page=2", "GET /api/v4/job?private_token=[hidden]&page=2"),
        ("GET /x?job_token=abc", "GET /x?job_token=[hidden]"),
        ("claimed with glrt-AbC_12-3", "claimed with glrt-[hidden]"),
        ("http://gitlab-ci-token:glcbt-xyz@host/a.git", "http://gitlab-ci-token:glcbt-[hidden]@host/a.git"),
        ("PASSWORD=hunter2", "PASSWORD=[hidden]"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_tokens_are_blanked_out(text, shown):
    assert hide_secrets(None, "info", {"event": text, "count": 3}) == {"event": shown, "count": 3}
