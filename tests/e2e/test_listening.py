"""Silero's published network, as the audio reader uses it: it hears speech, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from containers.audio_reader.handler import handler
from containers.audio_reader.network import open_network
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.voice import Voice
from containers.audio_reader.windows import Windower
from containers.model_downloader.working_network import require_working_network
from pipeline import task
from pipeline.artifacts import LocalStore, Location
from pipeline.audio.samples import Samples
from pipeline.contracts.transcript import AudioRead
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.golden import Row
from pipeline.selftest import Trial
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, Workbench
from tests.conftest import ROOT
from tests.e2e.conftest import kept

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def row() -> ModelRow:
    return load_catalogue(ROOT).row("silero-vad")


@pytest.fixture(scope="module")
def network(row: ModelRow) -> Path:
    return kept(row.name) / row.files[0].name


def test_it_is_what_its_engine_declares(row: ModelRow, network: Path) -> None:
    assert require_working_network(row, [network])["network"][0].shape == (1, 1)


def test_it_does_the_golden_job(
    row: ModelRow, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = LocalStore(tmp_path / "store"), Settings(scratch=tmp_path / "scratch")
    bench = Workbench(root=ROOT, settings=settings, store=store)
    monkeypatch.setattr(task, "_BENCHES", {ROOT: bench})
    (file,) = row.files
    place = Location("models", f"{row.weights_prefix}/{file.name}")
    artifact = store.write(place, network.read_bytes(), media_type="")
    staged = StagedFile(name=file.name, digest=file.digest, source="test", artifact=artifact)
    weights = StagedWeights(model=row.name, licence=row.licence, files=(staged,))
    store.write(
        Location("models", row.weights_key), weights.model_dump_json().encode(), media_type=""
    )
    trial = Trial("audio-reader", bench, {})

    trial.run(handler, AudioRead, row=Row(row.name, row.engine.name, row.weights_key))

    assert trial.seen["plan.json.windows.0.index"] == 0


def silence(count: int) -> Samples:
    return np.zeros((count, 1), np.float32)


def idle_microphone(count: int) -> Samples:
    return np.random.default_rng(0).normal(0, 3e-4, (count, 1)).astype(np.float32)


def loud_noise(count: int) -> Samples:
    return np.random.default_rng(0).normal(0, 0.1, (count, 1)).astype(np.float32)


def chord(count: int) -> Samples:
    time = np.arange(count) / 16_000
    wave = sum(0.1 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 277, 330))
    return np.asarray(wave, np.float32)[:, None]


@pytest.mark.parametrize("sound", [silence, idle_microphone, loud_noise, chord])
def test_it_hears_no_speech_where_there_is_none(
    network: Path, sound: Callable[[int], Samples]
) -> None:
    hear = Voice(open_network(network)).probability
    windower = Windower(hear, Thresholds(onset=0.5, offset=0.35))

    assert [*windower.push(sound(60 * 16_000)), *windower.finish()] == []
