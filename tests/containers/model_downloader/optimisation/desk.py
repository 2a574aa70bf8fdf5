"""One network to optimise, the row that describes it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable

from containers.model_downloader.optimiser import Outcome
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.engines import SaliencySpec
from pipeline.declared.models import ModelRow, WeightsFile

DIGEST = f"md5:{'0' * 32}"  # of no consequence: the intake has seen to it
SPEC = SaliencySpec(input_size=32, scale=255.0, mean=(0, 0, 0), std=(1, 1, 1), activation="none")
ROW = ModelRow(
    name="net", summary="For tests.", engine="saliency", licence="MIT", commercial=True,
    memory_mb=512, saliency=SPEC, files=(WeightsFile(name="net.onnx", digest=DIGEST),),
)  # fmt: skip

Try = Callable[..., Outcome]


def place(name: str) -> Location:
    return Location("models", f"net/{name}")


def stored(store: LocalStore) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())
