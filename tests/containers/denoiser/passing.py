"""`python -m tests.containers.denoiser.passing`: write the networks that let everything pass.

The image's self-test runs them: their answer is the recording itself, to the sample.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import onnx

from containers.model_downloader.streaming import stream_network
from containers.model_downloader.working_network import require_working_network
from pipeline.artifacts import Artifact
from pipeline.declared.models import ModelRow
from pipeline.weights.staged import NamedArtifact, StagedFile, StagedWeights, StreamNetwork
from tests.conftest import ROOT
from tests.denoiser_models import NETWORKS, Size

FOLDER: Final = ROOT / "containers" / "denoiser" / "passing"
RECORD: Final = "manifest.json"


def passing_files(row: ModelRow) -> Mapping[str, bytes]:
    """Return the content of each file in the folder, by name."""
    size = Size(channels=1, hidden=1)
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / file.name for file in row.files]
        for path in paths:
            onnx.save(NETWORKS[path.name](size, passing=True), path)
        answers = require_working_network(row, paths)
        made = {
            path: stream_network(path, row.role(path.name), row.table, answers) for path in paths
        }
        files = []
        contents: dict[str, bytes] = {}
        for path, stream in made.items():
            published, content = path.read_bytes(), stream.path.read_bytes()
            contents[stream.path.name] = content
            sha256 = hashlib.sha256(published).hexdigest()
            artifact = _artifact(path.name, published)
            network = StreamNetwork(
                source_sha256=sha256,
                states=stream.states,
                proof=stream.proof,
                file=NamedArtifact(
                    name=stream.path.name, artifact=_artifact(stream.path.name, content)
                ),
            )
            file = next(file for file in row.files if file.name == path.name)
            files.append(
                StagedFile(
                    name=path.name, digest=file.digest, source="tests/denoiser_models.py",
                    artifact=artifact, stream=network,
                )
            )  # fmt: skip
    record = StagedWeights(model=row.name, licence=row.licence, files=tuple(files))
    return {**contents, RECORD: record.model_dump_json(indent=1).encode() + b"\n"}


def _artifact(name: str, content: bytes) -> Artifact:
    sha256 = hashlib.sha256(content).hexdigest()
    return Artifact(uri=f"s3://models/passing/{name}", sha256=sha256, bytes=len(content))


if __name__ == "__main__":
    from pipeline.declared.catalogue import load_catalogue

    for name, content in passing_files(load_catalogue(ROOT).row("deepfilternet3")).items():
        (FOLDER / name).write_bytes(content)
    sys.exit()
