"""A photo is prepared once, and each click on it is answered with candidate masks, over HTTP."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import signal
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import urllib3
from PIL import Image

from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.local.deployment import NAMES
from pipeline.operations.selecting import LASTS, MACHINE, new_selection
from pipeline.photo.pixels import Pixels
from tests.execution.api import User, prefix_of, problem, send
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng
from tests.sam_models import FAR, SCORES

WHITE = png(np.full((48, 64, 3), 255, np.uint8))
WAIT = "wait=20"
MIDDLE = {"x": 32, "y": 24}


def uploaded(user: User, content: bytes = WHITE, name: str = "cat.png") -> dict[str, Any]:
    """Upload a photo, whose cutout nobody waits for."""
    form = user.upload(name=name, bytes=len(content))
    assert send(form, content).status == 201
    return form


def begun(user: User, **asked: Any) -> dict[str, Any]:
    answer = user.ask("POST", "/selections", body=asked)
    assert answer.status == 202, answer.data
    told: dict[str, Any] = answer.json()
    return told


def ready(user: User, content: bytes = WHITE, **more: Any) -> dict[str, Any]:
    """Return the selection of an uploaded photo, once it has ended."""
    selection = begun(user, upload=uploaded(user, content)["id"], **more)
    return selected(user, selection["id"])


def selected(user: User, name: str) -> dict[str, Any]:
    answer = user.ask("GET", f"/selections/{name}", prefer=WAIT)
    assert answer.status == 200, answer.data
    told: dict[str, Any] = answer.json()
    return told


def masks(user: User, name: str, **asked: Any) -> dict[str, Any]:
    answer = user.ask("POST", f"/selections/{name}/masks", body=asked)
    assert answer.status == 200, answer.data
    told: dict[str, Any] = answer.json()
    return told


def levels(candidate: dict[str, Any]) -> Pixels:
    return unpng(base64.b64decode(candidate["png"]))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header states more pixels than are decoded."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    checked = header + zlib.crc32(header).to_bytes(4, "big")
    return WHITE[:12] + checked + WHITE[33:]


def forget(driver: Driver) -> None:
    """End the processes of the model, which have verified its weights."""
    for pid in driver.cloud.host.worker_pids(NAMES.function("background-remover", "pointer")):
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # its own watcher may have waited for it
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def disc(x: float, y: float, radius: float) -> Any:
    rows, columns = np.mgrid[:48, :64] + 0.5
    inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
    return inside.repeat(4, axis=0).repeat(4, axis=1)


def test_a_click_is_answered_with_three_candidates(ada: User) -> None:
    selection = ready(ada)

    assert selection["state"] == "ready"
    assert (selection["model"], selection["width"], selection["height"]) == ("pointer", 64, 48)
    found = masks(ada, selection["id"], points=[MIDDLE])

    assert [each["score"] for each in found["candidates"]] == list(SCORES[1:])
    assert [each["chosen"] for each in found["candidates"]] == [False, True, False]
    (chosen,) = (levels(each) for each in found["candidates"] if each["chosen"])
    np.testing.assert_array_equal(chosen >= found["boundary"], disc(32, 24, FAR))
    assert found["mask"] == selection["mask"]
    assert found["mask"]["photo"] == {"x": 0, "y": 0, "width": 256, "height": 192}
    assert chosen.shape == (192, 256)


def test_a_hint_and_several_marks_narrow_the_selection(ada: User) -> None:
    name = ready(ada)["id"]
    first = masks(ada, name, points=[{"x": 0.5, "y": 0.5}])["candidates"]

    box = {"x0": 20, "y0": 10, "x1": 60, "y1": 40}
    second = masks(ada, name, box=box, previous=first[1]["png"])["candidates"]

    assert [each["chosen"] for each in second] == [True, False, False]
    np.testing.assert_array_equal(levels(second[0]) >= 128, disc(32, 24, FAR))


def test_a_photo_that_browsers_do_not_show_has_an_upright_preview(ada: User) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row is the right side
    picture = np.zeros((1500, 3000, 3), np.uint8)
    picture[:, :1500] = (250, 0, 0)
    Image.fromarray(picture).save(buffer, "TIFF", exif=exif)

    selection = ready(ada, buffer.getvalue())

    assert (selection["width"], selection["height"]) == (1500, 3000)
    left = datetime.fromisoformat(selection["preview"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    answer = urllib3.request("GET", selection["preview"]["url"])
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.data)) as preview:
        assert (preview.format, preview.size) == ("JPEG", (1024, 2048))
        assert preview.getpixel((500, 100)) == pytest.approx((250, 0, 0), abs=3)
        assert preview.getpixel((500, 1900)) == pytest.approx((0, 0, 0), abs=3)


def test_what_is_cut_out_afterwards_is_what_was_selected(ada: User) -> None:
    photo = png(square(side=64, left=20, top=8, size=30)[:48])
    form = uploaded(ada, photo, "subject.png")
    name = begun(ada, key=form["key"], model="pointer")["id"]
    assert selected(ada, name)["state"] == "ready"
    points = [{"x": 24, "y": 12}, {"x": 44, "y": 30}]
    (chosen,) = (each for each in masks(ada, name, points=points)["candidates"] if each["chosen"])

    options = {
        "model": "pointer", "refine": "none", "outputs": ["mask"], "prompts": [{"points": points}],
    }  # fmt: skip
    job = ada.ask("POST", "/jobs", body={"key": form["key"], "options": options}).json()
    ended = ada.ask("GET", f"/jobs/{job['id']}", prefer=WAIT).json()

    assert ended["state"] == "done", ended
    mask = unpng(urllib3.request("GET", ended["results"][0]["url"]).data)
    np.testing.assert_array_equal(levels(chosen)[2::4, 2::4] >= 128, mask >= 128)


def test_a_model_that_sees_the_photo_stretched_answers_and_cuts_out(ada: User) -> None:
    form = uploaded(ada, WHITE, "stretched.png")
    selection = selected(ada, begun(ada, key=form["key"], model="pointer2")["id"])
    assert selection["state"] == "ready"
    points = [{"x": 14, "y": 24}, {"x": 15.5, "y": 24, "label": 0}]

    found = masks(ada, selection["id"], points=points)

    assert found["mask"]["photo"] == {"x": 0, "y": 0, "width": 256, "height": 256}
    assert [each["chosen"] for each in found["candidates"]] == [True, False, False]
    chosen = levels(found["candidates"][0]) >= found["boundary"]
    assert (chosen[128, 56], chosen[128, 62]) == (True, False)  # of 256 across and down
    options = {
        "model": "pointer2", "refine": "none", "outputs": ["mask"], "prompts": [{"points": points}],
    }  # fmt: skip
    job = ada.ask("POST", "/jobs", body={"key": form["key"], "options": options}).json()
    ended = ada.ask("GET", f"/jobs/{job['id']}", prefer=WAIT).json()
    assert ended["state"] == "done", ended
    mask = unpng(urllib3.request("GET", ended["results"][0]["url"]).data)
    assert mask[24, 13] > 200
    assert mask[24, 15] < 60


def test_a_photo_is_encoded_once_for_selections_and_cutouts(driver: Driver, ada: User) -> None:
    photo = png(np.full((48, 64, 3), 254, np.uint8))
    form = uploaded(ada, photo)
    first, second = (selected(ada, begun(ada, key=form["key"])["id"]) for _ in range(2))

    executions = [
        driver.cloud.client("stepfunctions").describe_execution(
            executionArn=NAMES.execution_arn(MACHINE, each["id"])
        )
        for each in (first, second)
    ]
    cached = [
        json.loads(each["output"])["tasks"]["EncodePhoto"]["metrics"]["embedding_cached"]
        for each in executions
    ]
    assert cached == [0, 1]


def test_a_selection_is_no_job_and_no_product(driver: Driver, ada: User) -> None:
    list(driver._watch.ended())
    form = uploaded(ada)
    driver.wait_for([form["key"]])
    before = driver.keys("output"), driver.keys("quarantine"), driver.records_of(form["key"])

    name = begun(ada, key=form["key"])["id"]
    assert selected(ada, name)["state"] == "ready"

    after = driver.keys("output"), driver.keys("quarantine"), driver.records_of(form["key"])
    assert after == before
    assert driver.keys("work", prefix=f"selections/{name}/") == [f"selections/{name}/preview.jpg"]
    assert problem(ada.ask("GET", f"/jobs/{name}")) == (404, "nosuchjob")


def test_nobody_else_sees_or_asks_a_selection(driver: Driver, ada: User, bob: User) -> None:
    form = uploaded(ada)
    name = begun(ada, key=form["key"])["id"]
    assert selected(ada, name)["state"] == "ready"
    operator = User(driver.cloud.api, "olga", f"openid {OPERATOR_SCOPE}")

    for other in (bob, operator):
        answer = other.ask("GET", f"/selections/{name}")
        assert problem(answer) == (404, "nosuchselection")
        answer = other.ask("POST", f"/selections/{name}/masks", body={"points": [MIDDLE]})
        assert problem(answer) == (404, "nosuchselection")
    for asked in ({"upload": form["id"]}, {"key": form["key"]}):
        assert problem(bob.ask("POST", "/selections", body=asked)) == (404, "nosuchobject")
    assert begun(operator, key=form["key"])["state"] == "preparing"


def test_an_upload_that_has_not_arrived_cannot_be_selected_from(ada: User) -> None:
    form = ada.upload()

    for asked in ({"upload": form["id"]}, {"key": form["key"]}):
        assert problem(ada.ask("POST", "/selections", body=asked)) == (404, "nosuchobject")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no photo at all", "unsupportedmedia"),
        (WHITE[:-30], "corruptmedia"),
        (bomb(20_000, 20_000), "mediatoolarge"),
    ],
)
def test_a_photo_that_cannot_be_prepared_says_why(ada: User, content: bytes, error: str) -> None:
    selection = ready(ada, content)

    assert selection["state"] == "failed"
    assert selection["error"]["name"].lower() == error
    assert selection["error"]["hint"]
    assert "preview" not in selection
    answer = ada.ask("POST", f"/selections/{selection['id']}/masks", body={"points": [MIDDLE]})
    assert problem(answer) == (422, error)
    assert answer.json()["detail"] == selection["error"]["message"]


def test_a_click_may_wait_for_the_preparation(driver: Driver, ada: User) -> None:
    form = uploaded(ada, png(np.full((48, 64, 3), 253, np.uint8)))
    told: list[tuple[int, str]] = []
    name = ""

    def click() -> None:
        answer = ada.ask("POST", f"/selections/{name}/masks", body={"points": [MIDDLE]})
        told.append(problem(answer))
        assert answer.headers["retry-after"] == "2"

    driver.faults.before(rf"PUT /{NAMES.bucket('work')}/selections/", click)
    name = begun(ada, key=form["key"])["id"]
    path = f"/selections/{name}/masks"
    answer = ada.ask("POST", path, body={"points": [MIDDLE]}, prefer="wait=10")

    assert answer.status == 200, answer.data
    assert told == [(409, "selectionnotready")]


def test_a_point_outside_is_refused_by_its_field(ada: User) -> None:
    name = ready(ada)["id"]

    body = {"points": [MIDDLE, {"x": 64.5, "y": 3}]}
    answer = ada.ask("POST", f"/selections/{name}/masks", body=body)

    assert problem(answer) == (422, "invalidprompt")
    assert [each["field"] for each in answer.json()["errors"]] == ["body.points.1"]
    assert "x goes from 0 to 64 and y from 0 to 48" in answer.json()["detail"]


def test_an_expired_selection_and_a_deleted_embedding_are_over(driver: Driver, ada: User) -> None:
    old = new_selection(prefix_of(ada), datetime.now(UTC) - LASTS).id
    answer = ada.ask("POST", f"/selections/{old}/masks", body={"points": [MIDDLE]})
    assert problem(answer) == (410, "selectionexpired")

    photo = png(np.full((48, 64, 3), 252, np.uint8))
    before = set(driver.keys("work", prefix="embeddings/"))
    form = uploaded(ada, photo)
    selection = selected(ada, begun(ada, key=form["key"])["id"])
    for key in set(driver.keys("work", prefix="embeddings/")) - before:
        driver.s3.delete_object(Bucket=NAMES.bucket("work"), Key=key)
    answer = ada.ask("POST", f"/selections/{selection['id']}/masks", body={"points": [MIDDLE]})
    assert problem(answer) == (410, "selectionexpired")

    again = selected(ada, begun(ada, key=form["key"])["id"])
    assert masks(ada, again["id"], points=[MIDDLE])["candidates"]


def test_a_model_staged_before_decoders_were_cut_is_staged_again(driver: Driver, ada: User) -> None:
    assert ready(ada)["state"] == "ready"
    (key,) = (key for key in driver.keys("models", prefix="pointer/") if key.endswith("t.json"))
    place = {"Bucket": NAMES.bucket("models"), "Key": key}
    record = json.loads(driver.s3.get_object(**place)["Body"].read())
    assert record["files"][1].pop("cut")
    driver.s3.put_object(**place, Body=json.dumps(record).encode())
    forget(driver)

    selection = ready(ada)

    assert selection["state"] == "ready", selection
    assert masks(ada, selection["id"], points=[MIDDLE])["candidates"]
    assert json.loads(driver.s3.get_object(**place)["Body"].read())["files"][1]["cut"]


def test_a_request_that_is_sent_again_begins_one_selection(ada: User) -> None:
    form = uploaded(ada)
    body = {"key": form["key"]}

    first, second = (
        ada.ask("POST", "/selections", body=body, idempotency_key="select-1") for _ in range(2)
    )
    other = ada.ask("POST", "/selections", body={"upload": "x"}, idempotency_key="select-1")

    assert first.json() == second.json()
    assert problem(other) == (409, "idempotencykeyreused")
