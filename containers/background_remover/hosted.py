"""Stable Image Remove Background, hosted by Amazon Bedrock: a photo there, its cutout back."""

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
    """A model that Amazon Bedrock hosts, and the pictures it accepts, in pixels.

    The photo is shrunk until no side is longer than `largest_side`, then padded until none is
    shorter than `smallest_side` and none more than `widest` times the other.
    """

    model_id: str
    largest_side: int
    smallest_side: int
    widest: float


@dataclass(frozen=True)
class Frame:
    """What is sent: a picture of `sent` (height, width), the photo in its top left `shown`."""

    content: bytes
    sent: tuple[int, int]
    shown: tuple[int, int]


class Answer(BaseModel):
    """What a model of Stability AI answers with: pictures, or for each why there is none."""

    images: tuple[str, ...] | None = None
    finish_reasons: tuple[str | None, ...] | None = None


def predict_hosted(
    bedrock: Bedrock, spec: BedrockSpec, picture: Pixels, *, timed: Stopwatch
) -> Pixels:
    """The mask of an H×W×3 picture: the alpha of what comes back, at the size it was sent.

    PhotoRefused if the model's filters want none of it, ModelUnavailable if it failed.
    """
    with timed("prepare"):
        frame = to_frame(picture, spec)
        request = {"image": base64.b64encode(frame.content).decode(), "output_format": "png"}
    with timed("infer"):
        answer = Answer.model_validate_json(bedrock.invoke(spec.model_id, request))
    require_finished(answer, spec.model_id)
    return to_mask(answer, frame)


def to_frame(picture: Pixels, spec: BedrockSpec) -> Frame:
    """H×W×3 as a JPEG within the model's limits: shrunk, then padded with white."""
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
    """A reason to have stopped is an error: the model's own failure, or a filter's verdict."""
    stopped = next(filter(None, answer.finish_reasons or ()), None)
    if stopped == _INFERENCE_ERROR:
        raise ModelUnavailable(f"{model_id}: {stopped}")
    if stopped is not None:
        raise PhotoRefused(f"{model_id}: {stopped}")


def to_mask(answer: Answer, frame: Frame) -> Pixels:
    """The alpha of the first picture, where it shows the photo; ValueError if there is none."""
    if not answer.images:
        raise ValueError("the hosted model answered without a picture")
    content = base64.b64decode(answer.images[0], validate=True)
    # Not `pipeline.photo.pixels`: if this is broken, the photo is not at fault.
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        if "A" not in picture.getbands():
            raise ValueError("the hosted model answered with a picture without transparency")
        alpha = np.asarray(picture.getchannel("A"))
    bottom = round(alpha.shape[0] * frame.shown[0] / frame.sent[0])
    right = round(alpha.shape[1] * frame.shown[1] / frame.sent[1])
    return alpha[: max(1, bottom), : max(1, right)]
