"""ReadAudio, from a recording in a store to windows, plan and FLAC in a store."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from containers.audio_reader.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio import limits
from pipeline.audio.flac import FlacReader, decode_flac
from pipeline.audio.resampling import resampled
from pipeline.audio.samples import Samples
from pipeline.audio.sniffing import sniff
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.sounds import SOUND_RATE
from pipeline.contracts.transcript import AudioRead, ReadAudio, SourceRecording
from pipeline.errors import (
    CorruptMedia,
    MediaTooLarge,
    MediaTooLong,
    NoAudio,
    SourceChanged,
    SourceMissing,
    UnsupportedMedia,
    WeightsMismatch,
    WeightsNotStaged,
)
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.pipeline.audio.recordings import KINDS, Kind, encoded, written
from tests.voice_models import stock_voice, voice_row

SOURCE = Location("ingest", "talks/talk 1.mp3")
WEIGHTS = Location("models", "loudness.json")


@pytest.fixture
def context(tmp_path: Path) -> TaskContext:
    """Return a call's context whose catalogue has a network that hears speech in what is loud."""
    store = LocalStore(tmp_path / "store")
    network = stock_voice(tmp_path)
    artifact = store.write(Location("models", network.name), network.read_bytes(), media_type="")
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(voice_row(network, "loudness"))
    file = StagedFile(
        name=network.name, digest=f"sha256:{artifact.sha256}", source="test", artifact=artifact
    )
    weights = StagedWeights(model="loudness", licence="MIT", files=(file,))
    store.write(WEIGHTS, weights.model_dump_json().encode(), media_type="")
    settings = Settings(catalogue_overlays=(catalogue,), scratch=tmp_path / "scratch")
    return TaskContext(Workbench(root=ROOT, settings=settings, store=store))


def talk(*parts: tuple[float, float]) -> Samples:
    """Return a tone with these loudnesses and seconds, at 48 kHz in two channels."""
    loud = np.concatenate([np.full(round(seconds * 48_000), level) for level, seconds in parts])
    tone = loud * np.sin(np.arange(len(loud)) / 10)
    return np.stack([tone, tone / 2], axis=1).astype(np.float32)


def job_for(context: TaskContext, content: bytes, **changes: Any) -> ReadAudio:
    artifact = context.store.write(SOURCE, content, media_type="audio/mpeg")
    source = SourceRecording(
        **SOURCE._asdict(),
        etag=context.store.stat(SOURCE).etag,
        sha256=artifact.sha256,
        bytes=len(content),
        media_type="audio/mpeg",
        format=changes.pop("format", None) or str(sniff(content)),
    )
    fields = {
        "schema": 1, "job_id": "1", "execution": "e", "source": source, "model": "loudness",
        "models_bucket": "models", "weights_key": WEIGHTS.key, "keep_recorded": False,
        "keep_sound": False, "work_bucket": "work", "work_prefix": "jobs/1",
    }  # fmt: skip
    return ReadAudio.model_validate(fields | changes)


def run(job: ReadAudio, context: TaskContext) -> AudioRead:
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def content_of(artifact: Artifact | None, context: TaskContext) -> bytes:
    assert artifact is not None
    return context.store.read(Location.parse(artifact.uri))


def plan_of(result: AudioRead, context: TaskContext) -> AudioPlan:
    return AudioPlan.model_validate_json(content_of(result.plan, context))


def test_windows_and_their_plan_are_in_the_work_bucket(context: TaskContext) -> None:
    own = talk((0, 2), (0.5, 3), (0, 4), (0.5, 2), (0, 1))

    result = run(job_for(context, encoded(own, ".flac")), context)

    plan = plan_of(result, context)
    (window,) = plan.windows
    assert result.windows == (0,)
    assert result.plan.uri == Location("work", "jobs/1/plan.json").uri
    assert window.audio.uri == Location("work", "jobs/1/speech/0000.flac").uri
    assert (window.start, window.end) == pytest.approx((1.8, 11.2), abs=0.1)
    assert [round(span.start) for span in window.speech] == [2, 9]
    assert result.speech_s == pytest.approx(5 + 4 * 0.2, abs=0.2)
    assert plan.duration_s == result.recording.duration_s == 12
    assert result.recorded is None
    samples, rate = decode_flac(content_of(window.audio, context))
    expected = resampled(own.mean(axis=1, keepdims=True), from_rate=48_000, to_rate=16_000)
    expected = expected[round(window.start * 16_000) :][: len(samples)]
    assert (rate, len(samples)) == (16_000, round((window.end - window.start) * 16_000))
    assert np.abs(samples - expected).max() < 1e-4


