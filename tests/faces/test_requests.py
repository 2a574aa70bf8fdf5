"""Which uploads start faces, beside or instead of their own product, and which never do."""

from __future__ import annotations

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.faces.stubs.script import Script
from tests.faces.user import People

FLAC = b"fLaC" + bytes(64)


def test_no_photo_starts_faces_by_itself(people: People) -> None:
    ended = people.drop(Script().photo(), "plain/people.png")

    assert ended.keys() == {"cutout"}
    assert people.published("plain/people") == ["_bg_removed.json", "_bg_removed.png"]


@pytest.mark.parametrize("key", ["people/us.png", "teams/a/us.png"])
def test_an_upload_below_a_prefix_starts_both_products(people: People, key: str) -> None:
    ended = people.drop(Script(padding=key).photo(), key)

    assert {name: each.output["status"] for name, each in ended.items()} == {
        "cutout": "DONE",
        "faces": "DONE",
    }
    assert people.published(key.removesuffix(".png")) == [
        "_bg_removed.json", "_bg_removed.png", "_faces.json", "_faces.record.json",
    ]  # fmt: skip


def test_options_of_an_upload_below_a_prefix_are_for_its_own_product(people: People) -> None:
    ended = people.drop(Script(padding="crop").photo(), "people/crop.png", crop="true")

    assert {name: each.output["status"] for name, each in ended.items()} == {
        "cutout": "DONE",
        "faces": "DONE",
    }
    assert people.record("people/crop.png")["options"]["preview"] is False


def test_an_upload_that_asks_for_faces_starts_faces_alone(people: People, driver: Driver) -> None:
    ended = people.drop(Script(padding="alone").photo(), "alone/us.png", product="faces")

    assert ended.keys() == {"cutout", "faces"}
    first, done = ended["cutout"], ended["faces"]
    assert first.output["status"] == "HANDED_OVER"
    assert first.output["execution"] == done.arn == NAMES.execution_arn("faces", first.name)
    assert driver.states_of(first) == [
        "Inspect", "ReadRequest", "NameRequestedMachine", "HandOver", "HandedOver",
    ]  # fmt: skip
    assert done.input == first.input
    assert people.published("alone/us") == ["_faces.json", "_faces.record.json"]
    (row,) = driver.records_of("alone/us.png")
    assert row["product"] == "faces"


def test_an_upload_below_a_prefix_that_asks_for_faces_has_them_once(people: People) -> None:
    ended = people.drop(
        Script(padding="both").photo(), "people/both.png", product="faces", preview="true"
    )

    assert ended["cutout"].output["status"] == "HANDED_OVER"
    assert ended["faces"].output["status"] in {"DONE", "DUPLICATE"}  # started twice, done once
    assert people.published("people/both") == [
        "_faces.json", "_faces.record.json", "_faces_preview.jpg",
    ]  # fmt: skip


def test_an_upload_below_a_prefix_may_ask_for_a_cutout_alone(people: People) -> None:
    ended = people.drop(Script(padding="no").photo(), "people/no.png", product="cutout")

    assert ended["cutout"].output["status"] in {"DONE", "DUPLICATE"}
    assert ended["faces"].output["status"] == "HANDED_OVER"
    assert people.published("people/no") == ["_bg_removed.json", "_bg_removed.png"]


def test_a_photo_with_a_recordings_name_may_ask_for_faces(people: People) -> None:
    ended = people.drop(Script(padding="named").photo(), "odd/us.mp3", product="faces")

    assert ended["transcript"].output["status"] == "HANDED_OVER"
    assert ended["faces"].output["status"] == "DONE"


@pytest.mark.parametrize("key", ["asked/talk.png", "asked/talk.mp3"])
def test_a_recording_that_asks_for_faces_is_quarantined(people: People, key: str) -> None:
    """Handed over again, it would go round in a circle, and no execution would do the job."""
    ended = people.drop(FLAC + key.encode(), key, product="faces")

    refused = ended["faces"]
    assert (refused.verdict, refused.error) == ("QUARANTINED", "UnsupportedMedia")
    assert people.driver.reason(refused)["message"] == "not a photo, but a recording"


@pytest.mark.parametrize("key", ["people/talk.png", "people/talk.mp3"])
def test_a_recording_below_a_prefix_is_handed_over(people: People, key: str) -> None:
    ended = people.drop(FLAC + key.encode(), key)

    assert ended["faces"].output["status"] == "HANDED_OVER"
    assert ended["faces"].output["execution"].rpartition(":")[0].endswith("transcript")
    assert ended["transcript"].output.get("status") != "HANDED_OVER"


def test_a_photo_that_asks_for_a_transcript_is_quarantined(people: People) -> None:
    ended = people.drop(Script(padding="talk").photo(), "asked/us.png", product="transcript")

    refused = ended["transcript"]
    assert ended["cutout"].output["status"] == "HANDED_OVER"
    assert (refused.verdict, refused.error) == ("QUARANTINED", "UnsupportedMedia")


def test_a_misspelt_product_is_named_with_the_nearest(people: People) -> None:
    refused = people.drop(Script().photo(), "misspelt/us.png", product="face")["cutout"]

    assert (refused.verdict, refused.error) == ("QUARANTINED", "InvalidOptions")
    assert people.driver.reason(refused)["message"] == (
        "object metadata: product: there is no product 'face'; did you mean 'faces'?"
    )


def test_who_starts_a_machine_themselves_has_chosen_its_product(people: People) -> None:
    """And the options in the metadata are for the product that is named there."""
    people.ask(Script(padding="chosen").photo(), "chosen/us.png", preview="true")

    done = people.start("chosen/us.png", machine="cutout")

    assert done.output["status"] == "DONE"


def test_a_folder_below_a_prefix_starts_nothing(people: People) -> None:
    assert people.drop(b"", "people/") == {}
