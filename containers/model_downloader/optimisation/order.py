"""What is asked of the optimisation, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from pipeline.weights.staged import Precision, Proof

# Raise it whenever a pass, the quantisation or the layout changes: a machine that kept networks of
# an older edition makes them again.
EDITION: Final = 2

Activation = Literal["none", "sigmoid"]


class Order(BaseModel):
    """What to make lean and where to put it. `memory_mb` bounds what the work may take.

    `shape` is that of the network's first input, and empty where the row does not say it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Path
    folder: Path
    shape: tuple[int, ...]
    activation: Activation
    quantise: bool = False
    memory_mb: int


class LeanNetwork(BaseModel):
    """A network that answers as the published one does: its file, and its weights' beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[Path, Path]
    any_cpu: bool
    precision: Precision
    rewrites: dict[str, int]
    proof: Proof

    @property
    def proven(self) -> bool:
        return self.proof.holds(self.precision)


class Lean(BaseModel):
    """Lean networks, best first, or why there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    onnxruntime: str
    networks: tuple[LeanNetwork, ...] = ()
    refused: str | None = None
    not_quantised: str | None = None
