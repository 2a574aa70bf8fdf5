"""A hosted model, through the handler: a photo to Bedrock's own service model, and its mask."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from PIL import Image

from containers.background_remover.engines import connect_bedrock
from containers.background_remover.handler import handler
from containers.background_remover.hosted import Answer, BedrockSpec, Frame, to_frame, to_mask
from pipeline.artifacts import LocalStore, Location
from pipeline.aws.bedrock import Bedrock
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.errors import ModelNotOffered, ModelUnavailable, NoSubject, PhotoRefused
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bedrock import as_answer, make_client
from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, unpng

SPEC = BedrockSpec(model_id="any", largest_side=256, smallest_side=64, widest=2.5)
PHOTO = np.full((100, 200, 3), 90, np.uint8)
LEFT_HALF = np.zeros((100, 200), np.uint8)
LEFT_HALF[:, :100] = 255

Remove = Callable[[dict[str, Any] | str], BackgroundRemoved]


@pytest.fixture
def context(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TaskContext:
    settings = Settings(catalogue_overlays=(shelf.catalogue,), scratch=tmp_path / "scratch")
    store = LocalStore(tmp_path / "store")
    client = make_client()
    monkeypatch.setattr(Bedrock, "connect", lambda: Bedrock(client))
    return TaskContext(Workbench(root=ROOT, settings=settings, store=store))


@pytest.fixture
def remove(context: TaskContext) -> Remove:
    """Run the handler on PHOTO while Bedrock answers with JSON, or fails with an error's code."""

    def run(answer: dict[str, Any] | str) -> BackgroundRemoved:
        stubber = Stubber(context.bench.once(connect_bedrock)._client)
        if isinstance(answer, str):
            stubber.add_client_error("invoke_model", answer, "no", http_status_code=400)
        else:
            stubber.add_response("invoke_model", _response(answer), _REQUEST)
        with stubber:
            result = handler.__wrapped__(_job(context), context)  # type: ignore[attr-defined]
        return BackgroundRemoved.model_validate(result)

    return run


_REQUEST = {
    "modelId": "us.test.remove-background-v1:0",
    "body": ANY,
    "contentType": "application/json",
    "accept": "application/json",
}


def _response(answer: dict[str, Any]) -> dict[str, Any]:
    content = json.dumps(answer).encode()
    body = StreamingBody(io.BytesIO(content), len(content))
    return {"body": body, "contentType": "application/json"}


def _job(context: TaskContext) -> RemoveBackground:
    artifact = context.store.write(Location("photos", "cat.png"), png(PHOTO), media_type="")
    source = SourcePhoto(
        bucket="photos", key="cat.png", version_id=None, etag="", sha256=artifact.sha256,
        bytes=artifact.bytes, media_type="image/png", width=200, height=100,
    )  # fmt: skip
    return RemoveBackground(
        schema_version=1, job_id="1", execution="e", source=source, model="hosted", prompts=(),
        models_bucket="models", weights_key=None, work_bucket="scratch", work_prefix="jobs/1",
    )  # fmt: skip


def test_the_alpha_that_comes_back_is_the_mask(context: TaskContext, remove: Remove) -> None:
    result = remove({"images": [as_answer(LEFT_HALF)], "finish_reasons": [None], "seeds": [1]})

    assert (result.model, result.weights_sha256, result.subjects) == ("hosted", None, ())
    stored = context.store.read(Location.parse(result.mask.uri))
    np.testing.assert_array_equal(unpng(stored), LEFT_HALF)
    assert result.metrics["subject_coverage"] == 0.5


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"finish_reasons": ["Filter reason: input image"]}, PhotoRefused),
        ({"images": None, "finish_reasons": ["Filter reason: output image"]}, PhotoRefused),
        ({"images": [""], "finish_reasons": ["Inference error"]}, ModelUnavailable),
        ({"images": [as_answer(LEFT_HALF * 0)], "finish_reasons": [None]}, NoSubject),
        ("ThrottlingException", ModelUnavailable),
        ("AccessDeniedException", ModelNotOffered),
        ("ValidationException", PhotoRefused),
    ],
)
def test_no_cutout_is_an_error_with_a_name(
    remove: Remove, answer: dict[str, Any] | str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        remove(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"images": []},
        {"images": ["%%%"]},
        {"images": [base64.b64encode(b"no picture").decode()]},
        {"images": [base64.b64encode(png(PHOTO)).decode()]},
        {"images": 5},
    ],
    ids=["nothing", "no picture", "no base64", "no PNG", "no alpha", "another shape"],
)
def test_an_answer_nobody_agreed_on_is_a_bug_and_not_the_photos_fault(
    remove: Remove, answer: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, OSError)) as failure:
        remove(answer)

    assert not type(failure.value).__module__.startswith("pipeline")


@pytest.mark.parametrize(
    ("photo", "sent", "shown"),
    [
        ((100, 200), (100, 200), (100, 200)),
        ((1000, 2000), (128, 256), (128, 256)),
        ((3000, 2000), (256, 171), (256, 171)),
        ((20, 30), (64, 64), (20, 30)),
        ((100, 1000), (103, 256), (26, 256)),
        ((1000, 1), (256, 103), (256, 1)),
    ],
)
def test_a_photo_is_sent_within_the_models_limits(
    photo: tuple[int, int], sent: tuple[int, int], shown: tuple[int, int]
) -> None:
    frame = to_frame(np.zeros((*photo, 3), np.uint8), SPEC)

    with Image.open(io.BytesIO(frame.content)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", sent[::-1])
        pixels = np.asarray(picture)
    assert (frame.sent, frame.shown) == (sent, shown)
    assert max(sent) <= 2.5 * min(sent)
    assert pixels[: shown[0], : shown[1]].mean() < 30
    assert sent == shown or pixels[-1, -1].mean() > 240


def test_the_largest_photo_fits_into_a_request_as_text() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (2048, 2048, 3), dtype=np.uint8)
    largest = SPEC.model_copy(update={"largest_side": 2048})

    content = to_frame(noise, largest).content

    assert len(base64.b64encode(content)) < 25_000_000


@pytest.mark.parametrize("scale", [1, 2])
def test_padding_is_no_part_of_the_mask(scale: int) -> None:
    alpha = np.zeros((64 * scale, 64 * scale), np.uint8)
    alpha[: 20 * scale, : 30 * scale] = 255
    frame = Frame(b"", sent=(64, 64), shown=(20, 30))

    mask = to_mask(Answer(images=(as_answer(alpha),)), frame)

    assert mask.shape == (20 * scale, 30 * scale)
    assert (mask == 255).all()
