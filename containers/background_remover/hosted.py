"""Make a mask with Stable Image Remove Background, hosted by Amazon Bedrock."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from pydantic import BaseModel

from containers.background_remover.saliency import Stopwatch
from pipeline.aws.bedrock import Bedrock
from pipeline.declared.declaration import Declaration
from pipeline.errors import ModelUnavailable, PhotoRefused
from pipeline.photo.pixels import Pixels

_JPEG_QUALITY: Final = 95
_INFERENCE_ERROR: Final = "Inference error"


class BedrockSpec(Declaration):
    """A model that Amazon Bedrock hosts, and the limits of its input, in pixels.

    The photo is shrunk until no side is longer than `largest_side`. It is then padded until no side
    is shorter than `smallest_side` and none is more than `widest` times the other.
    """

    model_id: str
    largest_side: int
    smallest_side: int
    widest: float


@dataclass(frozen=True)
class Frame:
    """An image to send, of size `sent` (height, width), with the photo in its top left `shown`."""

    content: bytes
    sent: tuple[int, int]
    shown: tuple[int, int]


class Answer(BaseModel):
    """A response of Stability AI's models: images, or the reason why there are none."""

    images: tuple[str, ...] | None = None
    finish_reasons: tuple[str | None, ...] | None = None


def predict_hosted(
    bedrock: Bedrock, spec: BedrockSpec, picture: Pixels, *, timed: Stopwatch
) -> Pixels:
    """Return the mask of an H×W×3 photo: the alpha of the response, in the size sent.

    Raises PhotoRefused if the model's filters reject the photo, ModelUnavailable if the model
    failed.
    """
    with timed("prepare"):
        frame = to_frame(picture, spec)
        request = {"image": base64.b64encode(frame.content).decode(), "output_format": "png"}
    with timed("infer"):
        answer = Answer.model_validate_json(bedrock.invoke(spec.model_id, request))
    require_finished(answer, spec.model_id)
    return to_mask(answer, frame)


def to_frame(picture: Pixels, spec: BedrockSpec) -> Frame:
    """Encode H×W×3 as a JPEG within the model's limits: shrunk, then padded with white."""
    tall, wide = picture.shape[:2]
    scale = min(1.0, spec.largest_side / max(tall, wide))
    height, width = max(1, round(tall * scale)), max(1, round(wide * scale))
    shortest = max(spec.smallest_side, round(max(height, width) / spec.widest + 0.5))
    sent = max(height, shortest), max(width, shortest)
    shown = Image.fromarray(picture).resize(
        (width, height), Image.Resampling.LANCZOS, reducing_gap=3.0
    )
    frame = Image.new("RGB", sent[::-1], "white")
    frame.paste(shown)
    buffer = io.BytesIO()
    frame.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return Frame(buffer.getvalue(), sent, (height, width))


def require_finished(answer: Answer, model_id: str) -> None:
    """Raise ModelUnavailable or PhotoRefused if the response has a finish reason."""
    stopped = next(filter(None, answer.finish_reasons or ()), None)
    if stopped == _INFERENCE_ERROR:
        raise ModelUnavailable(f"{model_id}: {stopped}")
    if stopped is not None:
        raise PhotoRefused(f"{model_id}: {stopped}")


def to_mask(answer: Answer, frame: Frame) -> Pixels:
    """Return the alpha of the photo in the first image. Raises ValueError if there is none."""
    if not answer.images:
        raise ValueError("the hosted model returned no image")
    content = base64.b64decode(answer.images[0], validate=True)
    # Not `pipeline.photo.pixels`: a damaged response is not the photo's fault.
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        if "A" not in picture.getbands():
            raise ValueError("the hosted model returned an image without transparency")
        alpha = np.asarray(picture.getchannel("A"))
    bottom = round(alpha.shape[0] * frame.shown[0] / frame.sent[0])
    right = round(alpha.shape[1] * frame.shown[1] / frame.sent[1])
    return alpha[: max(1, bottom), : max(1, right)]
