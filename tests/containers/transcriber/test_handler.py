"""Transcribe and AlignWords, from a plan in a store to a window in a store, with small networks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.transcriber.handler import handler
from containers.transcriber.selftest import WORDS, row_of, stage
from containers.transcriber.small_whisper import build_whisper
from containers.transcriber.whisper import open_whisper
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio.flac import encode_flac
from pipeline.contracts.audio_windows import AudioPlan, Window
from pipeline.contracts.transcript import (
    AlignWords,
    Transcribe,
    WindowMissing,
    WindowTranscript,
    window_key,
)
from pipeline.errors import UnsupportedLanguage, WeightsMismatch, WeightsNotStaged
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.transcriber.fakes import sound, span

MULTILINGUAL = "many"
ENGLISH_ONLY = "english"
ALIGNER = "aligner"
START = 600.0
SPEECH = span(START + 0.2, START + 4.0)


@dataclass
class Bench:
    context: TaskContext
    plan: Artifact
    keys: dict[str, str]

    def job(self, model: str = MULTILINGUAL, **changes: object) -> Transcribe:
        fields = {
            "schema": 1, "job_id": "1", "execution": "e", "model": model,
            "models_bucket": "models", "weights_key": self.keys.get(model), "plan": self.plan,
            "window": 7, "language": None, "translate": False, "prompt": None,
            "work_bucket": "work", "work_prefix": "jobs/1",
        }  # fmt: skip
        return Transcribe.model_validate(fields | changes)

    def align(self, **changes: object) -> AlignWords:
        fields = {
            "schema": 1, "job_id": "1", "execution": "e", "model": ALIGNER,
            "models_bucket": "models", "weights_key": self.keys[ALIGNER], "plan": self.plan,
            "window": 7, "speech_model": MULTILINGUAL, "work_bucket": "work",
            "work_prefix": "jobs/1",
        }  # fmt: skip
        return AlignWords.model_validate(fields | changes)

    def run(self, job: Transcribe | AlignWords) -> WindowTranscript:
        result = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        assert result.window == 7
        return self.written(job)

    def written(self, job: Transcribe | AlignWords) -> WindowTranscript:
        content = self.context.store.read(Location("work", key_of(job)))
        return WindowTranscript.model_validate_json(content)


def key_of(job: Transcribe | AlignWords) -> str:
    if isinstance(job, AlignWords):
        return window_key("jobs/1", speech_model=job.speech_model, align_model=job.model, index=7)
    return window_key("jobs/1", speech_model=job.model, align_model=None, index=7)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models, each in one of its own."""
    folder = tmp_path_factory.mktemp("models")
    build_whisper(folder / MULTILINGUAL, WORDS, language="de")
    build_whisper(folder / ENGLISH_ONLY, WORDS, language=None)
    (folder / ALIGNER).mkdir()
    onnx.save(listening_for_nothing(), folder / ALIGNER / "model.onnx")
    return folder


