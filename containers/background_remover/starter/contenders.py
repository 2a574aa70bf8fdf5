"""Define the networks to compare: the starter and two published portrait networks of its size."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from containers.background_remover.network import Network, open_network
from containers.background_remover.saliency import SaliencySpec, predict_mask, to_mask, to_tensor
from pipeline.declared.catalogue import load_catalogue
from pipeline.photo.pixels import Pixels

ROOT: Final = Path(__file__).parents[3]
_PRISMA: Final = SaliencySpec(
    input_size=256, scale=255.0, mean=(0, 0, 0), std=(1, 1, 1), activation="none"
)
# As published: blue first, means and deviations in the same order, two channels of logits.
_SINET: Final = SaliencySpec(
    input_size=320,
    scale=255.0,
    mean=(102.890434 / 255, 111.25247 / 255, 126.91212 / 255),
    std=(62.93292, 62.82138, 66.355705),
    activation="none",
)


class Contender(NamedTuple):
    """A name, and a function from an H×W×3 photo to an S×S mask, both uint8."""

    name: str
    mask_of: Callable[[Pixels], Pixels]


def starter(weights: Path | None = None) -> Contender:
    """Return the starter's row with the weights beside it, or with those given."""
    row = load_catalogue(ROOT).row("starter")
    network = open_network(weights or Path(__file__).with_name(row.files[0].name))
    return Contender("starter", _saliency(network, row.spec(SaliencySpec)))


def published(folder: Path) -> list[Contender]:
    """Return PrismaNet and SINet, as far as `folder` has their files."""
    prisma, sinet = folder / "prisma-portrait.onnx", folder / "sinet-portrait.onnx"
    found = []
    if prisma.is_file():
        found.append(Contender("PrismaNet", _saliency(_loaded(prisma), _PRISMA)))
    if sinet.is_file():
        found.append(Contender("SINet", _two_channels(_loaded(sinet))))
    return found


def _loaded(weights: Path) -> Network:
    """Load a network like `open_network`, beside those already open, without its warnings."""
    import onnxruntime as ort

    ort.set_default_logger_severity(3)
    network: Network = open_network.__wrapped__(weights)
    return network


def _saliency(network: Network, spec: SaliencySpec) -> Callable[[Pixels], Pixels]:
    def mask_of(picture: Pixels) -> Pixels:
        return predict_mask(network, spec, picture, timed=lambda _: contextlib.nullcontext())

    return mask_of


def _two_channels(network: Network) -> Callable[[Pixels], Pixels]:
    """Prepare blue first; the mask is the sigmoid of channel 2 minus channel 1."""

    def mask_of(picture: Pixels) -> Pixels:
        tensor = to_tensor(np.ascontiguousarray(picture[..., ::-1]), _SINET)
        (output,) = network.run({network.first_input: tensor})
        difference = output[:, 1:2] - output[:, 0:1]
        return to_mask(difference, _SINET.model_copy(update={"activation": "sigmoid"}))

    return mask_of
