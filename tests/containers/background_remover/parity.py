"""One network behind our engine and behind rembg's session, and how far their masks are apart.

rembg stretches each mask to its full range and enlarges it to the photo; the same is done to ours
before they are compared, and nowhere else.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from containers.background_remover.network import open_network
from containers.background_remover.saliency import SaliencySpec, predict_mask, read_picture
from pipeline.declared.models import ModelRow
from pipeline.photo.pixels import Pixels
from tests.peer import peer_mask, peer_session


class Distance(NamedTuple):
    """Between two masks, in levels of 255: on average, and at the worst thousandth."""

    mean: float
    worst: float

    @property
    def is_rounding(self) -> bool:
        return self.mean <= 1 and self.worst <= 6


def opinionated(spec: SaliencySpec) -> onnx.ModelProto:
    """An answer for each pixel that depends on all three channels of its 5×5 surroundings."""
    kernel = np.random.default_rng(5).normal(0, 0.15, (1, 3, 5, 5))
    kernel[0, :, 2, 2] += [1.0, -0.6, 0.4]
    kernel *= spec.std[0] / 0.229
    nodes = [helper.make_node("Conv", ["photo", "kernel"], ["logits"], pads=[2] * 4)]
    answer = "logits"
    if spec.activation == "none":
        nodes.append(helper.make_node("Sigmoid", ["logits"], ["saliency"]))
        answer = "saliency"
    side = spec.input_size
    graph = helper.make_graph(
        nodes,
        "opinionated",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [1, 1, side, side])],
        [numpy_helper.from_array(kernel.astype(np.float32), "kernel")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Pair:
    """One network behind our engine and behind rembg's session."""

    def __init__(self, row: ModelRow, folder: Path) -> None:
        self.row = row
        self.weights = folder / f"{row.name}.onnx"
        onnx.save(opinionated(row.spec(SaliencySpec)), self.weights)
        self.session = peer_session(row, self.weights)

    def distance(self, content: bytes, *, shown: bytes | None = None, **slips: Any) -> Distance:
        """How far our mask of `content` is from rembg's of the same file, or of `shown`."""
        spec = self.row.spec(SaliencySpec).model_copy(update=slips)
        theirs = peer_mask(self.session, shown or content).astype(np.int16)
        apart = np.abs(theirs - self._stretched(content, spec, theirs.shape))
        return Distance(float(apart.mean()), float(np.percentile(apart, 99.9)))

    def _stretched(self, content: bytes, spec: SaliencySpec, shape: tuple[int, ...]) -> Pixels:
        picture = read_picture(content, spec)
        mask = predict_mask(
            open_network(self.weights), spec, picture, timed=lambda _: nullcontext()
        ).astype(np.float32)
        stretched = ((mask - mask.min()) / (mask.max() - mask.min()) * 255).astype(np.uint8)
        height, width = shape
        return np.asarray(
            Image.fromarray(stretched).resize((width, height), Image.Resampling.LANCZOS)
        )
