"""The audio tagger with real weights hears speech, music and silence, and when."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from containers.audio_tagger.document import Tags, TagSpan
from containers.audio_tagger.handler import handler
from pipeline.artifacts import LocalStore, Location
from pipeline.audio.flac import decode_flac, encode_flac
from pipeline.audio.resampling import resampled
from pipeline.audio.samples import Samples, mono
from pipeline.contracts.sounds import SOUND_RATE, AudioTagged, TagAudio
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests import yamnet_weights
from tests.conftest import ROOT
from tests.libdf import RECORDINGS

pytestmark = pytest.mark.e2e

PAUSE_S, CHORD_S = 3, 5
MUSIC = (261.6, 329.6, 392.0)  # Hz: C major, with the overtones that an instrument has


def speech() -> Samples:
    recordings = os.environ.get(RECORDINGS)
    if not recordings or not (Path(recordings) / "jfk.flac").is_file():
        pytest.skip(f"set {RECORDINGS} to a folder with jfk.flac, of the tests of faster-whisper")
    samples, rate = decode_flac((Path(recordings) / "jfk.flac").read_bytes())
    return resampled(mono(samples), from_rate=rate, to_rate=SOUND_RATE)


def chord() -> Samples:
    time = np.arange(CHORD_S * SOUND_RATE) / SOUND_RATE
    waves = [
        0.15 * np.sin(2 * np.pi * hertz * times * time) / times
        for hertz in MUSIC
        for times in (1, 2, 3)
    ]
    samples: Samples = np.sum(waves, axis=0)[:, None].astype(np.float32)
    return samples


@pytest.fixture(scope="module")
def tags(tmp_path_factory: pytest.TempPathFactory) -> Tags:
    """Tag a pause, eleven seconds of speech, a pause and a chord."""
    if why := yamnet_weights.missing():
        pytest.skip(why)
    pause = np.zeros((PAUSE_S * SOUND_RATE, 1), np.float32)
    whole = np.concatenate([pause, speech(), pause, chord()])
    folder = tmp_path_factory.mktemp("yamnet")
    store = LocalStore(folder / "store")
    catalogue = folder / "catalogue.toml"
    catalogue.write_text(yamnet_weights.stock_yamnet(folder, "yamnet-w8a8"))
    network = (folder / "yamnet.onnx").read_bytes()
    artifact = store.write(Location("models", "yamnet.onnx"), network, media_type="")
    file = StagedFile(
        name="yamnet.onnx", digest=f"sha256:{artifact.sha256}", source="t", artifact=artifact
    )
    record = StagedWeights(model="yamnet-w8a8", licence="unstated", files=(file,))
    store.write(Location("models", "r"), record.model_dump_json().encode(), media_type="")
    flac = encode_flac(whole, rate=SOUND_RATE)
    job = TagAudio(
        schema_version=1, job_id="1", execution="e", model="yamnet-w8a8", models_bucket="models",
        weights_key="r", sound=store.write(Location("work", "s"), flac, media_type=""),
        most_tags=10, work_bucket="work", work_prefix="jobs/1", output_stem="talk",
    )  # fmt: skip
    settings = Settings(
        catalogue_overlays=(catalogue,),
        scratch=folder / "scratch",
        accepted_licences=("unstated",),
    )
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))
    result: AudioTagged = handler.__wrapped__(job, context)  # type: ignore[attr-defined]
    return Tags.model_validate_json(store.read(Location.parse(result.file.artifact.uri)))


def spans_of(tags: Tags, label: str) -> list[TagSpan]:
    return [span for span in tags.spans if span.label == label]


def test_a_speech_is_speech_from_its_first_word_to_its_last(tags: Tags) -> None:
    (span,) = spans_of(tags, "Speech")

    assert (span.start, span.end) == pytest.approx((3, 14), abs=0.5)
    assert span.max_score > 0.95


def test_pauses_are_silent(tags: Tags) -> None:
    first, second = spans_of(tags, "Silence")

    assert (first.start, first.end) == pytest.approx((0, 3), abs=0.5)
    assert (second.start, second.end) == pytest.approx((14, 17), abs=0.7)


def test_a_chord_is_music(tags: Tags) -> None:
    (span,) = spans_of(tags, "Music")

    assert (span.start, span.end) == pytest.approx((17, 22), abs=0.7)


def test_the_timeline_tells_speech_and_music_apart(tags: Tags) -> None:
    def mean(start: float, end: float, of: str) -> float:
        steps = [step for step in tags.timeline if start <= step.start and step.end <= end]
        return float(np.mean([getattr(step, of) for step in steps]))

    assert mean(3.5, 13.5, "speech") > 0.8
    assert mean(3.5, 13.5, "music") < 0.1
    assert mean(17.5, 22, "speech") < 0.2
    assert mean(17.5, 22, "music") > 0.5
    assert {"Speech", "Silence", "Music"} <= {one.label for one in tags.predictions}
