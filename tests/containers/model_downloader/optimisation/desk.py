"""One network to optimise, the row that describes it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable

from containers.model_downloader.optimiser import Outcome
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from tests.models import PLAIN, REMOVER, SALIENCY

DIGEST = f"md5:{'0' * 32}"  # of no consequence: the intake has seen to it
ROW = ModelRow(
    name="net", summary="For tests.", container=REMOVER, engine=SALIENCY, licence="MIT",
    commercial=True, memory_mb=512, table={**PLAIN, "input_size": 32},
    files=(WeightsFile(name="net.onnx", digest=DIGEST),),
)  # fmt: skip

Try = Callable[..., Outcome]


def place(name: str) -> Location:
    return Location("models", f"net/{name}")


def stored(store: LocalStore) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())
