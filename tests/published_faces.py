"""Networks of faces as their publishers write them: true names, random weights, and few channels.

face-api's are tensors of TensorFlow.js with a manifest, facenet-pytorch's are checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from tests.checkpoints import Array, Tensors, contents, state, zipped

SSD_ANCHORS: Final = 5118
SIDES: Final[Mapping[str, tuple[int, int]]] = {
    "face-api-ssd": (512, 512), "face-api-tiny": (96, 128), "face-api-landmarks": (112, 112),
    "face-api-expressions": (112, 112), "face-api-ages": (112, 112),
    "face-api-recognition": (150, 150), "mtcnn-pnet": (61, 50), "mtcnn-rnet": (24, 24),
    "mtcnn-onet": (48, 48), "inception-resnet-v1": (160, 160),
}  # fmt: skip


def tensors(convert: str, *, seed: int = 0) -> Tensors:
    """Return the tensors that the converter `convert` takes."""
    noise = np.random.default_rng(seed)
    return {name: _random(noise, name, shape) for name, shape in _SHAPES[convert]()}


def _random(noise: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    if name.endswith("num_batches_tracked"):
        return np.array(7, np.int64)
    return np.asarray(_numbers(noise, name, shape), np.float32)


def _numbers(noise: np.random.Generator, name: str, shape: tuple[int, ...]) -> Any:
    """Return weights that keep the size of values from layer to layer."""
    if name.endswith("extra_dim"):
        corners = noise.random((*shape[:2], 2))
        return np.concatenate([corners, corners + 0.1 + noise.random(corners.shape)], axis=2)
    if name.endswith(("variance", "running_var", "gamma", "bn.weight", "scale/weights")):
        return noise.uniform(0.5, 1.5, shape)
    if len(shape) < 2:
        return noise.normal(0, 0.2, shape)
    inputs = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
    if name.endswith("weight"):  # of PyTorch: outputs come first
        inputs = np.prod(shape[1:])
    return noise.normal(0, np.sqrt(2 / inputs), shape)


def checkpoint(of: Tensors) -> bytes:
    """Return a checkpoint whose root is a dict of these tensors."""
    return zipped(state(of), contents(of))


def published(of: Tensors, *, quantised: bool = True) -> tuple[bytes, bytes]:
    """Return a file of tensors and its manifest. With `quantised`, kernels have 8 bits."""
    described, numbers = [], []
    for name, each in of.items():
        entry: dict[str, Any] = {"name": name, "shape": list(each.shape), "dtype": "float32"}
        if quantised and each.ndim > 1:
            least, scale = float(each.min()), float(np.ptp(each)) / 255 or 1.0
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
            numbers.append(np.round((each - least) / scale).astype(np.uint8).tobytes())
        else:
            numbers.append(each.tobytes())
        described.append(entry)
    return b"".join(numbers), manifest(*described)


def manifest(*described: object) -> bytes:
    return json.dumps([{"weights": described, "paths": ["weights.bin"]}]).encode()


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _ssd() -> Shapes:
    width = 4

    def mixed(name: str, size: int, inputs: int, outputs: int) -> Shapes:
        yield f"{name}_pointwise/weights", (size, size, inputs, outputs)
        yield f"{name}_pointwise/convolution_bn_offset", (outputs,)

    yield from mixed("MobilenetV1/Conv2d_0", 3, 3, width)
    for place in range(1, 14):
        name = f"MobilenetV1/Conv2d_{place}"
        yield f"{name}_depthwise/depthwise_weights", (3, 3, width, 1)
        for what in ("gamma", "beta", "moving_mean", "moving_variance"):
            yield f"{name}_depthwise/BatchNorm/{what}", (width,)
        outputs = width + 1
        yield from mixed(name, 1, width, outputs)
        width = outputs
    grids, inputs = [15, width], width
    for place in range(8):
        outputs = 5 + place
        yield from mixed(f"Prediction/Conv2d_{place}", 1 + 2 * (place % 2), inputs, outputs)
        inputs = outputs
        if place % 2:
            grids.append(outputs)
    for place, inputs in enumerate(grids):
        anchors = 6 if place else 3
        for what, numbers in (("BoxEncoding", 4), ("Class", 3)):
            name = f"Prediction/BoxPredictor_{place}/{what}Predictor"
            yield f"{name}/weights", (1, 1, inputs, anchors * numbers)
            yield f"{name}/biases", (anchors * numbers,)
    yield "Output/extra_dim", (1, SSD_ANCHORS, 4)
    yield from (("Preprocessor/mul/x", ()), ("Preprocessor/sub/y", ()))


def _tiny() -> Shapes:
    yield from (("conv0/filters", (3, 3, 3, 4)), ("conv0/bias", (4,)))
    for place in range(1, 6):
        yield from _separable(f"conv{place}", 3 + place, 4 + place)
    yield from (("conv8/filters", (1, 1, 9, 25)), ("conv8/bias", (25,)))


def _separable(name: str, inputs: int, outputs: int) -> Shapes:
    yield f"{name}/depthwise_filter", (3, 3, inputs, 1)
    yield f"{name}/pointwise_filter", (1, 1, inputs, outputs)
    yield f"{name}/bias", (outputs,)


def _dense(classes: int) -> Shapes:
    inputs = 3
    for block in range(4):
        for layer in range(4):
            outputs = inputs if layer else 4 + 2 * block
            name = f"dense{block}/conv{layer}"
            if block or layer:
                yield from _separable(name, inputs, outputs)
            else:
                yield from ((f"{name}/filters", (3, 3, 3, outputs)), (f"{name}/bias", (outputs,)))
            inputs = outputs
    yield from (("fc/weights", (inputs, classes)), ("fc/bias", (classes,)))


def _ages() -> Shapes:
    def reduced(name: str, inputs: int, outputs: int) -> Shapes:
        yield from _separable(f"{name}/separable_conv0", inputs, outputs)
        yield from _separable(f"{name}/separable_conv1", outputs, outputs)
        yield f"{name}/expansion_conv/filters", (1, 1, inputs, outputs)
        yield f"{name}/expansion_conv/bias", (outputs,)

    yield from (("entry_flow/conv_in/filters", (3, 3, 3, 4)), ("entry_flow/conv_in/bias", (4,)))
    yield from reduced("entry_flow/reduction_block_0", 4, 6)
    yield from reduced("entry_flow/reduction_block_1", 6, 8)
    for block in range(2):
        for layer in range(3):
            yield from _separable(f"middle_flow/main_block_{block}/separable_conv{layer}", 8, 8)
    yield from reduced("exit_flow/reduction_block", 8, 10)
    yield from _separable("exit_flow/separable_conv", 10, 12)
    for name, numbers in (("age", 1), ("gender", 2)):
        yield f"fc/{name}/weights", (12, numbers)
        yield f"fc/{name}/bias", (numbers,)


def _recognition() -> Shapes:
    def scaled(name: str, size: int, inputs: int, outputs: int) -> Shapes:
        yield f"{name}/conv/filters", (size, size, inputs, outputs)
        yield f"{name}/conv/bias", (outputs,)
        yield f"{name}/scale/weights", (outputs,)
        yield f"{name}/scale/biases", (outputs,)

    inputs = 4
    yield from scaled("conv32_down", 7, 3, inputs)
    for stage, blocks in (("32", "1 2 3"), ("64", "down 1 2 3"), ("128", "down 1 2"),
                          ("256", "down 1 2 down_out")):  # fmt: skip
        for block in blocks.split():
            outputs = 2 * inputs if block == "down" else inputs
            yield from scaled(f"conv{stage}_{block}/conv1", 3, inputs, outputs)
            yield from scaled(f"conv{stage}_{block}/conv2", 3, outputs, outputs)
            inputs = outputs
    yield "fc", (inputs, 16)


def _mtcnn(kernels: tuple[int, ...], first: int, **dense: int) -> Shapes:
    inputs = 3
    for place, size in enumerate(kernels, start=1):
        outputs = 3 + place
        yield f"conv{place}.weight", (outputs, inputs, size, size)
        yield f"conv{place}.bias", (outputs,)
        yield f"prelu{place}.weight", (outputs,)
        inputs = outputs
    if not first:
        return
    yield from ((f"dense{first}.weight", (7, 9 * inputs)), (f"dense{first}.bias", (7,)))
    yield f"prelu{first}.weight", (7,)
    for name, numbers in dense.items():
        yield from ((f"{name}.weight", (numbers, 7)), (f"{name}.bias", (numbers,)))


def _pnet() -> Shapes:
    yield from _mtcnn((3, 3, 3), 0)
    for name, numbers in (("conv4_1", 2), ("conv4_2", 4)):
        yield from ((f"{name}.weight", (numbers, 6, 1, 1)), (f"{name}.bias", (numbers,)))


_ONE: Final = (1, 1)
_SQUARE: Final = (3, 3)
_STEM: Final = (
    ("conv2d_1a", 3, 3, _SQUARE), ("conv2d_2a", 3, 3, _SQUARE), ("conv2d_2b", 3, 4, _SQUARE),
    ("conv2d_3b", 4, 4, _ONE), ("conv2d_4a", 4, 5, _SQUARE), ("conv2d_4b", 5, 6, _SQUARE),
)  # fmt: skip
Branches = list[list[tuple[int, int]]]  # the sizes of each branch's kernels
_BLOCKS: Final[list[tuple[str, int, Branches]]] = [
    *(
        (f"repeat_1.{place}", 6, [[_ONE], [_ONE, _SQUARE], [_ONE, _SQUARE, _SQUARE]])
        for place in range(5)
    ),
    *((f"repeat_2.{place}", 12, [[_ONE], [_ONE, (1, 7), (7, 1)]]) for place in range(10)),
    *((f"repeat_3.{place}", 18, [[_ONE], [_ONE, (1, 3), (3, 1)]]) for place in range(5)),
    ("block8", 18, [[_ONE], [_ONE, (1, 3), (3, 1)]]),
]


def _inception() -> Shapes:
    for name, inputs, outputs, size in _STEM:
        yield from _basic(name, inputs, outputs, size)
    for name, width, branches in _BLOCKS:
        yield from _branches(name, width, 2, branches)
        yield f"{name}.conv2d.weight", (width, 2 * len(branches), 1, 1)
        yield f"{name}.conv2d.bias", (width,)
    three = [_ONE, _SQUARE, _SQUARE]
    yield from _branches("mixed_6a", 6, 3, [[_SQUARE], three])
    yield from _branches("mixed_7a", 12, 2, [[_ONE, _SQUARE], [_ONE, _SQUARE], three])
    yield "last_linear.weight", (16, 18)
    yield from _norm("last_bn", 16)
    yield from (("logits.weight", (5, 16)), ("logits.bias", (5,)))


def _branches(name: str, inputs: int, outputs: int, branches: Branches) -> Shapes:
    """Yield branches that end with `outputs` channels, and have 2 before."""
    for place, sizes in enumerate(branches):
        for layer, size in enumerate(sizes):
            inside = f"{name}.branch{place}" + (f".{layer}" if len(sizes) > 1 else "")
            last = layer == len(sizes) - 1
            yield from _basic(inside, 2 if layer else inputs, outputs if last else 2, size)


def _basic(name: str, inputs: int, outputs: int, size: tuple[int, int]) -> Shapes:
    yield f"{name}.conv.weight", (outputs, inputs, *size)
    yield from _norm(f"{name}.bn", outputs)


def _norm(name: str, width: int) -> Shapes:
    for what in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{what}", (width,)
    yield f"{name}.num_batches_tracked", ()


_SHAPES: Final = {
    "face-api-ssd": _ssd, "face-api-tiny": _tiny, "face-api-landmarks": lambda: _dense(136),
    "face-api-expressions": lambda: _dense(7), "face-api-ages": _ages,
    "face-api-recognition": _recognition, "mtcnn-pnet": _pnet,
    "mtcnn-rnet": lambda: _mtcnn((3, 3, 2), 4, dense5_1=2, dense5_2=4),
    "mtcnn-onet": lambda: _mtcnn((3, 3, 3, 2), 5, dense6_1=2, dense6_2=4, dense6_3=10),
    "inception-resnet-v1": _inception,
}  # fmt: skip
