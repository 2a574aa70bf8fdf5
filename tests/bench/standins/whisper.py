"""Whisper's published shapes in CTranslate2's format, with random weights in half precision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
import numpy.typing as npt

from containers.transcriber.small_whisper import build_whisper

Half = npt.NDArray[np.float16]

_BLOCK: Final = 2**16
_SPREAD: Final = np.float32(0.02)
_STEPS: Final = 1500  # of the encoder for 30 s
_TOKENS: Final = 448  # at most, of a text
_ALIGNED: Final = 6  # heads that the published models name for times of words


@dataclass(frozen=True)
class Size:
    """Layers of the encoder and of the decoder, their width, and the mel bands."""

    encoder: int
    decoder: int
    width: int
    mels: int = 80

    @property
    def heads(self) -> int:
        return self.width // 64


SIZES: Final = {
    "whisper-tiny": Size(4, 4, 384),
    "whisper-base": Size(6, 6, 512),
    "whisper-small": Size(12, 12, 768),
    "whisper-medium": Size(24, 24, 1024),
    "whisper-large-v3-turbo": Size(32, 4, 1280, mels=128),
    "whisper-large-v3": Size(32, 32, 1280, mels=128),
}


def write_whisper(folder: Path, size: Size) -> None:
    """Write the model's four files. It writes random tokens, and knows 99 languages."""
    build_whisper(folder, (), mels=size.mels)
    tokens = json.loads((folder / "vocabulary.json").read_text())
    spec = ctranslate2.specs.WhisperSpec(size.encoder, size.heads, size.decoder, size.heads)
    width = size.width
    spec.encoder.conv1.weight = _random(width, size.mels, 3)
    spec.encoder.conv2.weight = _random(width, width, 3)
    spec.encoder.conv1.bias, spec.encoder.conv2.bias = _random(width), _random(width)
    for half, places in ((spec.encoder, _STEPS), (spec.decoder, _TOKENS)):
        half.position_encodings.encodings = _random(places, width)
        _fill_norm(half.layer_norm, width)
        for layer in half.layer:
            _fill_layer(layer, width)
    spec.decoder.embeddings.weight = _random(len(tokens), width)
    spec.decoder.projection.weight = np.zeros(0, np.float16)
    known = json.loads((folder / "config.json").read_text())
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.lang_ids = known["lang_ids"]
    spec.config.alignment_heads = [(size.decoder // 2, head) for head in range(_ALIGNED)]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.decoder.projection.weight = "decoder/embeddings/weight"  # it is stored once
    spec.save(str(folder))


def _fill_layer(layer: Any, width: int) -> None:
    _fill_attention(layer.self_attention, (3 * width, width), width)
    if hasattr(layer, "attention"):
        _fill_attention(layer.attention, (width, 2 * width, width), width)
    _fill_norm(layer.ffn.layer_norm, width)
    _fill_linear(layer.ffn.linear_0, 4 * width, width)
    _fill_linear(layer.ffn.linear_1, width, 4 * width)


def _fill_attention(attention: Any, outputs: tuple[int, ...], width: int) -> None:
    _fill_norm(attention.layer_norm, width)
    for linear, size in zip(attention.linear, outputs, strict=True):
        _fill_linear(linear, size, width)


def _fill_norm(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = np.ones(width, np.float16), np.zeros(width, np.float16)


def _fill_linear(linear: Any, outputs: int, inputs: int) -> None:
    linear.weight, linear.bias = _random(outputs, inputs), _random(outputs)


def _random(*shape: int) -> Half:
    """Return numbers spread as learnt ones are, from one block that is repeated."""
    dice = np.random.default_rng(1)
    block = (dice.standard_normal(_BLOCK, dtype=np.float32) * _SPREAD).astype(np.float16)
    return np.resize(block, shape)
