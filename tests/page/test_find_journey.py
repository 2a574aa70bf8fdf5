"""A person is added to a real collection, found in another photo, and forgotten.

Its networks take a red square for a face, and tell faces apart by their parts: tests/small_models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.page.faces import ask_for_faces
from tests.page.user import User
from tests.pipeline.cli.terminal import Terminal
from tests.small_models import people

PERSON: Final = "P-0412"


def manage(up: Terminal, command: str) -> str:
    command, *rest = command.split(" ", 1)
    options = f"--endpoint-url {up.endpoint} {''.join(rest)}"
    return up.type(f"matteline collections {command} {options}")


@pytest.fixture
def collection(up: Terminal) -> Iterator[str]:
    manage(
        up, "create staff --purpose 'Photos of the party' --legal-basis Consent --retention-days 30"
    )
    yield "staff"
    manage(up, "delete staff --yes")


def searching(user: User, name: str, photo: bytes) -> None:
    """Add a photo with a vector of its face, and open the search."""
    user.drop((name, "image/png", photo))
    user.wait_for(name, "2 faces")
    user.find(".row", text=name).click()
    user.find("#mode-search").click()
    user.find(".find-in .keyed", text="Photos of the party")


def test_a_person_is_added_found_in_another_photo_and_forgotten(
    user: User, up: Terminal, collection: str
) -> None:
    ask_for_faces(user)
    user.find(".making summary").click()
    user.button("Find in a collection").click()
    searching(user, "first.png", people())
    user.button("Person").send_keys(PERSON)
    user.find(".manage button", text="Add face").click()
    user.find(".confirm button", text="Add it").click()
    user.find(".manage .ended", text="1 face was added.")
    searching(user, "second.png", people(light=250))
    user.button("Search for these faces").click()
    user.find(".candidates ol li", text=PERSON)
    large, small = sorted((each.text for each in user.all(".candidates > li")), key=len)[::-1]
    listed = manage(up, f"searches {collection}")
    user.button("Person").send_keys(PERSON)
    user.button("Forget this person").click()
    user.find(".confirm button", text="Forget").click()
    user.find(".manage .ended", text="1 face is forgotten")
    gone = user.all(".candidates ol li")
    user.button("Search for these faces").click()
    user.find(".candidates")

    assert "Very similar 0.99" in large
    assert "first.png" in large
    assert "Not compared" in small
    assert len(re.findall(r"\b1\W+1\W+20\W+0\.9\b", listed)) == 1  # a face, a match, k, threshold
    assert gone == []
    user.find(".candidates", text="Nobody in this collection is similar enough.")
