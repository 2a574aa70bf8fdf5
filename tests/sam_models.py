"""A tiny Segment Anything, built by the tests: encoder and decoder with the true contract.

As in the published decoder, masks are the low-resolution masks enlarged, and cropped to the canvas.
Here each pixel of the canvas has several of the 256 × 256, all alike: enlarging blurs nothing. An
earlier mask leaves out what it does not hold.

The embedding is the photo's brightness, the decoder's answer geometry, so that every pixel of a
mask can be worked out by hand. Of bright pixels, candidate 0 has those in the box or within 8 of
a point on the subject, less those within 4 of a point off it; candidates 1 to 3 have those within
4, 8 and 16 of a point on the subject. A decoder that is not given a padding point, or another
size than the canvas's, sees less or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

CANVAS: Final = (48, 64)
SCORES: Final = (0.5, 0.625, 0.875, 0.75)
NEAR, FAR, FARTHEST = 4, 8, 16
LOW: Final = 256  # the side of a low-resolution mask

_ENCODER: Final = """
<ir_version: 8, opset_import: ["" : 17]>
encoder (float[48, 64, 3] input_image) => (float[1, 1, 48, 64] image_embeddings) {
  grey = ReduceMean <axes = [2], keepdims = 0> (input_image)
  light = Div (grey, most)
  image_embeddings = Reshape (light, plane)
}
"""

# Where marks are: near, far or farthest from a point on the subject, in a box, off the subject.
GEOMETRY: Final = """
  x, y = Split <axis = 2> (point_coords)
  each_x = Reshape (x, one_by_one)
  each_y = Reshape (y, one_by_one)
  each_label = Reshape (point_labels, one_by_one)

  off_x = Sub (across, each_x)
  off_y = Sub (down, each_y)
  off_x2 = Mul (off_x, off_x)
  off_y2 = Mul (off_y, off_y)
  distance = Add (off_x2, off_y2)

  is_on = Equal (each_label, label_1)
  is_off = Equal (each_label, label_0)
  to_on = Where (is_on, distance, endless)
  to_off = Where (is_off, distance, endless)
  nearest_on = ReduceMin <axes = [0], keepdims = 1> (to_on)
  nearest_off = ReduceMin <axes = [0], keepdims = 1> (to_off)
  near = Less (nearest_on, near2)
  far = Less (nearest_on, far2)
  farthest = Less (nearest_on, farthest2)
  too_near = Less (nearest_off, near2)

  is_first = Equal (each_label, label_2)
  is_second = Equal (each_label, label_3)
  maybe_left = Where (is_first, each_x, endless)
  maybe_top = Where (is_first, each_y, endless)
  maybe_right = Where (is_second, each_x, label_0)
  maybe_bottom = Where (is_second, each_y, label_0)
  left = ReduceMin <keepdims = 0> (maybe_left)
  top = ReduceMin <keepdims = 0> (maybe_top)
  right = ReduceMax <keepdims = 0> (maybe_right)
  bottom = ReduceMax <keepdims = 0> (maybe_bottom)
  after_left = Greater (across, left)
  before_right = Less (across, right)
  after_top = Greater (down, top)
  before_bottom = Less (down, bottom)
  in_columns = And (after_left, before_right)
  in_rows = And (after_top, before_bottom)
  in_box = And (in_columns, in_rows)
  in_either = Or (in_box, far)
  elsewhere = Not (too_near)