def listening_for_nothing() -> onnx.ModelProto:
    """Eight characters every 320 samples, all as likely as the level of the sound."""
    weights = numpy_helper.from_array(np.zeros((8, 1, 320), np.float32), "weights")
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["input_values", "axis"], ["channels"]),
            helper.make_node("Conv", ["channels", "weights"], ["columns"], strides=[320]),
            helper.make_node("Transpose", ["columns"], ["logits"], perm=[0, 2, 1]),
        ],
        "aligner",
        [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, ["b", "n"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", "steps", 8])],
        [weights, numpy_helper.from_array(np.array([1], np.int64), "axis")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


@pytest.fixture
def bench(models: Path, tmp_path: Path) -> Bench:
    store = LocalStore(tmp_path / "store")
    overlay = tmp_path / "catalogue.toml"
    rows = [row_of(models / name, name) for name in (MULTILINGUAL, ENGLISH_ONLY)]
    network = (models / ALIGNER / "model.onnx").read_bytes()
    overlay.write_text("\n".join([*rows, aligner_row(network)]))
    keys = {name: stage(models / name, store, name) for name in (MULTILINGUAL, ENGLISH_ONLY)}
    keys[ALIGNER] = stage_network(store, network)
    settings = Settings(catalogue_overlays=(overlay,), scratch=tmp_path / "scratch")
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))
    open_whisper.cache_clear()
    return Bench(context, plan_in(store), keys)


def aligner_row(network: bytes) -> str:
    return f"""
[[models]]
name = "{ALIGNER}"
container = "transcriber"
summary = "For tests."
engine = "ctc"
licence = "MIT"
commercial = true
memory_mb = 512
ctc = {{ language = "de", alphabet = "\\u0001|ONETW.", blank = 0, space = "|", step = 320 }}
[[models.files]]
name = "model.onnx"
digest = "sha256:{hashlib.sha256(network).hexdigest()}"
"""


def stage_network(store: LocalStore, network: bytes) -> str:
    artifact = store.write(Location("models", "aligner/model.onnx"), network, media_type="")
    file = StagedFile(
        name="model.onnx", digest=f"sha256:{artifact.sha256}", source="test", artifact=artifact
    )
    record = StagedWeights(model=ALIGNER, licence="MIT", files=(file,)).model_dump_json()
    store.write(Location("models", "aligner/manifest.json"), record.encode(), media_type="")
    return "aligner/manifest.json"


def plan_in(store: LocalStore) -> Artifact:
    samples = sound(SPEECH, start=START, end=START + 5).samples
    audio = store.write(
        Location("work", "jobs/1/speech/0007.flac"),
        encode_flac(samples[:, None], rate=16_000),
        media_type="audio/flac",
    )
    window = Window(index=7, start=START, end=START + 5, speech=(SPEECH,), audio=audio)
    plan = AudioPlan(duration_s=START + 5, windows=(window,)).model_dump_json()
    return store.write(Location("work", "jobs/1/plan.json"), plan.encode(), media_type="")


def test_a_window_is_written_with_times_for_every_word(bench: Bench) -> None:
    found = bench.run(bench.job())

    assert [segment.text for segment in found.segments] == [
        "One, two, three.", "Testing the transcriber.",
    ]  # fmt: skip
    words = [word for segment in found.segments for word in segment.words]
    assert all(SPEECH.start <= word.start < word.end <= SPEECH.end for word in words)
    assert [word.aligned for word in words] == [True] * 6
    assert {segment.language for segment in found.segments} == {"de"}
    assert found.languages == {"de": 1.0}
    assert (found.index, found.model) == (7, MULTILINGUAL)
    assert found.metrics["encoder_passes"] == 1
    assert found.provenance is not None
    assert found.provenance.container == "transcriber"


def test_a_window_that_is_there_is_not_made_again(bench: Bench) -> None:
    first = bench.run(bench.job())
    bench.context.store.write(Location("work", "jobs/1/plan.json"), b"", media_type="")

    assert bench.run(bench.job(weights_key=None)) == first


def test_a_damaged_window_is_made_again(bench: Bench) -> None:
    bench.context.store.write(Location("work", key_of(bench.job())), b"{}", media_type="")

    assert bench.run(bench.job()).segments


def test_weights_that_are_not_staged_are_named(bench: Bench) -> None:
    with pytest.raises(WeightsNotStaged):
        bench.run(bench.job(weights_key=None))
    with pytest.raises(WeightsNotStaged):
        bench.run(bench.job(weights_key="no/such.json"))


def test_a_file_that_is_no_model_is_named(bench: Bench) -> None:
    place = Location("models", f"{MULTILINGUAL}/config.json")
    bench.context.store.write(place, b"not a configuration", media_type="")

    with pytest.raises(WeightsMismatch):
        bench.run(bench.job())


def test_a_language_the_model_does_not_know_is_refused_before_it_listens(bench: Bench) -> None:
    with pytest.raises(UnsupportedLanguage, match="yue"):
        bench.run(bench.job(language="yue"))
    with pytest.raises(UnsupportedLanguage, match="English only"):
        bench.run(bench.job(ENGLISH_ONLY, language="de"))


def test_a_model_of_english_alone_writes_english(bench: Bench) -> None:
    found = bench.run(bench.job(ENGLISH_ONLY, language="en"))

    assert found.languages == {"en": 1.0}
    assert len(found.segments) == 2


def test_a_model_that_does_not_translate_says_so(bench: Bench, tmp_path: Path) -> None:
    overlay = tmp_path / "catalogue.toml"
    overlay.write_text(overlay.read_text().replace("translates = true", "translates = false"))

    with pytest.raises(UnsupportedLanguage, match="translate"):
        bench.run(bench.job(translate=True))


def test_words_are_timed_again_and_the_text_stays(bench: Bench) -> None:
    before = bench.run(bench.job())

    after = bench.run(bench.align())

    assert [each.text for each in after.segments] == [each.text for each in before.segments]
    assert before == bench.written(bench.job())
    aligned = [word.aligned for segment in after.segments for word in segment.words]
    assert aligned == [True, True, False, False, False, False]  # it can spell "one" and "two"
    assert after.languages == before.languages


def test_a_window_that_was_timed_is_not_timed_again(bench: Bench) -> None:
    bench.run(bench.job())
    first = bench.run(bench.align())

    assert bench.run(bench.align(weights_key=None)) == first


def test_a_window_that_has_expired_is_named(bench: Bench) -> None:
    with pytest.raises(WindowMissing, match=r"window 7 .* s3://.*/0007\.json is missing"):
        bench.run(bench.align())


def test_a_damaged_window_is_not_aligned_and_its_words_are_not_logged(bench: Bench) -> None:
    said = bench.run(bench.job()).model_dump_json().encode()
    bench.context.store.write(Location("work", key_of(bench.job())), said[:-9], media_type="")

    with pytest.raises(WindowMissing, match=r"/0007\.json is damaged; replay the job$"):
        bench.run(bench.align())


def test_a_window_under_the_key_of_another_is_not_aligned(bench: Bench) -> None:
    said = bench.run(bench.job()).model_copy(update={"index": 8})
    place = Location("work", key_of(bench.job()))
    bench.context.store.write(place, said.model_dump_json().encode(), media_type="")

    with pytest.raises(WindowMissing, match="has window 8, not 7"):
        bench.run(bench.align())
