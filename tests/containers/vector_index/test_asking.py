"""What an execution is asked to do: whatever is wrong with its input has a name."""

from __future__ import annotations

from typing import Any, Final

import pytest

from pipeline.contracts.collection_requests import REQUESTS, Enroll
from pipeline.contracts.collection_runs import CheckRequest, RequestChecked
from pipeline.errors import ConsentMissing, InvalidOptions
from tests.containers.vector_index.desk import CONSENT, MODEL, Desk

WHO: Final = "Ada Lovelace"
SAID: Final = CONSENT.model_dump()


def check(desk: Desk, given: Any) -> RequestChecked:
    job = CheckRequest(schema_version=1, input=given, execution="an execution", default_model=MODEL)
    return desk.run(job, RequestChecked)  # type: ignore[arg-type] # no job of a collection yet


def test_what_is_not_asked_for_has_its_default(desk: Desk) -> None:
    checked = check(desk, {"action": "create", "collection": "staff", "consent": SAID})

    assert (checked.action, checked.collection, checked.asked_by) == ("create", "staff", "operator")
    assert checked.create is not None
    assert (checked.create.model, checked.create.backend) == (MODEL, "segments")
    assert checked.enroll is None


def test_a_photo_comes_with_the_key_of_its_record(desk: Desk) -> None:
    checked = check(desk, {"action": "enroll", "collection": "staff", "photo": "people/ada.jpg"})

    assert checked.record == "people/ada_faces.record.json"
    assert checked.enroll == Enroll(collection="staff", photo="people/ada.jpg")


def test_who_asks_is_passed_on_and_the_console_may_link_the_execution(desk: Desk) -> None:
    asked = {
        "action": "compact",
        "collection": "staff",
        "asked_by": "olga",
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn",
    }

    assert check(desk, asked).asked_by == "olga"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "the input: should be an object"),
        ([], "the input: should be an object"),
        ({}, f"action: should be one of {', '.join(REQUESTS)}"),
        ({"action": ["enroll"]}, "action: should be one of"),
        ({"action": "enrol"}, "did you mean 'enroll'?"),
        ({"action": "compact", "collection": "Staff"}, "collection: "),
        ({"action": "compact", "collection": "s", "forced": True}, "forced: there is no such"),
        ({"action": "compact", "collection": "s", "asked_by": 3}, "asked_by: should be a name"),
        ({"action": "compact", "collection": "s", "asked_by": "x" * 201}, "asked_by: "),
        ({"action": "enroll", "collection": "s"}, "give a photo, records or a prefix"),
        ({"action": "enroll", "collection": "s", "records": []}, "records: should name"),
        ({"action": "enroll", "collection": "s", "records": ["a"] * 201}, "records: "),
        ({"action": "create", "collection": "s", "consent": "yes"}, "consent: should be"),
        (
            {"action": "create", "collection": "s", "consent": {**SAID, "retention_days": True}},
            "consent.retention_days: should be a whole number",
        ),
        (
            {"action": "create", "collection": "s", "consent": {**SAID, "purpose": [1]}},
            "consent.purpose: ",
        ),
    ],
)
def test_a_wrong_field_is_named(desk: Desk, given: Any, said: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        check(desk, given)

    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "given",
    [
        {"action": "forget", "collection": "staff", "person": f"{WHO}\0"},
        {"action": "forget", "collection": "staff", "person": WHO, "photo": "a.jpg"},
        {"action": "enroll", "collection": "staff", "photo": "a.jpg", "person": [WHO]},
        {"action": WHO, "collection": "staff"},
        {"action": "create", "collection": WHO, "consent": SAID},
    ],
    ids=["character", "two", "list", "action", "collection"],
)
def test_no_value_is_quoted(desk: Desk, given: Any) -> None:
    with pytest.raises(InvalidOptions) as caught:
        check(desk, given)

    assert WHO not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("lacking", sorted(SAID))
@pytest.mark.parametrize("value", [None, "", ...], ids=["null", "empty", "missing"])
def test_a_consent_that_does_not_say_why_is_missing(desk: Desk, lacking: str, value: Any) -> None:
    consent = {**SAID, lacking: value}
    if value is ...:
        del consent[lacking]

    with pytest.raises(ConsentMissing, match=f"consent: lacks {lacking}"):
        check(desk, {"action": "create", "collection": "staff", "consent": consent})


def test_no_consent_at_all_lacks_everything(desk: Desk) -> None:
    with pytest.raises(ConsentMissing, match="purpose, legal_basis, retention_days"):
        check(desk, {"action": "create", "collection": "staff"})
