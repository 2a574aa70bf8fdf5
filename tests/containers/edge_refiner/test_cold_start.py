"""Loading the handler compiles nothing, so a cold start takes the same time on every CPU type."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT

LOADED = """
import json, sys
import containers.edge_refiner.handler
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_the_handler_loads_neither_a_compiler_nor_a_solver() -> None:
    output = subprocess.run(
        [sys.executable, "-c", LOADED], check=True, capture_output=True, cwd=ROOT
    ).stdout

    heavy = {"numba", "llvmlite", "scipy", "pymatting", "rembg", "onnxruntime", "cv2"}
    assert heavy & set(json.loads(output)) == set()
