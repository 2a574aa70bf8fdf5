"""Take the pictures of docs/console.md, of a run that is refused and one that succeeds."""

from __future__ import annotations

from tests.page.console import choose_state, ended, put, state, visit, write_in
from tests.page.test_pictures import views
from tests.page.user import User


def test_the_console(user: User) -> None:
    put(user, "holiday/harbour.png")
    ended(user, "holiday/harbour.png", "Succeeded")
    state(user, "RemoveBackground", ".is-succeeded")
    choose_state(user, "RemoveBackground")
    views(user, "console-execution", "light-wide", "dark-small")
    put(user, "holiday/diary.jpg", b"Dear diary")
    user.look(theme="dark", width=1280)
    ended(user, "holiday/diary.jpg", "Failed")
    user.button("Timeline").click()
    user.find(".timeline")
    views(user, "console-failed", "dark-wide")
    visit(user, "start/cutout")
    lines = ('{"bucket": "matteline-local-ingest",', '"key": "holiday/harbour.png",',
             '"options": {"model": "u3net"}}')  # fmt: skip
    write_in(user, "#input", "\n".join(lines))
    user.find(".start > .btn").click()
    user.find(".faults li", text="Line 3")
    views(user, "console-start", "light-wide")
    visit(user, "quarantine")
    user.find(".of-refused .row-of", text="diary.jpg")
    views(user, "console-quarantine", "light-small")
