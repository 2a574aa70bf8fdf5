"""The job: a recording in the work bucket becomes a denoised one, and its windows too if asked."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from containers.denoiser import writing
from containers.denoiser.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio.flac import decode_flac, encode_flac
from pipeline.audio.samples import Samples
from pipeline.contracts.audio_windows import AudioPlan, Span, Window
from pipeline.contracts.transcript import AudioDenoised, Denoise
from pipeline.errors import OutOfStorage, WeightsMismatch, WeightsNotStaged
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.denoiser.conftest import ROW
from tests.containers.denoiser.passing import FOLDER, RECORD, passing_files
from tests.containers.denoiser.signals import lag, noise

PLACE = Location("models", ROW.weights_key)
SPEECH = 16_000

Run = Callable[..., AudioDenoised]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    content = (FOLDER / RECORD).read_bytes()
    store.write(PLACE, content, media_type="")
    for file in StagedWeights.parse(content, uri=RECORD).files:
        assert file.stream is not None
        made = file.stream.file
        network = (FOLDER / made.name).read_bytes()
        store.write(Location.parse(made.artifact.uri), network, media_type="")
    return store


@pytest.fixture
def run(store: LocalStore, tmp_path: Path) -> Run:
    """Denoise a recording; keyword arguments replace fields of the job."""
    settings = Settings(scratch=tmp_path / "scratch")
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))

    def denoise(
        recorded: Samples,
        rate: int,
        *,
        bits: int = 16,
        windows: tuple[Span, ...] = (),
        **fields: object,
    ) -> AudioDenoised:
        flac = encode_flac(recorded, rate=rate, bits=bits)  # type: ignore[arg-type]
        artifact = store.write(Location("work", "jobs/1/recorded.flac"), flac, media_type="")
        plan = AudioPlan(
            duration_s=len(recorded) / rate,
            windows=tuple(
                Window(index=index, start=one.start, end=one.end, speech=(one,), audio=artifact)
                for index, one in enumerate(windows)
            ),
        )  # fmt: skip
        plan_artifact = store.write(
            Location("work", "jobs/1/plan.json"), plan.model_dump_json().encode(), media_type=""
        )
        job = Denoise.model_validate(
            {
                "schema": 1, "job_id": "1", "execution": "e", "model": ROW.name,
                "models_bucket": "models", "weights_key": ROW.weights_key, "recorded": artifact,
                "attenuation_db": 100, "format": "flac", "plan": plan_artifact,
                "rewrite_windows": False, "work_bucket": "work", "work_prefix": "jobs/1",
                "output_stem": "talks/monday", **fields,
            }
        )  # fmt: skip
        found: AudioDenoised = handler.__wrapped__(job, context)  # type: ignore[attr-defined]
        return found

    return denoise


def content_of(store: LocalStore, artifact: Artifact) -> bytes:
    content = store.read(Location.parse(artifact.uri))
    assert len(content) == artifact.bytes
    return content


def test_the_recording_comes_back_as_flac_with_its_rate_channels_bits_and_length(
    store: LocalStore, run: Run
) -> None:
    recorded = noise(1.003, rate=44_100, channels=2)

    result = run(recorded, 44_100, bits=24)

    content = content_of(store, result.file.artifact)
    found, rate = decode_flac(content)
    info = soundfile.info(io.BytesIO(content))
    assert (rate, found.shape, info.frames) == (44_100, recorded.shape, len(recorded))
    assert info.subtype == "PCM_24"
    assert lag(found[:, :1], recorded[:, :1]) == 0
    np.testing.assert_allclose(found[2000:-2000], recorded[2000:-2000], atol=1e-3)
    assert result.file.work_key == "jobs/1/denoised.flac"
    assert result.file.output_key == "talks/monday_denoised.flac"
    assert result.file.media_type == "audio/flac"
    assert result.metrics["duration_s"] == pytest.approx(1.003, abs=1e-3)


@pytest.mark.parametrize("bits", [16, 24])
def test_wav_has_the_very_samples_that_flac_has(store: LocalStore, run: Run, bits: int) -> None:
    recorded = noise(0.4, channels=2)
    recorded[1000:1200] *= 4  # louder than full scale once it is denoised

    flac, wav = (run(recorded, 48_000, bits=bits, format=each) for each in ("flac", "wav"))

    content = content_of(store, wav.file.artifact)
    info = soundfile.info(io.BytesIO(content))
    assert (info.format, info.subtype, info.frames) == ("WAV", f"PCM_{bits}", len(recorded))
    as_flac, as_wav = (
        soundfile.read(io.BytesIO(each), dtype="int32")[0]
        for each in (content_of(store, flac.file.artifact), content)
    )
    np.testing.assert_array_equal(as_wav, as_flac)
    assert wav.file.output_key == "talks/monday_denoised.wav"
    assert wav.file.media_type == "audio/wav"


def test_a_wav_file_too_large_for_its_header_is_rf64(
    store: LocalStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_WAV_BYTES", 1000)

    result = run(noise(0.1), 48_000, format="wav")

    info = soundfile.info(io.BytesIO(content_of(store, result.file.artifact)))
    assert (info.format, info.frames) == ("RF64", 4800)


def test_the_plan_is_the_jobs_own_if_no_windows_are_wanted(store: LocalStore, run: Run) -> None:
    result = run(noise(0.5), 48_000, windows=(Span(start=0, end=0.5),))

    assert result.plan.uri == Location("work", "jobs/1/plan.json").uri
    with pytest.raises(KeyError):
        store.read(Location("work", "jobs/1/denoised/plan.json"))


def test_windows_are_cut_again_from_the_denoised_signal(store: LocalStore, run: Run) -> None:
    """Two of them overlap, and one is after a pause."""
    recorded = noise(3, rate=SPEECH, channels=1)
    spans = (Span(start=0, end=1.25), Span(start=1.0, end=2.0), Span(start=2.5, end=3.0))

    result = run(recorded, SPEECH, windows=spans, rewrite_windows=True)

    plan = AudioPlan.model_validate_json(content_of(store, result.plan))
    assert [(each.start, each.end, each.speech) for each in plan.windows] == [
        (one.start, one.end, (one,)) for one in spans
    ]
    assert plan.duration_s == 3
    for window in plan.windows:
        found, rate = decode_flac(content_of(store, window.audio))
        expected = recorded[round(window.start * SPEECH) : round(window.end * SPEECH)]
        assert window.audio.uri == Location("work", f"jobs/1/denoised/000{window.index}.flac").uri
        assert (rate, found.shape) == (SPEECH, expected.shape)
        np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=2e-3)


def test_a_window_is_the_mean_of_the_channels_at_the_rate_of_speech(
    store: LocalStore, run: Run
) -> None:
    recorded = noise(1, rate=48_000, channels=2)

    result = run(recorded, 48_000, windows=(Span(start=0, end=1),), rewrite_windows=True)

    plan = AudioPlan.model_validate_json(content_of(store, result.plan))
    found, _ = decode_flac(content_of(store, plan.windows[0].audio))
    mean = recorded.mean(axis=1)[::3]
    np.testing.assert_allclose(found[300:-300, 0], mean[300:-300], atol=2e-3)


@pytest.mark.parametrize("count", [1, 100])
def test_less_than_a_frame_is_denoised(store: LocalStore, run: Run, count: int) -> None:
    result = run(np.full((count, 1), 0.25, np.float32), 48_000)

    found, _ = decode_flac(content_of(store, result.file.artifact))
    assert found.shape == (count, 1)


def test_nothing_stays_on_the_disk(run: Run, tmp_path: Path) -> None:
    run(noise(0.2), 48_000, format="wav")

    assert [each.name for each in (tmp_path / "scratch").iterdir()] == ["weights"]


def test_a_full_disk_is_a_named_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    room = iter([10**9, 100])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(room)))

    with pytest.raises(OutOfStorage, match="as WAV needs 9,600 bytes of disk; 100 are free"):
        run(noise(0.1), 48_000, format="wav")


def test_weights_that_were_staged_without_streams_are_not_staged(
    store: LocalStore, run: Run
) -> None:
    record = StagedWeights.parse(store.read(PLACE), uri=RECORD)
    files = tuple(file.model_copy(update={"stream": None}) for file in record.files)
    older = record.model_copy(update={"files": files}).model_dump_json().encode()
    store.write(PLACE, older, media_type="")

    with pytest.raises(WeightsNotStaged, match=r"has no streaming form of enc\.onnx"):
        run(noise(0.1), 48_000)


def test_weights_that_cannot_be_streamed_are_a_mismatch(store: LocalStore, run: Run) -> None:
    record = StagedWeights.parse(store.read(PLACE), uri=RECORD)
    odd = {"stream": None, "not_streamed": "it has the operator LSTM"}
    files = tuple(file.model_copy(update=odd) for file in record.files)
    content = record.model_copy(update={"files": files}).model_dump_json().encode()
    store.write(PLACE, content, media_type="")

    with pytest.raises(WeightsMismatch, match=r"enc\.onnx could not be streamed: it has the"):
        run(noise(0.1), 48_000)


def test_a_job_without_staged_weights_says_so(run: Run) -> None:
    with pytest.raises(WeightsNotStaged, match="no staged weights of deepfilternet3"):
        run(noise(0.1), 48_000, weights_key=None)


def test_an_upload_that_fails_leaves_nothing(
    store: LocalStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("containers.denoiser.denoising.Resampled.finish", broken)

    with pytest.raises(MemoryError):
        run(noise(0.3), 48_000)
    with pytest.raises(KeyError):
        store.read(Location("work", "jobs/1/denoised.flac"))
    assert not list(store.root.glob("upload-*"))


def test_the_self_tests_networks_are_those_of_the_tests() -> None:
    """Otherwise: `python -m tests.containers.denoiser.passing`."""
    made = passing_files(ROW)
    for name, content in made.items():
        if name != RECORD:
            assert (FOLDER / name).read_bytes() == content, name
    ours, theirs = (
        StagedWeights.parse(content, uri=RECORD)
        for content in ((FOLDER / RECORD).read_bytes(), made[RECORD])
    )
    for mine, other in zip(ours.files, theirs.files, strict=True):
        assert mine.stream is not None
        assert other.stream is not None
        assert mine.stream.states == other.stream.states
        assert mine.stream.file == other.stream.file
        assert mine.artifact == other.artifact
