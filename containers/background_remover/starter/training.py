"""Train the starter: `python -m containers.background_remover.starter.training --data … --out …`.

Training is seeded, saves a checkpoint every few hundred steps, and resumes a stopped run from the
last one. Each phase has more pixels than the one before: most is learnt from small images, of which
a CPU processes three times as many.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from containers.background_remover.starter.composition import draw_example
from containers.background_remover.starter.library import Library, load_library
from containers.background_remover.starter.network import MEAN, STD, Starter

SEED: Final = 20261120
CHECKPOINT: Final = "checkpoint.pt"
_EVERY: Final = 250
_PEAK_RATE: Final = 3e-3
_WARM_UP: Final = 300
_DECAY: Final = 0.02
_AVERAGING: Final = 0.9985


@dataclass(frozen=True)
class Phase:
    """Steps with batches of images of `size`² pixels."""

    steps: int
    batch: int
    size: int


PHASES: Final = (Phase(6500, 64, 128), Phase(2200, 48, 192), Phase(1800, 32, 256))


class Examples(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of random examples, seeded differently for each worker and start."""

    def __init__(self, library: Library, phase: Phase, *, first_step: int) -> None:
        super().__init__()
        self.library, self.phase, self.first_step = library, phase, first_step

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = torch.utils.data.get_worker_info()
        number = worker.id if worker else 0
        dice = np.random.default_rng((SEED, self.first_step, number))
        while True:
            drawn = [
                draw_example(dice, self.library, self.phase.size) for _ in range(self.phase.batch)
            ]
            photos = np.stack([example.photo for example in drawn]).transpose(0, 3, 1, 2)
            masks = np.stack([example.mask for example in drawn])[:, None]
            yield torch.from_numpy(np.ascontiguousarray(photos)), torch.from_numpy(masks)


class Run:
    """A network in training, its running average, and its progress."""

    def __init__(self, out: Path) -> None:
        torch.manual_seed(SEED)
        self.out = out
        self.network = Starter().to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGING),
            use_buffers=True,
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), _PEAK_RATE, weight_decay=_DECAY
        )
        self.step = 0

    def resume(self) -> None:
        path = self.out / CHECKPOINT
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    def save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        fresh = self.out / f"{CHECKPOINT}.new"
        torch.save(state, fresh)
        fresh.replace(self.out / CHECKPOINT)

    def learn(self, photos: Tensor, masks: Tensor) -> float:
        """Run one step and return the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, sum(phase.steps for phase in PHASES))
        pixels = ((photos.float() / 255 - MEAN) / STD).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            fine, coarse = self.network(pixels)
        loss = disagreement(fine.float(), coarse.float(), masks.float() / 255)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return float(loss.detach())


def learning_rate(step: int, steps: int) -> float:
    """Return a short rise, then half a cosine down to 0."""
    if step < _WARM_UP:
        return _PEAK_RATE * (step + 1) / _WARM_UP
    progress = (step - _WARM_UP) / (steps - _WARM_UP)
    return _PEAK_RATE * 0.5 * (1 + float(np.cos(np.pi * min(1.0, progress)))) + 1e-6


def disagreement(fine: Tensor, coarse: Tensor, masks: Tensor) -> Tensor:
    """Return cross entropy, heavier near outlines, plus 1 - overlap where there is a subject."""
    weight = 1 + 4 * (_neighbourhood(masks) - masks).abs()
    entropy = functional.binary_cross_entropy_with_logits(fine, masks, reduction="none")
    guess = torch.sigmoid(fine)
    shared = (guess * masks * weight).sum((1, 2, 3))
    either = ((guess + masks - guess * masks) * weight).sum((1, 2, 3))
    present = (masks.amax((1, 2, 3)) > 0.5).float()
    overlap = ((1 - (shared + 1) / (either + 1)) * present).sum() / present.sum().clamp(min=1)
    small = functional.adaptive_avg_pool2d(masks, coarse.shape[-1])
    rough = functional.binary_cross_entropy_with_logits(coarse, small)
    return (entropy * weight).mean() + 0.6 * overlap + 0.4 * rough


def _neighbourhood(masks: Tensor) -> Tensor:
    """Return each place's mean over a quarter of the image's side, computed small for speed."""
    side = masks.shape[-1]
    small = functional.adaptive_avg_pool2d(masks, 32)
    means = functional.avg_pool2d(small, 7, stride=1, padding=3, count_include_pad=False)
    return functional.interpolate(means, (side, side), mode="bilinear", align_corners=False)


def train(data: Path, out: Path, *, workers: int) -> Path:
    """Run the remaining phases of the run in `out`, and return the final checkpoint."""
    out.mkdir(parents=True, exist_ok=True)
    library = load_library(data)
    run = Run(out)
    run.resume()
    end = 0
    for phase in PHASES:
        end += phase.steps
        if run.step < end:
            _train_phase(run, library, phase, end=end, workers=workers)
    return out / CHECKPOINT


def _train_phase(run: Run, library: Library, phase: Phase, *, end: int, workers: int) -> None:
    examples = Examples(library, phase, first_step=run.step)
    losses: list[float] = []
    started = time.monotonic()
    for photos, masks in DataLoader(examples, batch_size=None, num_workers=workers):
        losses.append(run.learn(photos, masks))
        if run.step % _EVERY == 0 or run.step == end:
            run.save()
            pace = len(losses) * phase.batch / (time.monotonic() - started)
            line = {"step": run.step, "size": phase.size, "loss": round(float(np.mean(losses)), 4)}
            print(json.dumps({**line, "pictures_per_s": round(pace)}), flush=True)
            losses, started = [], time.monotonic()
        if run.step == end:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument(
        "--workers", type=int, default=2, help="number of processes that draw examples"
    )
    chosen = parser.parse_args()
    train(chosen.data, chosen.out, workers=chosen.workers)


if __name__ == "__main__":
    main()
