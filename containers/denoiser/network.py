"""Load the three streaming networks once per process, and run them with each channel's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from containers.denoiser.spec import Bands, Spectrum
from pipeline.weights.local_weights import LocalStream
from pipeline.weights.onnx_session import named_allocation_failures, set_up

if TYPE_CHECKING:
    import onnxruntime as ort

# The function has one CPU, and runs are small.
_THREADS: Final = 1

_LEVELS, _LOW_BINS = "feat_erb", "feat_spec"
_SKIPPED: Final = ("e3", "e2", "e1", "e0")  # the encoder's outputs that its decoders read again
_EMBEDDING, _FIRST_LAYER, _LOCAL_SNR = "emb", "c0", "lsnr"
_GAINS, _COEFFICIENTS = "m", "coefs"

Tensor = Bands
State = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Network:
    """A streaming network; its states are in `stream`."""

    session: ort.InferenceSession
    stream: LocalStream

    def first_state(self) -> State:
        return {one.taken: np.zeros(one.shape, np.float32) for one in self.stream.states}

    def run(
        self, inputs: Mapping[str, Tensor], state: State, *outputs: str
    ) -> tuple[dict[str, Tensor], State]:
        """Return these outputs, and the state for the next run."""
        names = [*outputs, *(one.given for one in self.stream.states)]
        with named_allocation_failures():
            answers = dict(zip(names, self.session.run(names, {**inputs, **state}), strict=True))
        return answers, {one.taken: answers[one.given] for one in self.stream.states}


class Heard(NamedTuple):
    """The networks' answer: gains of bands, coefficients of the filter, and the local SNR in dB."""

    gains: Bands
    coefficients: Spectrum
    local_snr: Tensor


@dataclass(frozen=True, eq=False)
class Networks:
    """The encoder and its two decoders, loaded."""

    encoder: Network
    gains: Network
    coefficients: Network


@lru_cache(maxsize=1)
def open_networks(streams: tuple[LocalStream, ...]) -> Networks:
    """Load the row's three networks, once per process. Raises OutOfMemory if they do not fit."""
    encoder, gains, coefficients = streams
    return Networks(_opened(encoder), _opened(gains), _opened(coefficients))


class Listening:
    """One channel's way through the networks: it carries their states."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._encoder = networks.encoder.first_state()
        self._gains = networks.gains.first_state()
        self._coefficients = networks.coefficients.first_state()

    def push(self, levels: Bands, low: Spectrum) -> Heard:
        """Answer the next frames. Both decoders run for every frame, so no state is skipped."""
        frames, bins = low.shape
        heard, self._encoder = self._networks.encoder.run(
            {_LEVELS: levels[None, None], _LOW_BINS: np.stack([low.real, low.imag])[None]},
            self._encoder,
            _EMBEDDING, *_SKIPPED, _FIRST_LAYER, _LOCAL_SNR,
        )  # fmt: skip
        erb, self._gains = self._networks.gains.run(
            {name: heard[name] for name in (_EMBEDDING, *_SKIPPED)}, self._gains, _GAINS
        )
        filtering, self._coefficients = self._networks.coefficients.run(
            {name: heard[name] for name in (_EMBEDDING, _FIRST_LAYER)},
            self._coefficients,
            _COEFFICIENTS,
        )
        pairs = np.ascontiguousarray(filtering[_COEFFICIENTS]).reshape(frames, bins, -1)
        return Heard(erb[_GAINS][0, 0], pairs.view(np.complex64), heard[_LOCAL_SNR].ravel())


def _opened(stream: LocalStream) -> Network:
    import onnxruntime as ort

    options = ort.SessionOptions()
    set_up(options, memory="kept", threads=_THREADS, optimised=False)
    with named_allocation_failures():
        session = ort.InferenceSession(stream.path, options, providers=["CPUExecutionProvider"])
    return Network(session, stream)