def test_a_long_recording_has_several_windows(context: TaskContext) -> None:
    own = talk((0.5, 280), (0, 2), (0.5, 60), (0, 400), (0.5, 5))

    result = run(job_for(context, encoded(own, ".flac")), context)

    windows = plan_of(result, context).windows
    assert result.windows == (0, 1, 2)
    starts = [round(window.start) for window in windows]
    assert starts == [0, 282, 742]
    assert [window.audio.uri[-9:] for window in windows] == ["0000.flac", "0001.flac", "0002.flac"]


def test_the_whole_recording_is_kept_with_its_rate_and_channels(context: TaskContext) -> None:
    own = talk((0.5, 3), (0, 1))

    result = run(job_for(context, encoded(own, ".flac"), keep_recorded=True), context)

    content = content_of(result.recorded, context)
    reader = FlacReader(io.BytesIO(content))
    assert (reader.rate, reader.channels, reader.bits) == (48_000, 2, 16)
    samples = np.concatenate(list(reader.blocks()))
    assert len(samples) == len(own) == result.recording.duration_s * 48_000
    assert np.abs(samples - own).max() < 1e-4
    assert result.recorded is not None
    assert result.recorded.uri == Location("work", "jobs/1/recorded.flac").uri
    assert result.recorded.bytes == len(content)


