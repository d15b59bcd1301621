"""Windows of the browser that notice what goes wrong in them, and a server that the tests of one module share."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from app import create_app, crypto
from app.config import Config
from app.events.base import Notice
from app.extensions import db
from app.models import User
from app.services.core import Core
from tests.factories import PASSWORD, make_user
from tests.support.http_server import HttpServer


@contextmanager
def watched_window(chromium: Browser, url: str, **given: Any) -> Iterator[Page]:
    """A fresh window. Whatever goes wrong in it is collected and fails the test at its end."""
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "base_url": url, **given})
    window, faults = context.new_page(), []
    window.set_default_timeout(10_000)
    window.set_default_navigation_timeout(60_000)  # the first one of all meets a machine that is busy with everything
    window.on("pageerror", lambda error: faults.append(str(error)))
    window.on("dialog", lambda dialog: (faults.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    window.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield window
    context.close()
    assert faults == []


@dataclass
class Place:
    """A server with one administrator, who is `signed_in` in a window that is given this as its storage."""

    url: str
    core: Core
    admin: User
    signed_in: Any

    def tell(self, pipeline_id: int) -> None:
        """Pages of the pipeline hear that something changed."""
        self.core.bus.publish(Notice(f"pipeline:{pipeline_id}"))


@contextmanager
def shared_place(chromium: Browser, folder: Path, sqlite_template: Path) -> Iterator[Place]:
    """A server on an empty database, for the tests of one module: each makes the pipelines that it looks at."""
    shutil.copyfile(sqlite_template, folder / "skerry.db")
    crypto.create_key_file(folder / "secret.key")
    app = create_app(Config(data_dir=folder, database_url=f"sqlite:///{folder / 'skerry.db'}", poll_wait=0))
    http = HttpServer(app)
    with app.app_context():
        core: Core = app.extensions["skerry"]
        admin = make_user(core, "admin", is_admin=True)
        try:
            yield Place(http.url, core, admin, _sign_in(chromium, http.url))
        finally:
            core.bus.stop()
            http.stop()
            db.session.remove()
            db.engine.dispose()


def _sign_in(chromium: Browser, url: str) -> Any:
    with watched_window(chromium, url) as page:
        page.goto("/-/sign_in")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        return page.context.storage_state()
