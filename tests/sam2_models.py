"""A Segment Anything 2.1 of a few operators, built by the tests, with the true contract and sizes.

The three features are the photo's brightness, 0…1, at three sizes and scales: a decoder that is
given another feature in a feature's place does not run or sees nothing. Of pixels that are bright
in all three, candidate 0 has those in the box or within 8 pixels of a point on the subject, less
those within 4 of a point off it; candidates 1 and 2 have those within 8 and 16 of a point on the
subject, whatever else is marked. A decoder that is given padding answers with nothing: this one
appends its own. An earlier mask leaves out what it does not hold.

Distances are in pixels of a mask: 4 pixels of the stretched photo, of 1024² pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx

from tests.sam_models import GEOMETRY, built, stock_pair

SCORES: Final = (0.5, 0.625, 0.875)
NEAR, FAR, FARTHEST = 4, 8, 16
MASK: Final = 256  # the side of a mask
SIDE: Final = 1024
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
LOGIT: Final = 32

_ENCODER: Final = """
<ir_version: 8, opset_import: ["" : 17]>
encoder (float[1, 3, 1024, 1024] image) => (
  float[1, 32, 256, 256] high_res_feats_0, float[1, 64, 128, 128] high_res_feats_1,
  float[1, 256, 64, 64] image_embed
) {
  spread = Mul (image, std)
  colours = Add (spread, mean)
  light = ReduceMean <axes = [1], keepdims = 1> (colours)
  light_0 = AveragePool <kernel_shape = [4, 4], strides = [4, 4]> (light)
  light_1 = AveragePool <kernel_shape = [8, 8], strides = [8, 8]> (light)
  light_2 = AveragePool <kernel_shape = [16, 16], strides = [16, 16]> (light)
  scaled_1 = Mul (light_1, scale_1)
  scaled_2 = Mul (light_2, scale_2)
  high_res_feats_0 = Expand (light_0, size_0)
  high_res_feats_1 = Expand (scaled_1, size_1)
  image_embed = Expand (scaled_2, size_2)
}
"""

_DECODER: Final = """
<ir_version: 8, opset_import: ["" : 17]>
decoder (
  float[1, 256, 64, 64] image_embed, float[1, 32, 256, 256] high_res_feats_0,
  float[1, 64, 128, 128] high_res_feats_1, float[1, N, 2] point_coords, float[1, N] point_labels,
  float[1, 1, 256, 256] mask_input, float[1] has_mask_input
) => (float[1, 3, 256, 256] masks, float[1, 3] iou_predictions) {
GEOMETRY
  all_marks = And (in_either, elsewhere)
  shapes = Concat <axis = 0> (all_marks, far, farthest)

  light_0 = ReduceMean <axes = [1], keepdims = 0> (high_res_feats_0)
  scaled_1 = ReduceMean <axes = [1], keepdims = 1> (high_res_feats_1)
  scaled_2 = ReduceMean <axes = [1], keepdims = 1> (image_embed)
  small_1 = Div (scaled_1, scale_1)
  small_2 = Div (scaled_2, scale_2)
  large_1 = Resize <mode = "nearest"> (small_1, , , large)
  large_2 = Resize <mode = "nearest"> (small_2, , , large)
  light_1 = Reshape (large_1, one_plane)
  light_2 = Reshape (large_2, one_plane)
  bright_0 = Greater (light_0, half)
  bright_1 = Greater (light_1, half)
  bright_2 = Greater (light_2, half)
  bright_01 = And (bright_0, bright_1)
  bright = And (bright_01, bright_2)
  is_padding = Less (point_labels, label_0)
  paddings = Cast <to = 1> (is_padding)
  padding = ReduceMax <keepdims = 0> (paddings)
  is_unpadded = Less (padding, half)
  is_shown = And (bright, is_unpadded)
  answer = And (shapes, is_shown)
  logits = Where (answer, surely, surely_not)
  planes = Unsqueeze (logits, first_axis)
  earlier = Greater (mask_input, label_0)
  no_earlier = Less (has_mask_input, half)
  allowed = Or (earlier, no_earlier)
  held = Where (allowed, planes, surely_not)
  masks = Clip (held, least, most)
  iou_predictions = Identity (scores)
}
"""


def encoder() -> onnx.ModelProto:
    return built(
        _ENCODER,
        {
            "mean": np.array(MEAN, np.float32).reshape(1, 3, 1, 1),
            "std": np.array(STD, np.float32).reshape(1, 3, 1, 1),
            "size_0": np.array([1, 32, 256, 256]),
            "size_1": np.array([1, 64, 128, 128]),
            "size_2": np.array([1, 256, 64, 64]),
            "scale_1": np.float32(2),
            "scale_2": np.float32(4),
        },
    )


def decoder() -> onnx.ModelProto:
    centres = (np.mgrid[:MASK, :MASK].astype(np.float32) + np.float32(0.5)) * (SIDE // MASK)
    rows, columns = centres
    labels: dict[str, npt.ArrayLike] = {f"label_{label}": np.float32(label) for label in range(4)}
    constants: dict[str, npt.ArrayLike] = {
        "across": columns[None],
        "down": rows[None],
        "one_by_one": np.array([-1, 1, 1]),
        "one_plane": np.array([1, MASK, MASK]),
        "large": np.array([1, 1, MASK, MASK]),
        "first_axis": np.array([0]),
        "endless": np.float32(1e9),
        "half": np.float32(0.5),
        "scale_1": np.float32(2),
        "scale_2": np.float32(4),
        "surely": np.float32(100),
        "surely_not": np.float32(-100),
        "least": np.float32(-LOGIT),
        "most": np.float32(LOGIT),
        "scores": np.array([SCORES], np.float32),
    }
    radii = {"near2": NEAR, "far2": FAR, "farthest2": FARTHEST}
    squares = {name: np.float32((each * SIDE // MASK) ** 2) for name, each in radii.items()}
    return built(_DECODER.replace("GEOMETRY", GEOMETRY), labels | constants | squares)


def stock_sam2(folder: Path, name: str = "pointer2") -> str:
    """Both files into a folder; their catalogue row."""
    settings = f"sam2 = {{ mean = {list(MEAN)}, std = {list(STD)} }}"
    return stock_pair(folder, name, settings, encoder(), decoder())
