"""The tools that faces are compared with: face-api in Node, and facenet-pytorch.

`make bench-faces` installs face-api below `faceapi/`; facenet-pytorch is installed here, once.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.faces.raw_photos import RawPhoto, told
from tests.bench.figures import Missing
from tests.bench.peer_environment import TORCH, peer_environment
from tests.conftest import ROOT

_HERE: Final = Path(__file__).parent
_PACKAGE: Final = _HERE / "faceapi"
_ENVIRONMENT: Final = ROOT / ".venv-peer-faces"
Told = dict[str, Any]


def face_api_packages() -> Path:
    """Return the folder of face-api's packages. Raises Missing."""
    modules = _PACKAGE / "node_modules"
    if shutil.which("node") is None or not (modules / "@vladmandic/face-api").is_dir():
        raise Missing("face-api needs Node 20, and `make bench-faces` to install it")
    return modules


def node(program: str, *arguments: str | Path) -> list[str]:
    """Return the command of one of the programs next to face-api. Raises Missing."""
    face_api_packages()
    return ["node", str(_PACKAGE / program), *map(str, arguments)]


def whole(photo: Path, describe: str, folder: Path) -> Told:
    """Return what `whole.cjs` tells of a photo's file: its peak memory. Raises Missing."""
    return _told(node("whole.cjs", folder, describe, photo))


def face_api(photos: Sequence[RawPhoto], folder: Path, **asked: object) -> Told:
    """Return what `oracle.cjs` tells of these photos: it says what can be asked. Raises Missing."""
    job = folder / "face-api.json"
    job.write_text(json.dumps({"photos": [photo.told() for photo in photos], **asked}))
    return _told(node("oracle.cjs", job))


def facenet(
    photos: Sequence[RawPhoto],
    folder: Path,
    *,
    rounds: int = 1,
    checkpoint: Path | None = None,
    threads: int = 1,
) -> Told:
    """Return what `facenet_peer.py` finds in these photos. Raises Missing."""
    job = folder / "facenet.json"
    asked = {
        "rounds": rounds, "checkpoint": str(checkpoint) if checkpoint else None, "threads": threads
    }  # fmt: skip
    job.write_text(json.dumps({"photos": [photo.told() for photo in photos], **asked}))
    return _told([str(_facenet_python()), "-P", str(_HERE / "facenet_peer.py"), str(job)])


def mtcnn_checkpoints() -> Path:
    """Return the folder with pnet.pt, rnet.pt and onet.pt. Raises Missing."""
    (folder,) = _facenet_python().parents[1].glob("lib/python*/site-packages/facenet_pytorch/data")
    return folder


def _facenet_python() -> Path:
    pins = ["--require-hashes", "--no-deps", "--requirement", str(_HERE / "facenet.txt")]
    return peer_environment(_ENVIRONMENT, [[TORCH], pins], "facenet-pytorch")


def _told(command: Sequence[str]) -> Told:
    sys.stderr.write(f"{Path(command[0]).name}\n")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return told(done.stdout)
