"""Where a form may send the browser."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dashboard.redirects import safe_next

HERE = "https://ci.example/-/sign_in"


@pytest.mark.parametrize("target", ["/", "/a/b?x=1&y=%2F%2Fz#L3", "/a//b", "/a/../b", "/%0d%0aX:%20y", "/a:b"])
def test_paths_of_ours_are_kept(target):
    assert safe_next(target, "/fallback") == target


@pytest.mark.parametrize(
    "target", [None, "", "a", "//a", "///a", "/\\a", "/a\\b", "http:/a", "/a\nb", "/\t/a", "/ a", "\x00/"]
)
def test_everything_else_is_not(target):
    assert safe_next(target, "/fallback") == "/fallback"


@given(st.text(alphabet="/\\:.@?#[]%ahtps \t\r\n\x00", max_size=12))
def test_no_text_leads_to_another_host(target):
    reached = urlsplit(urljoin(HERE, safe_next(target, "/")))
    assert (reached.scheme, reached.netloc) == ("https", "ci.example")
