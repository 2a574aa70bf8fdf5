"""The models that are compared, staged in a folder as the downloader does it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.declared.containers import load_container
from tests.bench.audio.recordings import kept_weights
from tests.bench.faces import peers
from tests.bench.faces.raw_photos import RawPhoto, told
from tests.bench.one_task import StreamingStore
from tests.bench.tasks import ONE_THREAD, stage
from tests.conftest import ROOT

SSD: Final = "face-api-ssd"
TINY: Final = "face-api-tiny"
EMBEDDER: Final = "face-api-resnet34"
FACENET: Final = "facenet-random"
_ROW: Final = """
[[models]]
name = "facenet-random"
container = "face-embedder"
summary = "For benchmarks: MTCNN as published, and InceptionResnetV1 with random weights."
engine = "facenet"
licence = "unstated"
commercial = false
memory_mb = 2048

[models.facenet]
align = "box"
side = 160
dimension = 512
same_above = 0.7
least_score = 0.95
least_side = 60
"""
_FILE: Final = """
[[models.files]]
name = "{name}"
convert = "{convert}"
digest = "sha256:{digest}"
urls = ["file:{name}"]
"""
_FACENET_FILES: Final = {
    "pnet.pt": "mtcnn-pnet",
    "rnet.pt": "mtcnn-rnet",
    "onet.pt": "mtcnn-onet",
    "random.pt": "inception-resnet-v1",
}


class Shelf:
    """A folder with staged models. Raises Missing where weights were not kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = StreamingStore(folder / "store")
        self.overlays: tuple[Path, ...] = ()

    def stage(self, *models: str) -> None:
        for model in models:
            kept_weights(model)
        stage(self.store, self.folder, models)

    def stage_facenet(self, checkpoint: Path) -> None:
        """Stage facenet-pytorch's MTCNN with this checkpoint of InceptionResnetV1."""
        published = peers.mtcnn_checkpoints()
        row = _ROW
        for name, convert in _FACENET_FILES.items():
            copy = self.folder / name
            if checkpoint != copy:
                source = checkpoint if name == "random.pt" else published / name
                shutil.copy(source, copy)
            digest = hashlib.sha256(copy.read_bytes()).hexdigest()
            row += _FILE.format(name=name, convert=convert, digest=digest)
        overlay = self.folder / "facenet.toml"
        overlay.write_text(row)
        self.overlays = (overlay,)
        stage(self.store, self.folder, (FACENET,), overlay)

    def ours(
        self,
        photos: Sequence[RawPhoto],
        *,
        analyzer: str | None = None,
        attributes: Sequence[str] = (),
        embedder: str | None = None,
        rounds: int = 1,
    ) -> dict[str, Any]:
        """Return what `ours.py` finds in these photos, in a process as the function has one."""
        job = self.folder / "ours.json"
        job.write_text(json.dumps({
            "store": str(self.folder / "store"), "overlays": list(map(str, self.overlays)),
            "photos": [photo.told() for photo in photos], "rounds": rounds, "analyzer": analyzer,
            "attributes": list(attributes), "min_score": 0.5, "embedder": embedder,
        }))  # fmt: skip
        container = "face_embedder" if analyzer is None else "face_analyzer"
        declared = load_container(ROOT / "containers" / container).environment
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.faces.ours", str(job)], cwd=ROOT,
            env={**os.environ, **ONE_THREAD, **declared}, stdout=subprocess.PIPE, text=True,
            check=True,
        )  # fmt: skip
        return told(done.stdout)
