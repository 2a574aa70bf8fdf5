"""The published checkpoints of pyannote and Resemblyzer, converted as staging does it.

The recording is pyannote's sample, with its own list of who speaks when.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import soundfile

from containers.model_downloader.conversion.converters import convert
from pipeline.artifacts import Location
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import WeightsFile
from pipeline.session.choice import cache_folder
from pipeline.weights.staged import StagedWeights
from tests.conftest import ROOT
from tests.e2e.conftest import kept, recording

pytestmark = pytest.mark.e2e

MODEL = "pyannote-2022-ge2e"
RATE = 16_000
WINDOW = 5 * RATE


def files() -> tuple[WeightsFile, ...]:
    return load_catalogue(ROOT).row(MODEL).files


def made_again(place: int, folder: Path) -> ort.InferenceSession:
    """Convert the kept checkpoint; the bytes are those that staging recorded."""
    published = kept(MODEL) / files()[place].name
    record = StagedWeights.parse((kept(MODEL) / "manifest.json").read_bytes(), uri=MODEL)
    staged = record.files[place].converted
    assert staged is not None
    (folder / published.name).write_bytes(published.read_bytes())
    network = convert(folder / published.name, staged.converter).path
    copy = cache_folder() / Location.parse(staged.file.artifact.uri).key
    assert network.read_bytes() == copy.read_bytes()
    return ort.InferenceSession(network)


def test_the_segmentation_hears_who_speaks_in_pyannotes_sample(tmp_path: Path) -> None:
    network = made_again(0, tmp_path)
    samples, rate = soundfile.read(recording("sample.wav"), dtype="float32")
    assert rate == RATE
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, 1, WINDOW)

    (found,) = network.run(None, {"sound": windows})

    heard = (found.reshape(-1, 3) > 0.5).any(axis=1)
    spoken = np.zeros(len(heard), bool)
    frames_per_s = len(heard) / windows.size * RATE
    for line in recording("sample.rttm").read_text().splitlines():
        start, length = (float(field) for field in line.split()[3:5])
        spoken[int(start * frames_per_s) : int((start + length) * frames_per_s)] = True
    assert (heard == spoken).mean() > 0.97


def test_an_embedding_is_of_unit_length(tmp_path: Path) -> None:
    network = made_again(1, tmp_path)
    features = np.random.default_rng(0).random((2, 160, 40)).astype(np.float32)

    (found,) = network.run(None, {"features": features})

    assert found.shape == (2, 256)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
