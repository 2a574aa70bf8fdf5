"""A BiRefNet of few channels whose values count as large, as those of 2048² do."""

from __future__ import annotations

import onnx
import pytest

from containers.model_downloader.optimisation import rows, tiling
from tests.bench.standins.birefnet import birefnet
from tests.bench.standins.swin import Swin

SIDE = 128
SWIN = Swin(width=8, depths=(2, 1, 1, 1), heads=(2, 2, 2, 2), window=8)
LARGE = 60 * 2**10  # bytes


def large_birefnet() -> onnx.ModelProto:
    return birefnet(SWIN, side=SIDE, inter=8, pyramid=16)


def count_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits of the passes from values of 2048² to those of this network."""
    monkeypatch.setattr(tiling, "CROWDED_BYTES", LARGE)
    monkeypatch.setattr(tiling, "LARGE_BYTES", LARGE)
    monkeypatch.setattr(tiling, "_TILE_BYTES", LARGE // 2)
    monkeypatch.setattr(rows, "_LARGE_PIXELS", (SIDE // 8) ** 2)
    monkeypatch.setattr(rows, "_SAMPLE_BYTES", LARGE)
