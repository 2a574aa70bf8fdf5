"""Define the input and output of an optimisation."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from pipeline.weights.staged import Precision, Proof

# Raise it whenever a pass, the quantisation or the layout changes: machines then remake networks of
# an older edition.
EDITION: Final = 4

Activation = Literal["none", "sigmoid", "softmax"]


class Order(BaseModel):
    """A network to optimise and the folder for its results; `memory_mb` limits the process.

    `shape` is the shape of the network's first input, empty if the row does not give it. With
    `sound_hz`, that input is sound, 1×samples at this rate; otherwise it may be an image. The first
    `outputs` outputs are used: the results have no others, and these are compared. With 0, the
    results keep all outputs, and the first one is compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Path
    folder: Path
    shape: tuple[int, ...]
    activation: Activation
    sound_hz: int | None = None
    outputs: int = 0
    quantise: bool = False
    memory_mb: int


class LeanNetwork(BaseModel):
    """An optimised network, as two files (graph and weights), with its comparison.

    `run_ms` is the processor time of one of the comparison's runs, loading included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[Path, Path]
    any_cpu: bool
    precision: Precision
    rewrites: dict[str, int]
    proof: Proof
    run_ms: float

    @property
    def tiled(self) -> bool:
        """Return True if large values are computed in tiles, to save memory."""
        return self.rewrites.get("tiles", 0) > 0

    @property
    def proven(self) -> bool:
        return self.proof.holds(self.precision)


class Lean(BaseModel):
    """Optimised networks, best first, or the reason why there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    onnxruntime: str
    networks: tuple[LeanNetwork, ...] = ()
    refused: str | None = None
    not_quantised: str | None = None
