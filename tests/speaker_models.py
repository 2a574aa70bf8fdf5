"""Small networks that tell tones apart as the published ones do voices, and sound for them.

A speaker is a tone of one of `PITCHES`. Of a chunk, the segmentation network hears the three that
sound most, that which sounds most first: a chunk's speakers are its own, as with the published one.
The embedding network answers with how strong each band is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Output = Literal["powerset", "multilabel"]
Features = Literal["kaldi", "resemblyzer"]
Samples = npt.NDArray[np.float32]

RATE: Final = 16_000
PITCHES: Final = (380.0, 760.0, 1520.0, 3040.0)  # Hz
LEVEL: Final = 0.3  # of a tone
DURATION_S: Final = 5
CLASSES: Final[dict[Output, int]] = {"powerset": 7, "multilabel": 3}
BANDS: Final[dict[Features, int]] = {"kaldi": 80, "resemblyzer": 40}
FILES: Final = ("segmentation.onnx", "embedding.onnx")

_STEP, _LENGTH = 270, 991  # samples: pyannote's
_SETS: Final = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
_NOISE: Final = 0.0001
_TREMOLO_HZ: Final = 4.0
_ABOVE: Final = 1.3


@dataclass(frozen=True)
class Tone:
    """Somebody speaks: the index of the pitch, and from when to when."""

    who: int
    start: float
    end: float


def tones(*spoken: Tone, seconds: float) -> Samples:
    """Return tones in quiet noise, each with a quiet one above that comes and goes."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = _NOISE * np.random.default_rng(1).standard_normal(len(time))
    for one in spoken:
        speaking = (time >= one.start) & (time < one.end)
        phase = 2 * np.pi * PITCHES[one.who] * time
        quiet = 0.1 * (0.5 + 0.5 * np.cos(2 * np.pi * _TREMOLO_HZ * time))
        sound += speaking * LEVEL * (np.sin(phase) + quiet * np.sin(_ABOVE * phase))
    samples: Samples = sound.astype(np.float32)
    return samples


def segmentation(output: Output) -> onnx.ModelProto:
    """Return a network from sound, b×1×n, to who is active, b×frames×classes."""
    at = np.arange(_LENGTH) / RATE
    waves = [wave(2 * np.pi * hz * at) for wave in (np.cos, np.sin) for hz in PITCHES]
    filters = (np.stack(waves)[:, None] * 2 / _LENGTH).astype(np.float32)
    constants: dict[str, npt.NDArray[Any]] = {
        "filters": filters,
        "two": np.array([2], np.int64),
        "three": np.array([3], np.int64),
        "one": np.array([1], np.int64),
        "gain": np.array(1 / (0.3 * LEVEL) ** 2, np.float32),
        "least": np.array(0.001, np.float32),
        "most": np.array(0.999, np.float32),
        "whole": np.array(1, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["sound", "filters"], ["waves"], strides=[_STEP]),
        helper.make_node("Mul", ["waves", "waves"], ["squares"]),
        helper.make_node("Split", ["squares"], ["cosines", "sines"], axis=1),
        helper.make_node("Add", ["cosines", "sines"], ["power"]),
        helper.make_node("Mul", ["power", "gain"], ["loud"]),
        helper.make_node("Mul", ["loud", "loud"], ["louder"]),
        helper.make_node("Add", ["louder", "whole"], ["divisor"]),
        helper.make_node("Div", ["louder", "divisor"], ["all"]),
        helper.make_node("ReduceMean", ["all"], ["share"], axes=[2], keepdims=1),
        helper.make_node("TopK", ["share", "three"], ["_shares", "chosen"], axis=1),
        helper.make_node("Shape", ["all"], ["sizes"]),
        helper.make_node("Slice", ["sizes", "two", "three"], ["frames"]),
        helper.make_node("Concat", ["one", "one", "frames"], ["tiled"], axis=0),
        helper.make_node("Tile", ["chosen", "tiled"], ["places"]),
        helper.make_node("GatherElements", ["all", "places"], ["first"], axis=1),
        helper.make_node("Transpose", ["first"], ["probable"], perm=[0, 2, 1]),
        helper.make_node("Clip", ["probable", "least", "most"], ["speakers"]),
    ]
    target = "speakers"
    if output == "powerset":
        sets = np.array([[who in one for one in _SETS] for who in range(3)], np.float32)
        constants |= {"sets": sets, "others": 1 - sets}
        nodes += [
            helper.make_node("Log", ["speakers"], ["log"]),
            helper.make_node("Sub", ["whole", "speakers"], ["not"]),
            helper.make_node("Log", ["not"], ["log_not"]),
            helper.make_node("MatMul", ["log", "sets"], ["in"]),
            helper.make_node("MatMul", ["log_not", "others"], ["out"]),
            helper.make_node("Add", ["in", "out"], ["sum"]),
            helper.make_node("LogSoftmax", ["sum"], ["classes"], axis=-1),
        ]
        target = "classes"
    return _model(nodes, constants, ("sound", ["b", 1, "n"]), (target, ["b", "f", CLASSES[output]]))


def embedding(features: Features) -> onnx.ModelProto:
    """Return a network from features, b×frames×bands, to vectors, b×bands.

    Kaldi's features have a mean of 0, so what counts is how much each band comes and goes.
    """
    bands = BANDS[features]
    nodes = [
        helper.make_node("Abs", ["features"], ["sizes"]),
        helper.make_node("ReduceMean", ["sizes"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["mean", "mean"], ["vector"]),
    ]
    return _model(nodes, {}, ("features", ["b", "f", bands]), ("vector", ["b", bands]))


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, npt.NDArray[Any]],
    source: tuple[str, list[int | str]],
    target: tuple[str, list[int | str]],
) -> onnx.ModelProto:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
        [helper.make_tensor_value_info(target[0], TensorProto.FLOAT, target[1])],
        [numpy_helper.from_array(each, name) for name, each in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def stock_speakers(
    folder: Path, name: str, output: Output = "multilabel", features: Features = "resemblyzer"
) -> str:
    """Build the two networks into `folder`; return the TOML row of a model called `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = (segmentation(output), embedding(features))
    contents = {
        f"{name}.{file}": network.SerializeToString()
        for file, network in zip(FILES, networks, strict=True)
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return speakers_row(name, contents.items(), output, features)


def speakers_row(
    name: str, files: Iterable[tuple[str, bytes]], output: Output, features: Features
) -> str:
    """Return the TOML row of networks that are these files."""
    lines = [
        "[[models]]", f'name = "{name}"', 'container = "diarizer"',
        'summary = "For tests: a tone is a speaker."', 'engine = "speakers"', 'licence = "MIT"',
        "commercial = true", "memory_mb = 512", "[models.speakers]", f'output = "{output}"',
        f"classes = {CLASSES[output]}", "speakers = 3", f"duration_s = {DURATION_S}",
        f"frame_step = {_STEP}", f"frame_length = {_LENGTH}", "onset = 0.5",
        f'features = "{features}"', f"bands = {BANDS[features]}", "voice_hop_s = 1.0",
        "join_below = 0.5", "link_below = 0.5",
    ]  # fmt: skip
    for file, content in files:
        digest = hashlib.sha256(content).hexdigest()
        lines += ["[[models.files]]", f'name = "{file}"', f'digest = "sha256:{digest}"']
    return "\n".join(lines) + "\n"
