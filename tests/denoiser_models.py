"""Small networks with DeepFilterNet's true contract, built by the tests themselves.

As the published ones do, they compute their paddings and first states step by step, pad only the
frames before the first, and have recurrent layers in each file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FRAMES: Final = "S"  # the open axis


@dataclass(frozen=True)
class Size:
    """What the row's table says, and how large the networks are inside."""

    bands: int = 32
    filter_bins: int = 96
    order: int = 5
    lookahead: int = 2
    channels: int = 2
    hidden: int = 8


@dataclass
class Build:
    """Collects the nodes of one network. Its weights are random, but the same in each run."""

    size: Size
    seed: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: object) -> str:
        array = np.asarray(values)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def noise(self, name: str, *shape: int, scale: float = 0.5) -> str:
        values = scale * self.random.standard_normal(shape)
        return self.constant(name, values.astype(np.float32))

    def padded(self, source: str, frames: int) -> str:
        """Pad with zeros before the first frame, as torch exports `ConstantPad2d`."""
        first = self.constant(f"{source}_first", np.array([0, 0, frames, 0], np.int64))
        four = self.constant(f"{source}_four", np.array([4], np.int64))
        zeros = helper.make_tensor("zeros", TensorProto.INT64, [1], [0])
        last = self.node("ConstantOfShape", [four], f"{source}_last", value=zeros)
        pads = self.node("Concat", [first, last], f"{source}_both", axis=0)
        cast = self.node("Cast", [pads], f"{source}_pads", to=TensorProto.INT64)
        zero = self.constant(f"{source}_zero", np.float32(0))
        return self.node("Pad", [source, cast, zero], f"{source}_padded", mode="constant")

    def conv(self, source: str, output: str, shape: tuple[int, ...], **attributes: Any) -> str:
        weights = self.noise(f"{output}_weights", *shape)
        raw = self.node("Conv", [source, weights], f"{output}_raw", **attributes)
        return self.node("Relu", [raw], output)

    def gru(self, source: str, name: str, inner: int, *, layers: int = 1) -> str:
        """Run (1, S, inner) through recurrent layers whose first states are computed zeros."""
        hidden = self.size.hidden
        shape = self.node("Shape", [source], f"{name}_shape")
        nought = self.constant(f"{name}_nought", np.array([0], np.int64))
        batch = self.node("Gather", [shape, nought], f"{name}_batch", axis=0)
        count = self.constant(f"{name}_count", np.array([layers], np.int64))
        width = self.constant(f"{name}_width", np.array([hidden], np.int64))
        sizes = self.node("Concat", [count, batch, width], f"{name}_sizes", axis=0)
        states = self.node("ConstantOfShape", [sizes], f"{name}_states")
        value = self.node("Transpose", [source], f"{name}_frames", perm=[1, 0, 2])
        for layer in range(layers):
            one = f"{name}_{layer}"
            start, end = (
                self.constant(f"{one}_{what}", np.array([at], np.int64))
                for what, at in (("start", layer), ("end", layer + 1))
            )
            first = self.node("Slice", [states, start, end, nought], f"{one}_state")
            taken = [
                value,
                self.noise(f"{one}_w", 1, 3 * hidden, inner),
                self.noise(f"{one}_r", 1, 3 * hidden, hidden),
                self.noise(f"{one}_b", 1, 6 * hidden),
                "",
                first,
            ]
            gru = helper.make_node(
                "GRU", taken, [f"{one}_all", f"{one}_last"], name=one,
                hidden_size=hidden, linear_before_reset=1,
            )  # fmt: skip
            self.nodes.append(gru)
            value = self.node("Squeeze", [f"{one}_all"], f"{one}_squeezed", axes=[1])
            inner = hidden
        return self.node("Transpose", [value], f"{name}_out", perm=[1, 0, 2])

    def model(
        self, inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]]
    ) -> onnx.ModelProto:
        taken, given = (
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in values.items()
            ]
            for values in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, "published", taken, given, self.weights)
        opsets = [helper.make_opsetid("", 12)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=7)