"""

_DECODER: Final = """
<ir_version: 8, opset_import: ["" : 17]>
decoder (
  float[1, 1, 48, 64] image_embeddings, float[1, N, 2] point_coords, float[1, N] point_labels,
  float[1, 1, 256, 256] mask_input, float[1] has_mask_input, float[2] orig_im_size
) => (float[1, 4, 48, 64] masks, float[1, 4] iou_predictions, float[1, 4, 256, 256] low_res_masks) {
GEOMETRY
  all_marks = And (in_either, elsewhere)
  shapes = Concat <axis = 0> (all_marks, near, far, farthest)

  rows, columns = Split <axis = 0> (orig_im_size)
  in_width = Less (across, columns)
  in_height = Less (down, rows)
  in_size = And (in_width, in_height)
  is_padding = Equal (each_label, label_padding)
  paddings = Cast <to = 1> (is_padding)
  padding = ReduceMax <keepdims = 0> (paddings)
  is_padded = Greater (padding, label_0)
  light = Reshape (image_embeddings, one_plane)
  is_bright = Greater (light, half)
  is_seen = And (is_bright, in_size)
  is_shown = And (is_seen, is_padded)
  answer = And (shapes, is_shown)
  logits = Where (answer, surely, surely_not)
  planes = Unsqueeze (logits, first_axis)
  square = Pad (planes, below, surely_not)
  blocks = Resize <mode = "nearest"> (square, , , low_size)
  hint = Resize <mode = "nearest"> (mask_input, , , hint_size)
  earlier = Greater (hint, label_0)
  no_earlier = Less (has_mask_input, half)
  allowed = Or (earlier, no_earlier)
  low_res_masks = Where (allowed, blocks, surely_not)
  large = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (
    low_res_masks, , , large_size
  )
  masks = Slice (large, starts, ends, axes)
  iou_predictions = Identity (scores)
}
"""


def encoder(canvas: tuple[int, int] = CANVAS) -> onnx.ModelProto:
    constants: dict[str, npt.ArrayLike] = {
        "most": np.float32(255),
        "plane": np.array([1, 1, *canvas]),
    }
    return built(_sized(_ENCODER, canvas), constants)


def decoder(
    canvas: tuple[int, int] = CANVAS, *, answers: int = 4, low: int = LOW
) -> onnx.ModelProto:
    """`answers` is 4, or 1 for candidate 0 alone; `low` is the side of a low-resolution mask."""
    rows, columns = np.mgrid[: canvas[0], : canvas[1]].astype(np.float32) + np.float32(0.5)
    labels: dict[str, npt.ArrayLike] = {f"label_{label}": np.float32(label) for label in range(4)}
    constants: dict[str, npt.ArrayLike] = {
        "across": columns[None],
        "down": rows[None],
        "one_by_one": np.array([-1, 1, 1]),
        "one_plane": np.array([1, *canvas]),
        "first_axis": np.array([0]),
        "endless": np.float32(1e9),
        "near2": np.float32(NEAR**2),
        "far2": np.float32(FAR**2),
        "farthest2": np.float32(FARTHEST**2),
        "label_padding": np.float32(-1),
        "half": np.float32(0.5),
        "surely": np.float32(20),
        "surely_not": np.float32(-20),
        "scores": np.array([SCORES[:answers]], np.float32),
        "below": np.array([0, 0, 0, 0, 0, 0, max(canvas) - canvas[0], max(canvas) - canvas[1]]),
        "hint_size": np.array([1, 1, low, low]),
        "low_size": np.array([1, answers, low, low]),
        "large_size": np.array([1, answers, max(canvas), max(canvas)]),
        "starts": np.array([0, 0]),
        "ends": np.array(canvas),
        "axes": np.array([2, 3]),
    }
    text = _DECODER.replace("GEOMETRY", GEOMETRY)
    if answers == 1:
        text = text.replace("all_marks, near, far, farthest", "all_marks")
        text = text.replace("float[1, 4", "float[1, 1")
    text = text.replace(f"{LOW}, {LOW}] low_res", f"{low}, {low}] low_res")
    return built(_sized(text, canvas), labels | constants)


def _sized(text: str, canvas: tuple[int, int]) -> str:
    return text.replace("48, 64", f"{canvas[0]}, {canvas[1]}")


def built(text: str, constants: Mapping[str, npt.ArrayLike]) -> onnx.ModelProto:
    """A network of this text and these constants, checked."""
    model = parser.parse_model(text)
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    onnx.checker.check_model(model)
    return model


def stock_sam(folder: Path, name: str = "pointer") -> str:
    """Both files into a folder; their catalogue row."""
    settings = f"sam = {{ canvas = [{CANVAS[0]}, {CANVAS[1]}] }}"
    return stock_pair(folder, name, settings, encoder(), decoder())


def stock_pair(
    folder: Path, name: str, settings: str, encoder: onnx.ModelProto, decoder: onnx.ModelProto
) -> str:
    """Both networks into a folder; the catalogue row of the engine that `settings` name."""
    row = f"""
[[models]]
name = "{name}"
summary = "For tests."
engine = "{settings.partition(" ")[0]}"
licence = "MIT"
commercial = true
memory_mb = 512
{settings}
"""
    for part, model in (("encoder", encoder), ("decoder", decoder)):
        content = model.SerializeToString(deterministic=True)
        (folder / f"{name}.{part}.onnx").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        row += f'\n[[models.files]]\nname = "{name}.{part}.onnx"\ndigest = "sha256:{digest}"\n'
    return row
