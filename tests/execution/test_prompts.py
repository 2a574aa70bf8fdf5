"""Photos whose subjects are shown by points and boxes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pipeline.operations.executions import Execution
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng
from tests.sam_models import SCORES

WHITE = png(np.full((48, 64, 3), 255, np.uint8))
LEFT = {"points": [{"x": 16, "y": 24}]}
RIGHT_BOX = {"box": {"x0": 40, "y0": 10, "x1": 60, "y1": 40}}


def prompted(
    driver: Driver,
    key: str,
    *prompts: dict[str, Any],
    photo: bytes = WHITE,
    model: str = "pointer",
) -> Execution:
    """Put a photo where nothing starts by itself, and start it with prompts."""
    place = driver.new_bucket()
    driver.put(photo, key, to=place)
    chosen = {"model": model, "refine": "none", "prompts": list(prompts)}
    return driver.start({"bucket": place, "key": key, "options": chosen})


def manifest_of(driver: Driver, execution: Execution) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(driver.read(execution.output["manifest"]))
    return manifest


def alpha_of(driver: Driver, execution: Execution) -> Any:
    return unpng(driver.read(execution.output["pictures"][0]["uri"]))[..., 3]


def test_what_is_shown_is_cut_out(driver: Driver) -> None:
    execution = prompted(driver, "shown/cat.png", LEFT, RIGHT_BOX)

    assert execution.status == "SUCCEEDED", execution.reason
    alpha = alpha_of(driver, execution)
    assert alpha[24, 16] == alpha[11, 41] == alpha[38, 58] == 255
    assert not alpha[:, 26:38].any()
    assert not alpha[:8].any()


def test_a_model_that_sees_the_photo_stretched_cuts_out_the_same_places(driver: Driver) -> None:
    execution = prompted(driver, "stretched/cat.png", LEFT, RIGHT_BOX, model="pointer2")

    assert execution.status == "SUCCEEDED", execution.reason
    alpha = alpha_of(driver, execution)
    assert alpha[24, 16] == alpha[12, 42] == alpha[37, 57] == 255
    assert not alpha[:, 24:38].any()
    assert not alpha[:8].any()
    first, second = (each["candidates"] for each in manifest_of(driver, execution)["subjects"])
    assert [candidate["chosen"] for candidate in first] == [False, False, True]
    assert [candidate["chosen"] for candidate in second] == [True, False, False]


def test_the_manifest_has_every_candidate_with_its_score(driver: Driver) -> None:
    execution = prompted(driver, "candidates/cat.png", LEFT, RIGHT_BOX)

    manifest = manifest_of(driver, execution)
    first, second = (subject["candidates"] for subject in manifest["subjects"])
    assert [candidate["score"] for candidate in first] == list(SCORES)
    assert [candidate["chosen"] for candidate in first] == [False, False, True, False]
    assert [candidate["chosen"] for candidate in second] == [True, False, False, False]
    box = unpng(driver.read(second[0]["mask"]["uri"]))
    assert (box[10:40, 40:60] == 255).all()
    assert box.sum() == 255 * 30 * 20
    assert manifest["options"]["prompts"][1]["box"] == {"x0": 40, "y0": 10, "x1": 60, "y1": 40}


def test_a_second_prompt_on_a_photo_does_not_look_at_it_again(driver: Driver) -> None:
    photo = png(square(side=80, left=0, top=0, size=79))

    first = prompted(driver, "again/one.png", {"points": [{"x": 40, "y": 40}]}, photo=photo)
    second = prompted(driver, "again/two.png", {"points": [{"x": 20, "y": 60}]}, photo=photo)

    looked, recalled = (
        manifest_of(driver, one)["tasks"]["RemoveBackground"]["metrics"] for one in (first, second)
    )
    assert (looked["embedding_cached"], recalled["embedding_cached"]) == (0, 1)
    assert ("embed_ms" in looked, "embed_ms" in recalled) == (True, False)
    assert alpha_of(driver, first)[40, 40] == alpha_of(driver, second)[60, 20] == 255
    assert alpha_of(driver, first)[60, 20] == alpha_of(driver, second)[40, 40] == 0


def test_the_same_place_in_other_words_is_the_same_job(driver: Driver) -> None:
    place = driver.new_bucket()
    driver.put(WHITE, "words.png", to=place)
    words = [{"x": 16, "y": 24}, {"x": 0.25, "y": 0.5, "label": 1}]

    first, second = (
        driver.start(
            {
                "bucket": place,
                "key": "words.png",
                "options": {"model": "pointer", "prompts": [{"points": [point]}]},
            }
        )
        for point in words
    )

    assert second.output["status"] == "DUPLICATE"
    assert second.output["job_id"] == first.output["job_id"]


def test_prompts_may_come_with_the_photo(driver: Driver) -> None:
    execution = driver.drop(
        WHITE, "metadata/cat.png", model="pointer", refine="none", prompts=json.dumps([RIGHT_BOX])
    )

    assert execution.status == "SUCCEEDED", execution.reason
    assert alpha_of(driver, execution)[25, 50] == 255


@pytest.mark.parametrize(
    ("prompts", "model", "says"),
    [
        (
            [{"points": [{"x": 65, "y": 4}]}],
            "pointer",
            "x goes from 0 to 64 and y from 0 to 48 pixels",
        ),
        ([{"box": {"x0": 9, "y0": 9, "x1": 9, "y1": 20}}], "pointer", "has no area"),
        ([], "pointer", "pointer has to be shown its subject: set prompts, for one in the middle"),
        ([LEFT], "brightness", "brightness takes no points or boxes; models that do"),
    ],
)
def test_prompts_that_do_not_fit_are_quarantined_with_what_would(
    driver: Driver, prompts: list[dict[str, Any]], model: str, says: str
) -> None:
    execution = prompted(driver, "unfit/cat.png", *prompts, model=model)

    assert (execution.status, execution.error) == ("FAILED", "InvalidPrompt")
    assert says in driver.reason(execution)["message"]


def test_a_prompt_beside_every_subject_is_quarantined(driver: Driver) -> None:
    nowhere = {"points": [{"x": 90, "y": 90}]}

    execution = prompted(driver, "beside/cat.png", nowhere, photo=png(square(left=8)))

    assert (execution.status, execution.error) == ("FAILED", "NoSubject")
    assert "subject 1: the model finds no subject" in driver.reason(execution)["message"]