def encoder(size: Size = Size(), *, passing: bool = False) -> onnx.ModelProto:  # noqa: ARG001 - as others
    build, channels = Build(size, 1), size.channels
    erb = build.padded("feat_erb", 2)
    build.conv(erb, "e0", (channels, 1, 3, 3), pads=[0, 1, 0, 1])
    halving = {"pads": [0, 1, 0, 1], "strides": [1, 2], "group": channels}
    build.conv("e0", "e1", (channels, 1, 1, 3), **halving)
    build.conv("e1", "e2", (channels, 1, 1, 3), **halving)
    build.conv("e2", "e3", (channels, 1, 1, 3), **{**halving, "strides": [1, 1]})
    spec = build.padded("feat_spec", 2)
    build.conv(spec, "c0", (channels, 2, 3, 3), pads=[0, 1, 0, 1])
    frames_first = build.node("Transpose", ["e3"], "e3_frames", perm=[0, 2, 1, 3])
    flat_shape = build.constant("flat_shape", np.array([0, 0, -1], np.int64))
    flat = build.node("Reshape", [frames_first, flat_shape], "e3_flat")
    gru = build.gru(flat, "emb_gru", channels * -(-size.bands // 4))
    build.node("Relu", [gru], "emb")
    ratio = build.node("MatMul", ["emb", build.noise("snr_weights", size.hidden, 1)], "snr_raw")
    share = build.node("Sigmoid", [ratio], "snr_share")
    span = build.node("Mul", [share, build.constant("snr_span", np.float32(50))], "snr_span_of")
    build.node("Add", [span, build.constant("snr_least", np.float32(-15))], "lsnr")
    bands, halves, quarters = size.bands, -(-size.bands // 2), -(-size.bands // 4)
    return build.model(
        {"feat_erb": [1, 1, FRAMES, bands], "feat_spec": [1, 2, FRAMES, size.filter_bins]},
        {
            "e0": [1, channels, FRAMES, bands],
            "e1": [1, channels, FRAMES, halves],
            "e2": [1, channels, FRAMES, quarters],
            "e3": [1, channels, FRAMES, quarters],
            "emb": [1, FRAMES, size.hidden],
            "c0": [1, channels, FRAMES, size.filter_bins],
            "lsnr": [1, FRAMES, 1],
        },
    )


def gains(size: Size = Size(), *, passing: bool = False) -> onnx.ModelProto:
    """Predict each band's gain; if `passing`, it is 1."""
    build, scale = Build(size, 2), 0.0 if passing else 0.5
    gru = build.gru("emb", "gains_gru", size.hidden)
    raw = build.node(
        "MatMul", [gru, build.noise("to_bands", size.hidden, size.bands, scale=scale)], "bands_raw"
    )
    one = build.constant("one_channel", np.array([0, 1, -1, size.bands], np.int64))
    total = build.node("Reshape", [raw, one], "bands_of_gru")
    for name in ("e3", "e2", "e1", "e0"):
        mean = build.node("ReduceMean", [name], f"{name}_mean", axes=[1, 3], keepdims=1)
        weight = build.noise(f"{name}_weight", 1, scale=scale)
        part = build.node("Mul", [mean, weight], f"{name}_part")
        total = build.node("Add", [total, part], f"{name}_total")
    bias = build.constant("bias", np.float32(60 if passing else 0))
    build.node("Sigmoid", [build.node("Add", [total, bias], "biased")], "m")
    bands, halves, quarters = size.bands, -(-size.bands // 2), -(-size.bands // 4)
    widths = {"e3": quarters, "e2": quarters, "e1": halves, "e0": bands}
    return build.model(
        {
            "emb": [1, FRAMES, size.hidden],
            **{name: [1, size.channels, FRAMES, width] for name, width in widths.items()},
        },
        {"m": [1, 1, FRAMES, size.bands]},
    )


def coefficients(size: Size = Size(), *, passing: bool = False) -> onnx.ModelProto:
    """Predict each low bin's filter; if `passing`, it takes the answered frame as it is."""
    build, scale = Build(size, 3), 0.0 if passing else 0.2
    numbers = 2 * size.order
    gru = build.gru("emb", "filter_gru", size.hidden, layers=2)
    to_bins = build.noise("to_bins", size.hidden, size.filter_bins * numbers, scale=scale)
    bent = build.node("Tanh", [build.node("MatMul", [gru, to_bins], "bins_raw")], "bins_bent")
    shape = build.constant("bins_shape", np.array([0, 0, size.filter_bins, numbers], np.int64))
    shaped = build.node("Reshape", [bent, shape], "bins")
    padded = build.padded("c0", 4)
    weights = build.noise("path_weights", numbers, size.channels, 5, 1, scale=scale)
    path = build.node("Conv", [padded, weights], "path")
    last = build.node("Transpose", [path], "path_last", perm=[0, 2, 3, 1])
    both = build.node("Add", [shaped, last], "bins_and_path")
    bias = np.zeros(numbers, np.float32)
    bias[2 * (size.order - 1 - size.lookahead)] = float(passing)
    build.node("Add", [both, build.constant("filter_bias", bias)], "coefs")
    return build.model(
        {
            "emb": [1, FRAMES, size.hidden],
            "c0": [1, size.channels, FRAMES, size.filter_bins],
        },
        {"coefs": [1, FRAMES, size.filter_bins, numbers]},
    )


NETWORKS: Final = {"enc.onnx": encoder, "erb_dec.onnx": gains, "df_dec.onnx": coefficients}


def stock_denoiser(folder: Path, name: str, size: Size = Size()) -> str:
    """Build the three networks into `folder`; return the TOML row of a model called `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for file, build in NETWORKS.items():
        content = build(size).SerializeToString()
        (folder / f"{name}.{file}").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files.append(f"""
[[models.files]]
name = "{name}.{file}"
digest = "sha256:{digest}"
""")
    return f"""
[[models]]
name = "{name}"
summary = "For tests."
engine = "deep-filter"
licence = "MIT"
commercial = true
memory_mb = 512

[models.deep-filter]
rate = 48000
window = 960
hop = 480
bands = {size.bands}
least_bins = 2
filter_bins = {size.filter_bins}
order = {size.order}
lookahead = {size.lookahead}
decay = 0.99
{"".join(files)}"""
