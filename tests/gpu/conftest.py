"""Skip where there is no GPU; fail where there is one and networks would not use it."""

from __future__ import annotations

import onnxruntime as ort
import pytest

from pipeline.hardware import gpus
from pipeline.weights.processor import processor_of


@pytest.fixture(scope="session", autouse=True)
def _gpu() -> None:
    if not gpus():
        pytest.skip("this machine has no NVIDIA GPU with a driver")
    found = processor_of(ort)
    if not found.gpu:
        pytest.fail(f"networks run on the {found.remark}; `make test-gpu` installs CUDA")
