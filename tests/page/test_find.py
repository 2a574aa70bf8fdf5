"""The faces of a photo are looked for in a collection; nothing of it stays in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.page.faces import (
    DESCRIBED,
    FILES,
    KEPT,
    NAME,
    ask_for_faces,
    done,
    files_of,
    found,
    middle,
    photo,
    point,
    serving,
)
from tests.page.finding import (
    ANSWER,
    EMBEDDED,
    GUESTS,
    JOB,
    STAFF,
    collections,
    match,
    opened,
    problem,
    say,
    searched,
    told,
)
from tests.page.user import User


def listed(user: User, face: int) -> list[str]:
    """Return the candidates of a face, each as one line."""
    lines = user.run(
        "return [...document.querySelectorAll('.candidates > li')][arguments[0]]"
        "?.querySelectorAll('ol li')?.values().map((each) => each.innerText).toArray()",
        face,
    )
    return [each.replace("\n", " · ") for each in lines]


# Ask for vectors


def test_vectors_are_made_only_if_that_is_chosen_where_there_is_a_collection(finder: User) -> None:
    ask_for_faces(finder)
    finder.find(".making summary").click()
    finder.button("Find in a collection").click()
    finder.find(".making .note", text="Vectors identify people")
    finder.find(".making summary", text="For a collection")
    finder.drop((NAME, "image/png", photo()))
    finder.wait_for(NAME, "Looking for faces")

    (_, _, asked), *_ = finder.run("return window.asked")
    assert asked["options"] == {"embed": True, "embedder": STAFF["model"]}


@pytest.mark.parametrize(
    "listed",
    [[], [{**STAFF, "may": ["manage"]}], problem("NotFound", 404), problem("Forbidden", 403)],
    ids=["none", "none to search", "no such route", "not allowed"],
)
def test_nothing_of_collections_is_shown_where_there_is_none(user: User, listed: Any) -> None:
    with serving(user, FILES | EMBEDDED), collections(user, listed):
        user.run(
            "localStorage.matteline = JSON.stringify({ photos: 'faces', faces: { embed: true } })"
        )
        user.open()
        user.find(".making summary", text="Find them only").click()
        user.until(lambda: told(user, "GET") or None, "a question")
        found(user, done(EMBEDDED))
        (_, _, asked), *_ = user.run("return window.asked")

        assert asked["options"] == {}
        assert not user.all("#mode-search")
        assert "collection" not in user.text()


def test_collections_are_asked_for_again_while_the_index_is_busy(user: User) -> None:
    busy = problem("IndexBusy", 503)
    with serving(user, FILES | EMBEDDED), collections(user, busy):
        found(user, done(EMBEDDED))
        user.until(lambda: told(user, "GET") or None, "a question")
        say(user, "collections", [STAFF])

        user.find("#mode-search")
        assert not user.all(".away")


def test_vectors_of_a_photo_without_them_are_made_with_the_collections_model(finder: User) -> None:
    opened(finder, files_of(DESCRIBED))
    finder.pick("Collection", "guests")
    finder.find(".find-in", text="have no vectors yet")
    absent = [each.accessible_name for each in finder.all(".find-in .end button")]
    finder.button("Make vectors").click()
    finder.until(lambda: len(finder.run("return window.asked")) == 2 or None, "a job")

    _, (_, _, asked) = finder.run("return window.asked")
    assert absent == []
    assert asked["options"] == {"embed": True, "embedder": GUESTS["model"]}


# Search


def test_a_search_lists_each_faces_candidates_the_most_similar_first(finder: User) -> None:
    opened(finder)
    finder.find(".find-in .keyed", text="Photos of the summer party")
    finder.find(".find-in .told", text="Each search is written down")
    before = told(finder)
    finder.button("Search for these faces").click()
    finder.find(".candidates")

    assert before == []
    assert told(finder) == [["/staff/searches", {"job_id": JOB}]]
    assert listed(finder, 0) == [
        "P-0412 · Very similar 0.93 · staff/badge-0412.jpg · added Mar 4, 2026",
        "Nobody was named · Similar 0.71 · staff/stage-left.jpg · added Mar 4, 2026",
        "P-0077 · Just similar enough 0.62 · staff/summer-day.jpg · added Mar 4, 2026",
    ]
    second, third = (each.text for each in finder.all(".candidates > li")[1:])
    assert "Nobody in this collection is similar enough." in second
    assert "Not compared" in third
    finder.find(".find-in", text="Candidates, not identities")
    finder.find(".find-in", text="This search was written down.")
    finder.expect(finder.said, "3 candidates")


def test_one_search_is_written_down_for_two_presses(finder: User) -> None:
    opened(finder)
    press = "document.querySelector('.find-in .end button').click()"
    finder.run(f"{press}; {press}")
    finder.find(".candidates")

    assert len(told(finder)) == 1


def test_a_similarity_is_never_rounded_up(user: User) -> None:
    near = {**ANSWER, "queries": [{"face": 0, "box": None, "matches": [match(0.9999, "P", "a")]}]}
    with serving(user, FILES | EMBEDDED), collections(user, [STAFF], near):
        searched(user)

        assert "Very similar 0.99 " in listed(user, 0)[0]


def test_the_slider_hides_and_never_shows_what_is_below_the_collections_limit(user: User) -> None:
    found = [*ANSWER["queries"][0]["matches"], match(0.6249, "P-0001", "below.jpg")]
    answer = {**ANSWER, "threshold": 0.625}
    answer["queries"] = [{"face": 0, "box": None, "matches": found}]
    with (
        serving(user, FILES | EMBEDDED),
        collections(user, [STAFF], answer),
    ):
        searched(user)
        slider = user.button("Least similarity")
        first = [each.split(" ")[0] for each in listed(user, 0)]
        slider.send_keys(Keys.HOME, Keys.ARROW_LEFT)
        least = slider.get_attribute("aria-valuetext")
        slider.send_keys(*[Keys.ARROW_RIGHT] * 8)
        user.expect(lambda: slider.get_attribute("aria-valuetext"), "0.70 or more")
        user.expect(lambda: len(listed(user, 0)), 2)
        user.find(".candidates .none", text="hidden")
        slider.send_keys(Keys.END)
        user.expect(lambda: len(listed(user, 0)), 0)
        slider.send_keys(Keys.HOME)

        user.expect(lambda: len(listed(user, 0)), 3)
        assert first == ["P-0412", "Nobody", "P-0077"]
        assert least == "0.62 or more"
        assert len(told(user)) == 1


def test_another_collection_has_its_own_candidates(finder: User) -> None:
    searched(finder)
    finder.pick("Collection", "guests")
    finder.gone(".candidates")
    finder.find(".find-in .end button").click()
    finder.find(".candidates")

    assert [path for path, _ in told(finder)] == ["/staff/searches", "/guests/searches"]


def test_a_face_that_only_the_collections_model_found_has_its_candidates(user: User) -> None:
    queries = [{"face": 7, "box": None, "matches": [match(0.8, "P-0009", "a.jpg")]}]
    with (
        serving(user, FILES | EMBEDDED),
        collections(user, [STAFF], {**ANSWER, "queries": queries}),
    ):
        searched(user)

        assert "only the collection" in user.all(".candidates > li")[3].text
        assert len(listed(user, 3)) == 1


# Look


def test_a_face_and_its_candidates_are_marked_together(finder: User) -> None:
    searched(finder)
    point(finder, *middle(1))
    finder.find(".candidates > li.chosen", text="Face 2")
    finder.find(".face-card", text="Face 2")
    point(finder, 240, 10)
    finder.gone(".candidates > li.chosen")
    ActionChains(finder.driver).move_to_element(finder.find(".candidates ol li")).perform()
    finder.find(".face-layer .chosen rect[data-face='0']")
    finder.find(".face-card", text="P-0412")


def test_the_focus_marks_a_face_and_a_press_holds_it(finder: User) -> None:
    searched(finder)
    point(finder, 240, 10)
    finder.tab_to("Face 2")
    finder.find(".face-layer .chosen rect[data-face='1']")
    finder.press(Keys.ENTER)
    finder.find(".candidates [aria-pressed=true]", text="Face 2")
    finder.tab_to("Face 3")
    finder.press(Keys.ESCAPE)
    finder.gone(".candidates [aria-pressed=true]")


# What goes wrong


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("CollectionMissing", 404, "Choose another one."),
        ("EmbeddingMismatch", 422, "Make vectors with the collection"),
        ("CollectionTooLarge", 422, "Tell the operator"),
        ("CollectionBusy", 503, "Try again in a moment."),
        ("IndexBusy", 503, "Search again in some seconds."),
        ("Surprising", 422, "Stand on one leg."),
    ],
)
def test_a_search_that_fails_says_what_to_do(
    finder: User, name: str, status: int, says: str
) -> None:
    opened(finder)
    say(finder, "search", problem(name, status, hint="Stand on one leg."))
    finder.button("Search for these faces").click()
    finder.find(".odd-box[role=alert]", text=says)
    say(finder, "search", ANSWER)
    finder.button("Search for these faces").click()
    finder.find(".candidates")

    assert not finder.all(".odd-box, .away")


def test_a_search_that_is_not_answered_can_be_tried_again(finder: User) -> None:
    opened(finder)
    say(finder, "cut", value=True)
    finder.button("Search for these faces").click()
    finder.find(".odd-box[role=alert]", text="Check the connection")
    say(finder, "cut", value=False)
    finder.button("Search for these faces").click()

    finder.find(".candidates")


def test_faces_of_another_model_are_measured_again_on_request(finder: User) -> None:
    opened(finder)
    say(finder, "search", problem("EmbeddingMismatch", 422))
    finder.button("Search for these faces").click()
    finder.find(".odd-box button", text="Make vectors").click()
    finder.until(lambda: len(finder.run("return window.asked")) == 2 or None, "a job")

    _, (_, path, asked) = finder.run("return window.asked")
    assert path == "api/jobs"
    assert asked["options"]["embedder"] == STAFF["model"]


# Privacy


def test_nothing_of_a_search_is_kept_by_the_browser(finder: User) -> None:
    searched(finder)
    finder.find(".candidates button").click()
    finder.button("Person").send_keys("P-0555")
    finder.button("Forget this person").click()
    finder.find(".confirm button", text="Forget").click()
    finder.find(".going")
    finder.run("window.refuse = { type: '#sourcemissing', title: 'Not there.', status: 404 }")
    finder.button("More").click()
    finder.find(".menu button", text="Delete results").click()
    finder.until(lambda: finder.driver.switch_to.alert, "a question").accept()
    finder.find("#mode-faces").click()
    finder.find(".note.odd")  # the item was written by then
    kept = finder.run_later(f"return JSON.stringify(await {KEPT})")
    kept += finder.run("return JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    finder.open()
    finder.wait_for(NAME, "3 faces")
    finder.find("#mode-search").click()
    finder.find(".find-in")

    assert "group.png" in kept
    for private in ("P-0412", "P-0555", "0.938", "badge-0412", "staff", "finding", "acting"):
        assert private not in kept
    assert not finder.all(".candidates")
    assert finder.run("return window.told.filter(([method]) => method === 'POST')") == []


def test_vectors_are_not_handed_out_by_the_page(finder: User) -> None:
    searched(finder)
    finder.find("#mode-faces").click()
    finder.find(".people")
    finder.find(".end button", text="Download JSON").click()
    finder.find(".foot .btn").click()
    finder.downloaded("group_faces.json")

    assert not finder.all(".files")