@pytest.mark.parametrize("rate", [8_000, 32_000, 192_000])
def test_the_sound_is_kept_with_one_channel_at_one_rate(context: TaskContext, rate: int) -> None:
    time_s = np.arange(round(3.1 * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * 1000 * time_s)
    own = np.stack([tone, tone / 2], axis=1).astype(np.float32)

    result = run(
        job_for(context, written(own, Kind("wav", "pcm_s16le", rate)), keep_sound=True), context
    )

    content = content_of(result.sound, context)
    reader = FlacReader(io.BytesIO(content))
    assert (reader.rate, reader.channels, reader.bits) == (SOUND_RATE, 1, 16)
    samples = np.concatenate(list(reader.blocks()))
    mixed = own.mean(axis=1, keepdims=True)
    expected = resampled(mixed, from_rate=rate, to_rate=SOUND_RATE)
    assert len(samples) == len(expected) == round(3.1 * SOUND_RATE)
    assert np.abs(samples - expected).max() < 1e-4
    assert result.sound is not None
    assert result.sound.uri == Location("work", "jobs/1/sound.flac").uri
    assert result.sound.bytes == len(content)
    assert result.recorded is None


def test_the_sound_and_the_recording_are_kept_beside_each_other(context: TaskContext) -> None:
    content = encoded(talk((0.5, 2)), ".flac")

    plain = run(job_for(context, content, keep_recorded=True), context)
    with pytest.raises(KeyError):
        context.store.read(Location("work", "jobs/1/sound.flac"))
    both = run(job_for(context, content, keep_recorded=True, keep_sound=True), context)

    assert plain.sound is None
    assert both.sound is not None
    assert both.recorded == plain.recorded
    assert both.plan == plain.plan


def test_a_recording_that_is_shorter_than_a_sample_of_the_sound_has_one(
    context: TaskContext,
) -> None:
    content = written(np.full((2, 1), 0.1, np.float32), Kind("wav", "pcm_s16le", 192_000))

    result = run(job_for(context, content, keep_sound=True), context)

    samples, _ = decode_flac(content_of(result.sound, context))
    assert len(samples) == 1


def test_a_lossless_source_of_24_bits_is_kept_with_24(context: TaskContext) -> None:
    content = written(talk((0.5, 1)), Kind("wav", "pcm_s24le"))

    result = run(job_for(context, content, keep_recorded=True), context)

    assert FlacReader(io.BytesIO(content_of(result.recorded, context))).bits == 24


def test_a_recording_in_which_nobody_speaks_is_a_success(context: TaskContext) -> None:
    result = run(job_for(context, encoded(talk((0.001, 5)), ".wav")), context)

    assert (result.windows, result.speech_s) == ((), 0)
    assert plan_of(result, context) == AudioPlan(duration_s=5, windows=())


def test_a_film_without_sound_is_a_success(context: TaskContext) -> None:
    film = written(talk((0, 1)), KINDS[".mp4"], film=True, tracks=0)

    result = run(job_for(context, film, keep_recorded=True, keep_sound=True), context)

    assert (result.recording.codec, result.recording.duration_s) == (None, 0)
    assert (result.windows, result.recorded, result.sound) == ((), None, None)
    assert plan_of(result, context).windows == ()
    with pytest.raises(KeyError):
        context.store.read(Location("work", "jobs/1/recorded.flac"))


NO_TRACK = encoded(talk((0, 1)), ".m4a").replace(b"trak", b"free")


@pytest.mark.parametrize(
    ("content", "demuxer", "named"),
    [
        (NO_TRACK, "mov", NoAudio),
        (b"RIFF" + bytes(4) + b"WAVE" + bytes(90), "wav", CorruptMedia),
        (b"ffconcat version 1.0\nfile 'a.wav'\n", "concat", UnsupportedMedia),
        (written(talk((0.5, 1)), Kind("matroska", "tta", sample_format="s16")), "matroska",
         UnsupportedMedia),
    ],
    ids=["nothing", "damaged", "text", "codec"],
)  # fmt: skip
def test_what_cannot_be_read_has_a_name(
    context: TaskContext, content: bytes, demuxer: str, named: type[Exception]
) -> None:
    job = job_for(context, content, format=demuxer, keep_recorded=True)

    with pytest.raises(named):
        run(job, context)
    with pytest.raises(KeyError):
        context.store.read(Location("work", "jobs/1/recorded.flac"))


def test_a_replaced_recording_has_changed(context: TaskContext) -> None:
    job = job_for(context, encoded(talk((0.5, 1)), ".flac"))
    context.store.write(SOURCE, encoded(talk((0.4, 1)), ".flac"), media_type="")

    with pytest.raises(SourceChanged):
        run(job, context)


def test_a_deleted_recording_is_missing(context: TaskContext) -> None:
    job = job_for(context, encoded(talk((0.5, 1)), ".flac"))
    context.store.delete_if_unchanged(SOURCE, etag=job.source.etag)

    with pytest.raises(SourceMissing):
        run(job, context)


def test_a_file_above_5_gb_is_not_opened(context: TaskContext) -> None:
    job = job_for(context, b"fLaC")
    large = job.source.model_copy(update={"bytes": limits.MAX_BYTES + 1})

    with pytest.raises(MediaTooLarge):
        run(job.model_copy(update={"source": large}), context)


def test_more_than_there_is_time_for_is_too_long(context: TaskContext) -> None:
    job = job_for(context, encoded(talk((0.5, 3)), ".flac"))
    late = TaskContext(context.bench, ends_at=time.monotonic() + 59)

    with pytest.raises(MediaTooLong, match="no time"):
        run(job, late)
    assert run(job, TaskContext(context.bench, ends_at=time.monotonic() + 120)).windows == (0,)


def test_more_than_can_be_denoised_is_too_long_only_if_it_is(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DENOISED_CHANNEL_HOURS", 5 / 3600)
    content = encoded(talk((0.5, 3)), ".flac")
    assert run(job_for(context, content), context).windows == (0,)

    with pytest.raises(MediaTooLong, match="can be denoised"):
        run(job_for(context, content, keep_recorded=True), context)


def test_nine_channels_are_read_but_not_kept(context: TaskContext) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(talk((0.5, 1))[:, :1], (1, 9)), 48_000, format="WAV")
    nine = file.getvalue()
    assert run(job_for(context, nine), context).recording.channels == 9

    with pytest.raises(UnsupportedMedia, match="9 channels; at most 8"):
        run(job_for(context, nine, keep_recorded=True), context)


def test_weights_that_are_not_staged_are_named(context: TaskContext) -> None:
    content = encoded(talk((0.5, 1)), ".flac")

    with pytest.raises(WeightsNotStaged):
        run(job_for(context, content, weights_key=None), context)
    with pytest.raises(WeightsNotStaged):
        run(job_for(context, content, weights_key="nobody.json"), context)


def test_weights_of_another_digest_are_not_loaded(context: TaskContext) -> None:
    context.store.write(Location("models", "loudness.onnx"), b"another", media_type="")

    with pytest.raises(WeightsMismatch):
        run(job_for(context, encoded(talk((0.5, 1)), ".flac")), context)
