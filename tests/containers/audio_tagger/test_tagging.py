"""TagAudio, from a recording in the work bucket to its tags, with a network that hears tones."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from containers.audio_tagger import network as networks
from containers.audio_tagger.document import Tags
from containers.audio_tagger.handler import handler
from containers.audio_tagger.selftest import NETWORK, RATE, TONES
from containers.audio_tagger.spec import Engine
from pipeline import source_file
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio.flac import encode_flac
from pipeline.audio.samples import Samples
from pipeline.contracts.sounds import SOUND_RATE, AudioTagged, TagAudio
from pipeline.errors import MediaTooLong, OutOfMemory, WeightsMismatch, WeightsNotStaged
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.tagger_models import Ears, Kind, stock_tagger, tagger_row, tone_network

SOUND = Location("work", "jobs/1/sound.flac")
RECORD = Location("models", "tones.json")


class Bench:
    """A store, and a catalogue with a network that hears two tones."""

    def __init__(self, folder: Path, row: str, network: bytes) -> None:
        self.store = LocalStore(folder / "store")
        catalogue = folder / "catalogue.toml"
        catalogue.write_text(row)
        artifact = self.store.write(Location("models", "tones.onnx"), network, media_type="")
        file = StagedFile(
            name="tones.onnx", digest=f"sha256:{artifact.sha256}", source="t", artifact=artifact
        )
        record = StagedWeights(model="tones", licence="MIT", files=(file,))
        self.store.write(RECORD, record.model_dump_json().encode(), media_type="")
        self.sha256 = artifact.sha256
        settings = Settings(catalogue_overlays=(catalogue,), scratch=folder / "scratch")
        self.context = TaskContext(Workbench(root=ROOT, settings=settings, store=self.store))

    def put(self, samples: Samples, rate: int = SOUND_RATE) -> Artifact:
        return self.store.write(SOUND, encode_flac(samples[:, None], rate=rate), media_type="")

    def run(self, sound: Artifact | None, *, context: TaskContext | None = None) -> AudioTagged:
        job = TagAudio(
            schema=1,  # type: ignore[call-arg]
            job_id="1", execution="e", model="tones", models_bucket="models",
            weights_key=RECORD.key, sound=sound, most_tags=12, work_bucket="work",
            work_prefix="jobs/1", output_stem="talks/monday",
        )  # fmt: skip
        found: AudioTagged = handler.__wrapped__(  # type: ignore[attr-defined]
            job, context or self.context
        )
        return found

    def tags(self, result: AudioTagged) -> Tags:
        return Tags.model_validate_json(self.store.read(Location.parse(result.file.artifact.uri)))


def bench_of(folder: Path, ears: Ears) -> Bench:
    row = stock_tagger(folder, "tones", ears)
    return Bench(folder, row, (folder / "tones.onnx").read_bytes())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(tmp_path, Ears())


def sound(*parts: tuple[float, float], rate: int = SOUND_RATE) -> Samples:
    """Return tones of these frequencies and seconds, one after the other; 0 Hz is silence."""
    pieces = [
        0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
        for hertz, seconds in parts
    ]
    return np.concatenate(pieces).astype(np.float32)


MUSIC, SIREN = TONES["Music"], TONES["Siren"]


def spans(tags: Tags) -> list[tuple[str, float, float]]:
    return [(span.label, span.start, span.end) for span in tags.spans]


def test_each_tone_has_its_label_and_its_times(bench: Bench) -> None:
    result = bench.run(bench.put(sound((0, 3), (MUSIC, 4), (0, 2), (SIREN, 2), (0, 1.2))))

    tags = bench.tags(result)
    found = spans(tags)
    assert [label for label, _, _ in found] == ["Music", "Siren"]
    for (_, *actual), expected in zip(found, [(3, 7), (9, 11)], strict=True):
        assert actual == pytest.approx(expected, abs=0.2)  # a hop is 0.25 s
    assert [one.label for one in tags.predictions[:2]] == ["Music", "Siren"]
    assert tags.predictions[0].score == pytest.approx(1, abs=0.01)
    assert len(tags.predictions) == 12
    assert tags.duration_s == 12.2
    assert max(step.music for step in tags.timeline) > 0.9
    assert [one.label for one in tags.labels] == ["Music", "Siren"]
    assert tags.remarks == ()


def test_the_result_names_the_file_and_the_first_ten_labels(bench: Bench) -> None:
    result = bench.run(bench.put(sound((MUSIC, 1))))

    assert result.file.kind == "tags"
    assert result.file.work_key == "jobs/1/tags.json"
    assert result.file.output_key == "talks/monday_tags.json"
    assert result.file.media_type == "application/json"
    assert result.predictions == bench.tags(result).predictions[:10]
    assert (result.model, result.weights_sha256) == ("tones", bench.sha256)
    assert result.metrics == {"duration_s": 1.0, "windows": 3.0, "spans": 1.0}


def test_a_recording_without_sound_has_no_tags_and_loads_no_network(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "_session", None)

    result = bench.run(None)

    tags = bench.tags(result)
    empty = (tags.predictions, tags.spans, tags.labels, tags.timeline, tags.remarks)
    assert empty == ((), (), (), (), ())
    assert (tags.duration_s, result.predictions) == (0, ())


def test_silence_has_no_label_but_silence(tmp_path: Path) -> None:
    """The network hears both tones at all times; that of silence is its own."""
    bench = bench_of(tmp_path, Ears(tones={"Silence": 0, "Music": 0}, kind="always"))

    silent = bench.tags(bench.run(bench.put(np.zeros(SOUND_RATE, np.float32))))
    loud = bench.tags(bench.run(bench.put(sound((MUSIC, 1)))))

    assert [one.label for one in silent.predictions if one.score] == ["Silence"]
    assert [one.label for one in loud.predictions if one.score] == ["Music", "Silence"]


@pytest.mark.parametrize("engine", ["clip", "signal"])
@pytest.mark.parametrize("kind", ["probabilities", "logits"])
def test_networks_that_end_with_a_sigmoid_and_others_mean_the_same(
    tmp_path: Path, kind: Kind, engine: Engine
) -> None:
    bench = bench_of(tmp_path, Ears(kind=kind, engine=engine))

    tags = bench.tags(bench.run(bench.put(sound((MUSIC, 1), (0, 1)))))

    assert [label for label, _, _ in spans(tags)] == ["Music"]
    assert tags.predictions[0].score == pytest.approx(1, abs=0.02)
    assert tags.predictions[2].score < 0.01


@pytest.mark.parametrize("block", [4096, 50_000])
def test_the_file_is_read_in_ranges_and_the_result_is_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    dice = np.random.default_rng(1)
    noise = dice.normal(0, 0.05, 5 * SOUND_RATE).astype(np.float32)
    artifact = bench.put(sound((0, 1), (MUSIC, 3), (0, 1)) + noise)
    whole = bench.tags(bench.run(artifact))
    ranges: list[int] = []
    read = bench.store.read_range

    def counted(place: Location, start: int, count: int, *, etag: str) -> bytes:
        ranges.append(count)
        return read(place, start, count, etag=etag)

    monkeypatch.setattr(source_file, "BLOCK_BYTES", block)
    monkeypatch.setattr(bench.store, "read_range", counted)

    assert bench.tags(bench.run(artifact)) == whole
    assert max(ranges) == block
    assert sum(ranges) < artifact.bytes + 8 * block


def test_sound_at_the_rows_own_rate_is_not_resampled(bench: Bench) -> None:
    tags = bench.tags(bench.run(bench.put(sound((MUSIC, 2), rate=RATE), rate=RATE)))

    assert spans(tags) == [("Music", 0, 2)]


def test_scores_that_are_no_numbers_are_a_mismatch(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, Ears(kind="nan"))

    with pytest.raises(WeightsMismatch, match="tones returned NaN or infinity for a window"):
        bench.run(bench.put(sound((MUSIC, 1))))


def test_a_network_with_other_labels_is_a_mismatch(tmp_path: Path) -> None:
    ears, network = Ears(vocabulary="yamnet"), tmp_path / "tones.onnx"
    network.write_bytes(tone_network(ears))
    row = tagger_row(network, "tones", ears, declared="audioset")
    bench = Bench(tmp_path, row, network.read_bytes())

    with pytest.raises(WeightsMismatch, match="returns 1×521 scores; its row declares 1×527"):
        bench.run(bench.put(sound((MUSIC, 1))))


def test_a_call_that_has_no_time_left_says_so(bench: Bench) -> None:
    late = TaskContext(bench.context.bench, ends_at=time.monotonic() + 5)

    with pytest.raises(MediaTooLong, match="no time to tag all of its sound"):
        bench.run(bench.put(sound((MUSIC, 1))), context=late)


def test_too_little_memory_is_a_named_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise RuntimeError("bad allocation")

        def get_inputs(self) -> list[object]:
            return [type("Input", (), {"name": "sound"})]

        get_outputs = get_inputs

    monkeypatch.setattr(networks, "_session", lambda *_, **__: Full())

    with pytest.raises(OutOfMemory):
        bench.run(bench.put(sound((MUSIC, 1))))


def test_a_job_without_staged_weights_says_so(bench: Bench) -> None:
    bench.store._path(RECORD).unlink()

    with pytest.raises(WeightsNotStaged):
        bench.run(bench.put(sound((MUSIC, 1))))


def test_the_self_tests_network_is_that_of_the_tests() -> None:
    """Otherwise: `python -m tests.tagger_models`."""
    assert NETWORK.read_bytes() == tone_network(Ears())
