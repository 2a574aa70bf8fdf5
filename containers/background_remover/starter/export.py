"""Export a checkpoint to one ONNX graph: fp32 arithmetic with weights stored as int8.

python -m containers.background_remover.starter.export --checkpoint runs/checkpoint.pt
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Final

import onnx
import torch
from torch import Tensor, nn

from containers.background_remover.starter.network import INPUT_SIZE, Starter
from containers.background_remover.starter.storage import stored_small

WEIGHTS: Final = Path(__file__).parent / "starter.onnx"
_OPSET: Final = 17


class FineOnly(nn.Module):
    """The network without its training-time side output."""

    def __init__(self, network: Starter) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        fine: Tensor = self.network(photo)[0]
        return fine


def export(checkpoint: Path, target: Path) -> None:
    """Write the averaged weights of `checkpoint` to `target`: photo 1×3×S×S → logits 1×1×S×S."""
    state = torch.load(checkpoint, weights_only=True)["average"]
    network = Starter()
    prefix = "module."
    network.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state.items() if prefix in name}
    )
    plain = target.with_suffix(".fp32.onnx")
    torch.onnx.export(
        FineOnly(network).eval(),
        (torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE),),
        str(plain),
        input_names=["photo"],
        output_names=["logits"],
        opset_version=_OPSET,
        dynamo=False,
    )
    onnx.save(stored_small(onnx.load(plain)), target)
    plain.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    export(chosen.checkpoint, chosen.out)
    print(f"sha256:{hashlib.sha256(chosen.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
