"""The networks of faces in numpy and double precision, written plainly from their publications.

Pictures are rows × columns × channels, as TensorFlow has them; one picture at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[Any]  # of float64
Tensors = Mapping[str, npt.NDArray[Any]]
Padding = Literal["same", "valid"]

FACE_MEAN: Final = (122.782, 117.001, 104.298)
TINY_MEAN: Final = (117.001, 114.697, 97.404)


class Get(dict[str, Doubles]):
    """Tensors by name, in double precision."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__({name: np.asarray(each, np.float64) for name, each in tensors.items()})


def ssd(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)

    def mixed(value: Doubles, name: str, stride: int = 1) -> Doubles:
        made = convolved(value, get[f"{name}_pointwise/weights"], stride, "same")
        return np.asarray(np.clip(made + get[f"{name}_pointwise/convolution_bn_offset"], 0, 6))

    value, grids = mixed(pixels / 127.5 - 1, "MobilenetV1/Conv2d_0", 2), []
    for place in range(1, 14):
        name = f"MobilenetV1/Conv2d_{place}"
        stride = 2 if place in {2, 4, 6, 12} else 1
        value = depthwise(value, get[f"{name}_depthwise/depthwise_weights"], stride, "same")
        gamma, beta, mean, variance = (
            get[f"{name}_depthwise/BatchNorm/{what}"]
            for what in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        value = (value - mean) / np.sqrt(variance + 0.001) * gamma + beta
        value = mixed(np.clip(value, 0, 6), name)
        if place in {11, 13}:
            grids.append(value)
    for place in range(8):
        value = mixed(value, f"Prediction/Conv2d_{place}", 1 + place % 2)
        if place % 2:
            grids.append(value)
    offsets, scores = [], []
    for place, grid in enumerate(grids):
        boxes, classes = (
            convolved(grid, get[f"{name}/weights"], 1, "same") + get[f"{name}/biases"]
            for name in (
                f"Prediction/BoxPredictor_{place}/{what}Predictor"
                for what in ("BoxEncoding", "Class")
            )
        )
        offsets.append(boxes.reshape(-1, 4))
        scores.append(classes.reshape(-1, 3)[:, 1])
    moved = np.concatenate(offsets)
    top, left, bottom, right = get["Output/extra_dim"][0].T
    height, width = bottom - top, right - left
    y = moved[:, 0] / 10 * height + top + height / 2
    x = moved[:, 1] / 10 * width + left + width / 2
    half_height = np.exp(moved[:, 2] / 5) * height / 2
    half_width = np.exp(moved[:, 3] / 5) * width / 2
    corners = (y - half_height, x - half_width, y + half_height, x + half_width)
    return {
        "boxes": np.stack(corners, axis=1),
        "scores": sigmoid(np.concatenate(scores)),
    }


def tiny(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    value = convolved((pixels - TINY_MEAN) / 255, get["conv0/filters"], 1, "valid")
    value = leaky(value + get["conv0/bias"])
    for place in range(1, 6):
        value = largest(value, 2, 2, "same")
        value = np.pad(value, ((1, 1), (1, 1), (0, 0)))
        value = depthwise(value, get[f"conv{place}/depthwise_filter"], 1, "valid")
        value = convolved(value, get[f"conv{place}/pointwise_filter"], 1, "valid")
        value = leaky(value + get[f"conv{place}/bias"])
    value = convolved(largest(value, 2, 1, "same"), get["conv8/filters"], 1, "valid")
    return {"grid": (value + get["conv8/bias"]).transpose(2, 0, 1)}


def landmarks(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    return {"points": _dense_features(get, pixels) @ get["fc/weights"] + get["fc/bias"]}


def expressions(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    logits = _dense_features(get, pixels) @ get["fc/weights"] + get["fc/bias"]
    return {"probabilities": softmax(logits)}


def _dense_features(get: Get, pixels: Doubles) -> Doubles:
    value = (pixels - FACE_MEAN) / 255
    for block in range(4):
        name = f"dense{block}/conv"
        if block == 0:
            first = convolved(value, get[f"{name}0/filters"], 2, "same") + get[f"{name}0/bias"]
        else:
            first = separable(get, value, f"{name}0", 2)
        outputs = [relu(first)]
        for layer in range(1, 4):
            outputs.append(separable(get, relu(sum(outputs)), f"{name}{layer}", 1))
        value = relu(sum(outputs))
    return np.asarray(value.mean(axis=(0, 1)))


def ages(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)

    def plain(value: Doubles, name: str) -> Doubles:
        return convolved(value, get[f"{name}/filters"], 2, "same") + get[f"{name}/bias"]

    def reduced(value: Doubles, active: Doubles, name: str) -> Doubles:
        made = separable(get, active, f"{name}/separable_conv0", 1)
        made = separable(get, relu(made), f"{name}/separable_conv1", 1)
        return largest(made, 3, 2, "same") + plain(value, f"{name}/expansion_conv")

    value = relu(plain((pixels - FACE_MEAN) / 255, "entry_flow/conv_in"))
    value = reduced(value, value, "entry_flow/reduction_block_0")
    value = reduced(value, relu(value), "entry_flow/reduction_block_1")
    for block in range(2):
        made = value
        for layer in range(3):
            name = f"middle_flow/main_block_{block}/separable_conv{layer}"
            made = separable(get, relu(made), name, 1)
        value = value + made
    value = reduced(value, relu(value), "exit_flow/reduction_block")
    value = relu(separable(get, value, "exit_flow/separable_conv", 1))
    features = value.mean(axis=(0, 1))
    return {
        "age": features @ get["fc/age/weights"] + get["fc/age/bias"],
        "gender": softmax(features @ get["fc/gender/weights"] + get["fc/gender/bias"]),
    }


def recognition(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)

    def scaled(value: Doubles, name: str, stride: int, padding: Padding) -> Doubles:
        made = convolved(value, get[f"{name}/conv/filters"], stride, padding)
        made = made + get[f"{name}/conv/bias"]
        return made * get[f"{name}/scale/weights"] + get[f"{name}/scale/biases"]

    value = relu(scaled((pixels - FACE_MEAN) / 255, "conv32_down", 2, "valid"))
    value = largest(value, 3, 2, "valid")
    for width, blocks in ((32, "123"), (64, "d123"), (128, "d12"), (256, "d12e")):
        for block in blocks:
            name = f"conv{width}_{ {'d': 'down', 'e': 'down_out'}.get(block, block) }"
            down = block in "de"
            made = relu(
                scaled(value, f"{name}/conv1", 2 if down else 1, "valid" if down else "same")
            )
            made = scaled(made, f"{name}/conv2", 1, "same")
            beside = value
            if down:
                beside = averaged(value, 2, 2)
                rows, columns, channels = (
                    max(one, other) for one, other in zip(made.shape, beside.shape, strict=True)
                )
                made = grown(made, (rows, columns, channels))
                beside = grown(beside, (rows, columns, channels))
            value = relu(made + beside)
    return {"embedding": value.mean(axis=(0, 1)) @ get["fc"]}


def pnet(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    value = _mtcnn(get, pixels, (2, 0, 0))
    logits, offsets = (
        convolved(value, of_torch(get[f"{name}.weight"]), 1, "valid") + get[f"{name}.bias"]
        for name in ("conv4_1", "conv4_2")
    )
    return {"offsets": offsets.transpose(2, 0, 1), "scores": softmax(logits)[..., 1]}


def rnet(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    value = _crop(get, _mtcnn(get, pixels, (3, 3, 0)), 4)
    return {
        "offsets": get["dense5_2.weight"] @ value + get["dense5_2.bias"],
        "scores": softmax(get["dense5_1.weight"] @ value + get["dense5_1.bias"])[1],
    }


def onet(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)
    value = _crop(get, _mtcnn(get, pixels, (3, 3, 2, 0)), 5)
    return {
        "offsets": get["dense6_2.weight"] @ value + get["dense6_2.bias"],
        "scores": softmax(get["dense6_1.weight"] @ value + get["dense6_1.bias"])[1],
        "points": get["dense6_3.weight"] @ value + get["dense6_3.bias"],
    }


def _mtcnn(get: Get, pixels: Doubles, pools: tuple[int, ...]) -> Doubles:
    value = (pixels - 127.5) / 128
    for place, size in enumerate(pools, start=1):
        value = convolved(value, of_torch(get[f"conv{place}.weight"]), 1, "valid")
        value = prelu(value + get[f"conv{place}.bias"], get[f"prelu{place}.weight"])
        if size:
            value = largest(value, size, 2, "up")
    return value


def _crop(get: Get, value: Doubles, place: int) -> Doubles:
    flat = value.transpose(1, 0, 2).ravel()  # columns × rows × channels
    made = get[f"dense{place}.weight"] @ flat + get[f"dense{place}.bias"]
    return prelu(made, get[f"prelu{place}.weight"])


def inception_resnet_v1(tensors: Tensors, pixels: Doubles) -> dict[str, Doubles]:
    get = Get(tensors)

    def basic(value: Doubles, name: str, stride: int = 1, pad: tuple[int, int] = (0, 0)) -> Doubles:
        rows, columns = pad
        value = np.pad(value, ((rows, rows), (columns, columns), (0, 0)))
        value = convolved(value, of_torch(get[f"{name}.conv.weight"]), stride, "valid")
        return relu(norm(value, f"{name}.bn"))

    def norm(value: Doubles, name: str) -> Doubles:
        deviation = np.sqrt(get[f"{name}.running_var"] + 0.001)
        centred = (value - get[f"{name}.running_mean"]) / deviation
        return centred * get[f"{name}.weight"] + get[f"{name}.bias"]

    def residual(value: Doubles, name: str, share: float, *branches: Doubles) -> Doubles:
        joined = np.concatenate(branches, axis=2)
        made = convolved(joined, of_torch(get[f"{name}.conv2d.weight"]), 1, "valid")
        return (made + get[f"{name}.conv2d.bias"]) * share + value

    def block35(value: Doubles, name: str) -> Doubles:
        second = basic(basic(value, f"{name}.branch1.0"), f"{name}.branch1.1", pad=(1, 1))
        third = basic(basic(value, f"{name}.branch2.0"), f"{name}.branch2.1", pad=(1, 1))
        third = basic(third, f"{name}.branch2.2", pad=(1, 1))
        return relu(residual(value, name, 0.17, basic(value, f"{name}.branch0"), second, third))

    def crossed(value: Doubles, name: str, share: float, reach: int) -> Doubles:
        second = basic(value, f"{name}.branch1.0")
        second = basic(second, f"{name}.branch1.1", pad=(0, reach))
        second = basic(second, f"{name}.branch1.2", pad=(reach, 0))
        return residual(value, name, share, basic(value, f"{name}.branch0"), second)

    value = basic((pixels - 127.5) / 128, "conv2d_1a", 2)
    value = basic(basic(value, "conv2d_2a"), "conv2d_2b", pad=(1, 1))
    value = basic(basic(largest(value, 3, 2, "valid"), "conv2d_3b"), "conv2d_4a")
    value = basic(value, "conv2d_4b", 2)
    for block in range(5):
        value = block35(value, f"repeat_1.{block}")
    second = basic(basic(value, "mixed_6a.branch1.0"), "mixed_6a.branch1.1", pad=(1, 1))
    ends = [basic(value, "mixed_6a.branch0", 2), basic(second, "mixed_6a.branch1.2", 2)]
    value = np.concatenate([*ends, largest(value, 3, 2, "valid")], axis=2)
    for block in range(10):
        value = relu(crossed(value, f"repeat_2.{block}", 0.10, 3))
    ends = [
        basic(basic(value, f"mixed_7a.{name}.0"), f"mixed_7a.{name}.1", 2)
        for name in ("branch0", "branch1")
    ]
    third = basic(basic(value, "mixed_7a.branch2.0"), "mixed_7a.branch2.1", pad=(1, 1))
    ends += [basic(third, "mixed_7a.branch2.2", 2), largest(value, 3, 2, "valid")]
    value = np.concatenate(ends, axis=2)
    for block in range(5):
        value = relu(crossed(value, f"repeat_3.{block}", 0.20, 1))
    features = crossed(value, "block8", 1.0, 1).mean(axis=(0, 1))
    return {"embedding": norm(get["last_linear.weight"] @ features, "last_bn")}


def convolved(value: Doubles, kernel: Doubles, stride: int, padding: Padding) -> Doubles:
    """Convolve with a kernel of rows × columns × inputs × outputs."""
    windows = _windows(value, kernel.shape[:2], stride, padding, 0)
    return np.tensordot(windows, kernel, axes=([3, 4, 2], [0, 1, 2]))


def depthwise(value: Doubles, kernel: Doubles, stride: int, padding: Padding) -> Doubles:
    """Convolve each channel with its part of a kernel of rows × columns × channels × 1."""
    windows = _windows(value, kernel.shape[:2], stride, padding, 0)
    return np.asarray(np.einsum("yxcij,ijc->yxc", windows, kernel[..., 0]))


def separable(get: Get, value: Doubles, name: str, stride: int) -> Doubles:
    made = depthwise(value, get[f"{name}/depthwise_filter"], stride, "same")
    return convolved(made, get[f"{name}/pointwise_filter"], 1, "same") + get[f"{name}/bias"]


def largest(
    value: Doubles, size: int, stride: int, padding: Literal["same", "valid", "up"]
) -> Doubles:
    """Take the largest of size × size pixels. `up` adds a window for pixels that are left over."""
    if padding == "up":
        ends = [-(length - size) % stride for length in value.shape[:2]]
        value = np.pad(value, ((0, ends[0]), (0, ends[1]), (0, 0)), constant_values=-np.inf)
        padding = "valid"
    windows = _windows(value, (size, size), stride, padding, -np.inf)
    return np.asarray(windows.max(axis=(3, 4)))


def averaged(value: Doubles, size: int, stride: int) -> Doubles:
    return np.asarray(_windows(value, (size, size), stride, "valid", 0).mean(axis=(3, 4)))


def _windows(
    value: Doubles, size: tuple[int, ...], stride: int, padding: Padding, outside: float
) -> Doubles:
    """Return rows × columns × channels × window. The padding is TensorFlow's."""
    if padding == "same":
        ends = []
        for length, wide in zip(value.shape[:2], size, strict=True):
            more = max((-(-length // stride) - 1) * stride + wide - length, 0)
            ends.append((more // 2, more - more // 2))
        value = np.pad(value, (*ends, (0, 0)), constant_values=outside)
    view = np.lib.stride_tricks.sliding_window_view(value, size, axis=(0, 1))
    return np.asarray(view[::stride, ::stride])


def grown(value: Doubles, shape: tuple[int, ...]) -> Doubles:
    """Add zeros at the ends, up to a shape."""
    ends = [(0, wanted - size) for wanted, size in zip(shape, value.shape, strict=True)]
    return np.pad(value, ends)


def of_torch(kernel: Doubles) -> Doubles:
    return kernel.transpose(2, 3, 1, 0)


def relu(value: Any) -> Doubles:
    return np.asarray(np.maximum(value, 0))


def leaky(value: Doubles) -> Doubles:
    return np.where(value < 0, 0.1 * value, value)


def prelu(value: Doubles, slopes: Doubles) -> Doubles:
    return np.where(value < 0, slopes * value, value)


def sigmoid(value: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-value)))


def softmax(logits: Doubles) -> Doubles:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
