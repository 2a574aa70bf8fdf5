"""Those who manage a collection add a face to it and forget a person, and are told what happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Keys

from tests.page.faces import DESCRIBED, FILES, files_of, middle, point, serving
from tests.page.finding import (
    ADDED,
    EMBEDDED,
    GUESTS,
    JOB,
    RECEIPT,
    STAFF,
    collections,
    opened,
    problem,
    say,
    searched,
    told,
)
from tests.page.user import User

PERSON = "P-0412"


@pytest.fixture
def keeper(user: User) -> Iterator[User]:
    """A user who manages one collection and may search another one."""
    with serving(user, FILES | EMBEDDED), collections(user, [STAFF, GUESTS]):
        yield user


def wanted(user: User, press: str, person: str = PERSON) -> None:
    user.button("Person").send_keys(person)
    user.button(press).click()
    user.find(".confirm[open]")


def begun(user: User, press: str, yes: str) -> None:
    wanted(user, press)
    user.find(".confirm button", text=yes).click()
    user.find(".going")


def ended(user: User, **action: object) -> None:
    say(user, "action", {"id": "a-1", "collection": "staff", **action})


def test_a_face_is_added_after_it_was_said_what_that_means(keeper: User) -> None:
    opened(keeper)
    point(keeper, *middle(1), click=True)
    wanted(keeper, "Add face 2")
    asked = keeper.find(".confirm").text
    before = told(keeper)
    keeper.find(".confirm button", text="Add it").click()
    keeper.find(".going", text="Adding the face")
    ended(keeper, state="done", result=ADDED)
    keeper.find(".manage .ended", text="1 face was added.")
    keeper.expect(lambda: len(told(keeper, "GET")) >= 3, wanted=True)

    for said in (
        "Add face 2 to staff?",
        PERSON,
        "365 days",
        "Photos of the summer party",
        "Consent",
    ):
        assert said in asked
    assert before == []
    body = {"job_id": JOB, "person": PERSON, "faces": [1]}
    assert told(keeper) == [["/staff/enrollments", body]]
    paths = [path for path, _ in told(keeper, "GET")]
    assert "/staff/actions/a-1" in paths
    assert paths[-1] == ""  # how many faces it has now


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"enrolled": 0, "known": 1, "skipped": []}, "had this face already"),
        ({"enrolled": 0, "known": 0, "skipped": []}, "Nothing was added"),
    ],
    ids=["known", "nothing"],
)
def test_a_face_that_was_not_added_is_said_to_be_none(
    keeper: User, result: dict[str, object], says: str
) -> None:
    opened(keeper)
    begun(keeper, "Add face 1", "Add it")
    ended(keeper, state="done", result=result)

    keeper.find(".manage .ended", text=says)


def test_a_person_is_forgotten_and_seen_no_more(keeper: User) -> None:
    searched(keeper)
    wanted(keeper, "Forget this person")
    asked = keeper.find(".confirm").text
    keeper.find(".confirm button", text="Forget").click()
    keeper.find(".going", text="Forgetting")
    ended(keeper, state="done", result=RECEIPT)
    keeper.find(".manage .ended", text="3 faces are forgotten")

    assert f"Forget “{PERSON}” in staff?" in asked
    assert "erased for good within 7 days" in asked
    assert "cannot be undone" in asked
    assert told(keeper)[-1] == ["/staff/forgettings", {"person": PERSON}]
    assert "Dec 7, 2026" in keeper.find(".manage .ended").text
    assert PERSON not in keeper.find(".candidates").text
    assert "P-0077" in keeper.find(".candidates").text


def test_nothing_is_begun_without_a_person_or_against_the_users_will(keeper: User) -> None:
    opened(keeper)
    keeper.button("Forget this person").click()
    unasked = keeper.all(".confirm")
    wanted(keeper, "Forget this person")
    keeper.press(Keys.ENTER)  # the focus is on Cancel
    keeper.gone(".confirm")
    keeper.button("Add face 1").click()
    keeper.find(".confirm[open]")
    keeper.press(Keys.ESCAPE)
    keeper.gone(".confirm")

    assert unasked == []
    assert told(keeper) == []


def test_only_those_who_manage_a_collection_can_change_it(keeper: User) -> None:
    opened(keeper)
    keeper.find(".manage")
    keeper.pick("Collection", "guests")
    keeper.gone(".manage")


def test_a_person_can_be_forgotten_without_vectors_of_the_photo(keeper: User) -> None:
    opened(keeper, files_of(DESCRIBED))

    assert keeper.button("Forget this person").is_enabled()
    assert not [each for each in keeper.all(".manage button") if "Add" in each.text]


def test_an_action_that_fails_says_why(keeper: User) -> None:
    opened(keeper)
    begun(keeper, "Add face 1", "Add it")
    error = {"name": "EmbeddingMismatch", "message": "of other weights", "hint": "Use the model."}
    ended(keeper, state="failed", error=error)
    keeper.find(".manage .odd-box[role=alert]", text="measured by another model")

    assert keeper.button("Add face 1").is_enabled()


def test_an_action_that_is_refused_says_why(keeper: User) -> None:
    opened(keeper)
    say(keeper, "refuse_action", problem("OperatorsOnly", 403))
    wanted(keeper, "Add face 1")
    keeper.find(".confirm button", text="Add it").click()

    keeper.find(".manage .odd-box[role=alert]", text="Ask the operator")


def test_an_action_goes_on_while_another_file_is_open(keeper: User) -> None:
    opened(keeper)
    begun(keeper, "Forget this person", "Forget")
    keeper.drop(("notes.txt", "text/plain", b"hello"))
    keeper.find(".row", text="notes.txt").click()
    keeper.gone(".manage")
    ended(keeper, state="done", result=RECEIPT)
    keeper.until(lambda: "3 faces are forgotten" in keeper.said() or None, "the end")
    keeper.find(".row", text="group.png").click()

    keeper.find(".manage .ended", text="3 faces are forgotten")
