"""Small ONNX networks that tag tones: the score of a label is the loudness of its tone.

`python -m tests.tagger_models` writes the one that the image's self-test runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from containers.audio_tagger.labels import names_of
from containers.audio_tagger.selftest import NETWORK, RATE, TONES, WINDOW
from containers.audio_tagger.spec import Engine, Vocabulary

Kind = Literal["probabilities", "logits", "nan", "always"]

LOUD: Final = 2.0  # a tone of this size has the probability 1 for half of the tone's amplitude
PIECE_S: Final = 0.01  # of which the loudness is the mean

_ROW: Final = """
[[models]]
name = "{name}"
container = "audio-tagger"
summary = "For tests: labels are tones."
engine = "{engine}"
licence = "MIT"
commercial = true
memory_mb = 512

[models.{engine}]
rate = {rate}
window = {window}
hop = {hop}
vocabulary = "{vocabulary}"
labels = {labels}
speech = 0
music = {music}
onset = 0.5
offset = 0.25
gap_s = 0
least_s = 0

[[models.files]]
name = "{file}"
digest = "sha256:{digest}"
urls = ["file:{file}"]
"""


@dataclass(frozen=True)
class Ears:
    """A network that hears tones, in Hz, by label, in windows that overlap by half.

    Its probability of a label is twice the amplitude of the label's tone, at most 1. Logits are
    those of the same probabilities, within ±10. With "always", all of its labels sound.
    """

    tones: Mapping[str, float] = field(default_factory=lambda: TONES)
    vocabulary: Vocabulary = "audioset"
    engine: Engine = "clip"
    kind: Kind = "probabilities"
    rate: int = RATE
    window: int = WINDOW


def tone_network(ears: Ears) -> bytes:
    """Return the network."""
    tones, rate, window = ears.tones, ears.rate, ears.window
    names = names_of(ears.vocabulary)
    piece = round(PIECE_S * rate)
    turns = 2 * np.pi * np.arange(piece) / rate
    waves = [wave(turns * hertz) * 2 / piece for hertz in tones.values() for wave in _WAVES]
    places = np.zeros((len(tones), len(names)), np.float32)
    for row, label in enumerate(tones):
        places[row, names.index(label)] = LOUD
    constants = {
        "batch": np.array([1, 1, -1]), "pairs": np.array([1, len(tones), 2, -1]),
        "waves": np.array(waves, np.float32)[:, None], "places": places,
        "least": np.array(1e-4, np.float32), "one": np.array(1, np.float32),
        "most": np.array(1 - 1e-4, np.float32), "nothing": np.array(0, np.float32),
        "nan": np.array(np.nan, np.float32), "all": places.max(axis=0, keepdims=True),
    }  # fmt: skip
    ends = {
        "probabilities": [helper.make_node("Clip", ["loud", "nothing", "one"], ["scores"])],
        "nan": [helper.make_node("Mul", ["loud", "nan"], ["scores"])],
        "always": [
            helper.make_node("Add", ["loud", "all"], ["certain"]),
            helper.make_node("Clip", ["certain", "nothing", "one"], ["scores"]),
        ],
        "logits": [
            helper.make_node("Clip", ["loud", "least", "most"], ["share"]),
            helper.make_node("Sub", ["one", "share"], ["rest"]),
            helper.make_node("Div", ["share", "rest"], ["odds"]),
            helper.make_node("Log", ["odds"], ["scores"]),
        ],
    }
    nodes = [
        helper.make_node("Reshape", ["sound", "batch"], ["signal"]),
        helper.make_node("Conv", ["signal", "waves"], ["parts"], strides=[piece]),
        helper.make_node("Reshape", ["parts", "pairs"], ["both"]),
        helper.make_node("ReduceL2", ["both"], ["sizes"], axes=[2], keepdims=0),
        helper.make_node("ReduceMean", ["sizes"], ["means"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["means", "places"], ["loud"]),
        *ends[ears.kind],
    ]
    used = {name for node in nodes for name in node.input}
    shape = [window] if ears.engine == "signal" else [1, window]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(names)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


_WAVES: Final = (np.cos, np.sin)


def tagger_row(network: Path, name: str, ears: Ears, *, declared: Vocabulary | None = None) -> str:
    """Return a catalogue's row of a network in the catalogue's folder.

    `declared` is the vocabulary that the row states, if it is not the network's own.
    """
    vocabulary = declared or ears.vocabulary
    names = names_of(vocabulary)
    return _ROW.format(
        name=name,
        engine=ears.engine,
        rate=ears.rate,
        window=ears.window,
        hop=ears.window // 2,
        vocabulary=vocabulary,
        labels=len(names),
        music=names.index("Music"),
        file=network.name,
        digest=hashlib.sha256(network.read_bytes()).hexdigest(),
    )


def stock_tagger(folder: Path, name: str, ears: Ears = Ears()) -> str:
    """Write a network to a folder; return the catalogue's row of a model called `name`."""
    network = folder / "tones.onnx"
    network.write_bytes(tone_network(ears))
    return tagger_row(network, name, ears)


if __name__ == "__main__":
    NETWORK.write_bytes(tone_network(Ears()))
