"""The size of the packages that an image installs, next to face-api's in Node.

Both are without tests and compiled modules, and ours without what `containers/Dockerfile` removes.
AWS's packages are in every image: its SDK, Powertools and the runtime client, with what only they
need.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import Final

from pipeline.cli.report import console
from tests.bench.faces.peers import face_api_packages
from tests.bench.figures import Figures, Missing
from tests.bench.peer_environment import packages_mb
from tests.conftest import ROOT

_MOST_MB: Final = 170
_AWS: Final = (
    "aws_lambda_powertools", "aws_xray_sdk", "awslambdaric", "boto3", "botocore", "jmespath",
    "s3transfer", "simplejson", "snapshot_restore_py", "urllib3", "wrapt",
)  # fmt: skip
_REMOVED: Final = (
    "*.pyi", "numpy/f2py", "numpy/_core/include", "onnxruntime/quantization", "onnxruntime/tools",
    "onnxruntime/transformers", "libonnxruntime.so.*",
)  # fmt: skip
_CONTAINERS: Final = ("face_analyzer", "face_embedder")


def main() -> None:
    figures = Figures("Packages of an image, MB", peer="face-api and sharp, without Node")
    try:
        modules = face_api_packages()
        size = sum(path.stat().st_size for path in modules.rglob("*") if path.is_file())
        peer = f"{size / 1e6:.0f}"
    except Missing as why:
        console().print(f"packages: face-api not measured: {why}")
        peer = ""
    for container in _CONTAINERS:
        all_mb, aws_mb = _installed_mb(container)
        figures.at_most(container, all_mb, _MOST_MB, form=".0f", peer=peer)
        figures.add("  without AWS's", f"{all_mb - aws_mb:.0f}")
    figures.show()


def _installed_mb(container: str) -> tuple[float, float]:
    """Install the locked packages in a folder; return their size, and that of AWS's."""
    with tempfile.TemporaryDirectory() as name:
        lock = ROOT / "containers" / container / "requirements.txt"
        subprocess.run(
            [
                str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet",
                "--require-hashes", "--no-deps", "--only-binary=:all:", "--target", name,
                "--requirement", str(lock),
            ],
            check=True,
        )  # fmt: skip
        for path in chain.from_iterable(map(Path(name).rglob, _REMOVED)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return packages_mb(Path(name)), sum(packages_mb(Path(name, each)) for each in _AWS)
