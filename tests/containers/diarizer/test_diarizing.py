"""Diarize, from a plan in a store to who speaks when in a store: a tone is a speaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from containers.diarizer import listening
from containers.diarizer.clustering import Speakers, find_speakers
from containers.diarizer.handler import handler
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio.flac import encode_flac
from pipeline.contracts.audio_windows import AudioPlan, Span, Window
from pipeline.contracts.speakers import Diarize, PartSpeakers, part_key
from pipeline.errors import WeightsMismatch, WeightsNotStaged
from pipeline.model_context import catalogue_of
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.diarizer.tones import CONTAINER, golden_sound, tone_files
from tests.speaker_models import RATE, Features, Output, Samples, Tone, stock_speakers, tones

MODEL = "tones"
FRAME_S = 0.05  # how exact times are

# Two speakers who overlap, a third, the first again, and a fourth.
TALK = (Tone(1, 1, 5), Tone(0, 4, 9), Tone(2, 10, 13), Tone(1, 13.5, 17), Tone(3, 18, 22))


@dataclass
class Bench:
    context: TaskContext

    @property
    def store(self) -> LocalStore:
        store = self.context.store
        assert isinstance(store, LocalStore)
        return store

    def stage(self, model: str = MODEL) -> str:
        """Write the networks to the models bucket, as the downloader would."""
        row = catalogue_of(self.context.bench, "diarizer").row(model)
        (folder,) = (path.parent for path in self.context.settings.catalogue_overlays)
        files = []
        for file in row.files:
            content = (folder / file.name).read_bytes()
            artifact = self.put("models", f"{model}/{file.name}", content)
            files.append(
                StagedFile(name=file.name, digest=file.digest, source="test", artifact=artifact)
            )
        record = StagedWeights(model=model, licence="MIT", files=tuple(files))
        self.put("models", row.weights_key, record.model_dump_json().encode())
        return row.weights_key

    def put(self, bucket: str, key: str, content: bytes) -> Artifact:
        return self.store.write(Location(bucket, key), content, media_type="")

    def lose(self, key: str) -> None:
        """Delete an object of the work bucket."""
        self.store._path(Location("work", key)).unlink()

    def plan(self, *windows: tuple[float, Samples]) -> Artifact:
        """Write windows, each with its start and its sound, and their plan."""
        planned = []
        for index, (start, sound) in enumerate(windows):
            flac = encode_flac(sound[:, None], rate=RATE)
            audio = self.put("work", f"jobs/1/speech/{index:04}.flac", flac)
            end = start + len(sound) / RATE
            span = Span(start=start, end=end)
            planned.append(Window(index=index, start=start, end=end, speech=(span,), audio=audio))
        plan = AudioPlan(duration_s=planned[-1].end, windows=tuple(planned))
        return self.put("work", "jobs/1/plan.json", plan.model_dump_json().encode())

    def run(self, plan: Artifact, **changes: object) -> PartSpeakers:
        fields = {
            "schema": 1, "job_id": "1", "execution": "e", "model": MODEL,
            "models_bucket": "models", "weights_key": self.stage(), "plan": plan, "part": 0,
            "hop_s": 1, "speakers": None, "least_speakers": None, "most_speakers": None,
            "work_bucket": "work", "work_prefix": "jobs/1",
        }  # fmt: skip
        job = Diarize.model_validate(fields | changes)
        result = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        assert result.part == job.part
        return PartSpeakers.model_validate_json(self.store.read(place(job.part)))


def place(part: int = 0) -> Location:
    return Location("work", part_key("jobs/1", model=MODEL, index=part))


def bench_with(tmp_path: Path, output: Output, features: Features) -> Bench:
    overlay = tmp_path / "catalogue.toml"
    overlay.write_text(stock_speakers(tmp_path, MODEL, output, features))
    settings = Settings(catalogue_overlays=(overlay,), scratch=tmp_path / "scratch")
    store = LocalStore(tmp_path / "store")
    return Bench(TaskContext(Workbench(root=ROOT, settings=settings, store=store)))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_with(tmp_path, "multilabel", "resemblyzer")


def spoken(part: PartSpeakers) -> list[tuple[int, float, float]]:
    return [(turn.speaker, turn.start, turn.end) for turn in part.turns]


def expect_turns(part: PartSpeakers, *expected: tuple[int, float, float]) -> None:
    found = spoken(part)
    assert [who for who, *_ in found] == [who for who, *_ in expected]
    assert [time for _, *times in found for time in times] == pytest.approx(
        [time for _, *times in expected for time in times], abs=FRAME_S
    )


@pytest.mark.parametrize("output", ["powerset", "multilabel"])
@pytest.mark.parametrize("features", ["kaldi", "resemblyzer"])
def test_speakers_overlap_come_back_and_are_numbered_as_they_appear(
    tmp_path: Path, output: Output, features: Features
) -> None:
    bench = bench_with(tmp_path, output, features)

    part = bench.run(bench.plan((100.0, tones(*TALK, seconds=24))))

    expect_turns(
        part,
        (0, 101, 105), (1, 104, 109), (2, 110, 113), (0, 113.5, 117), (3, 118, 122),
    )  # fmt: skip
    assert [one.speech_s for one in part.speakers] == pytest.approx([7.5, 5, 3, 4], abs=0.1)
    lengths = [np.linalg.norm(one.centroid) for one in part.speakers]
    assert lengths == pytest.approx([1] * 4, abs=1e-4)
    assert part.remarks == ()
    assert (part.index, part.model, part.link_below) == (0, MODEL, 0.5)
    assert part.provenance is not None
    assert part.provenance.container == "diarizer"


@pytest.mark.parametrize("hop_s", [0.25, 0.5, 2.5])
def test_looks_further_apart_hear_the_same(bench: Bench, hop_s: float) -> None:
    plan = bench.plan((0.0, tones(Tone(0, 1, 7), Tone(2, 8, 15), seconds=16)))

    expect_turns(bench.run(plan, hop_s=hop_s), (0, 1, 7), (1, 8, 15))


def test_a_speaker_of_two_windows_is_one(bench: Bench) -> None:
    plan = bench.plan(
        (10.0, tones(Tone(2, 0.5, 5), Tone(0, 6, 9.5), seconds=10)),
        (40.0, tones(Tone(0, 0.5, 3), Tone(2, 4, 8), seconds=9)),
    )

    part = bench.run(plan)

    expect_turns(part, (0, 10.5, 15), (1, 16, 19.5), (1, 40.5, 43), (0, 44, 48))


def test_windows_of_other_parts_are_not_read(bench: Bench) -> None:
    plan = bench.plan(
        (10.0, tones(Tone(2, 0.5, 5), seconds=6)), (1810.0, tones(Tone(0, 0.5, 5), seconds=6))
    )
    bench.lose("jobs/1/speech/0000.flac")

    expect_turns(bench.run(plan, part=1), (0, 1810.5, 1815))


def test_the_same_speaker_of_two_parts_can_be_linked_and_another_cannot(bench: Bench) -> None:
    plan = bench.plan(
        (10.0, tones(Tone(2, 0.5, 5), Tone(0, 6, 9), seconds=10)),
        (1810.0, tones(Tone(0, 0.5, 5), Tone(2, 6, 9), seconds=10)),
    )

    first, second = bench.run(plan, part=0), bench.run(plan, part=1)

    one, other = (np.array([each.centroid for each in part.speakers]) for part in (first, second))
    distances = 1 - one @ other.T
    assert (distances < first.link_below).tolist() == [[False, True], [True, False]]


def test_speakers_that_hear_much_alike_but_speak_at_once_are_two(bench: Bench) -> None:
    """Whoever speaks first is the loudest of the chunk: its own number says nothing."""
    plan = bench.plan((0.0, tones(Tone(0, 0, 6), Tone(1, 5, 12), Tone(0, 11, 16), seconds=16)))

    expect_turns(bench.run(plan), (0, 0, 6), (1, 5, 12), (0, 11, 16))


def test_more_speakers_than_may_be_are_joined_and_a_remark_says_so(bench: Bench) -> None:
    part = bench.run(bench.plan((0.0, tones(*TALK, seconds=24))), most_speakers=2)

    assert len(part.speakers) == 2
    assert {turn.speaker for turn in part.turns} == {0, 1}
    (remark,) = part.remarks
    assert "4 voices" in remark
    assert sum(one.speech_s for one in part.speakers) > 17  # nobody's speech is lost


def test_a_known_number_holds_for_the_only_part(bench: Bench) -> None:
    part = bench.run(bench.plan((0.0, tones(*TALK, seconds=24))), speakers=3)

    assert len(part.speakers) == 3


def test_a_known_number_is_a_limit_for_one_of_several_parts(bench: Bench) -> None:
    sound = tones(Tone(0, 0.5, 8), seconds=9)
    plan = bench.plan((0.0, sound), (1810.0, sound))

    part = bench.run(plan, speakers=2)

    assert (len(part.speakers), part.remarks) == (1, ())


def test_voices_that_cannot_be_told_apart_get_a_remark(bench: Bench) -> None:
    part = bench.run(bench.plan((0.0, tones(Tone(0, 0.5, 4), seconds=5))), least_speakers=3)

    assert len(part.speakers) == 1
    (remark,) = part.remarks
    assert remark.startswith("Only 1")


def test_the_remark_counts_only_those_who_speak(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voice may be nobody's in the end: all its frames are taken for another one's."""

    def with_nobodys_voice(*given: Any, **more: Any) -> Speakers:
        found = find_speakers(*given, **more)
        return Speakers(np.vstack([found.centroids, -found.centroids[:1]]), found.found)

    monkeypatch.setattr(listening, "find_speakers", with_nobodys_voice)

    part = bench.run(bench.plan((0.0, tones(Tone(0, 0.5, 4), seconds=5))), least_speakers=3)

    assert len(part.speakers) == 1
    assert part.remarks == ("Only 1 voices could be told apart, of at least 3 that speak.",)


def test_where_nobody_speaks_there_are_no_turns(bench: Bench) -> None:
    part = bench.run(bench.plan((0.0, tones(seconds=7)), (30.0, np.zeros(20, np.float32))))

    assert (part.turns, part.speakers, part.remarks) == ((), (), ())


def test_a_part_that_is_there_is_not_made_again(bench: Bench) -> None:
    plan = bench.plan((0.0, tones(*TALK, seconds=24)))
    first = bench.run(plan)
    bench.put("work", "jobs/1/plan.json", b"")

    assert bench.run(plan, weights_key=None) == first


def test_a_damaged_part_is_made_again(bench: Bench) -> None:
    bench.store.write(place(), b"{", media_type="")

    assert bench.run(bench.plan((0.0, tones(*TALK, seconds=24)))).turns


@pytest.mark.parametrize("changed", [{"index": 3}, {"model": "yamnet"}])
def test_another_part_under_the_key_is_made_again(bench: Bench, changed: dict[str, object]) -> None:
    plan = bench.plan((0.0, tones(*TALK, seconds=24)))
    own = bench.run(plan)
    another = own.model_copy(update={"turns": (), **changed})
    bench.store.write(place(), another.model_dump_json().encode(), media_type="")

    assert spoken(bench.run(plan)) == spoken(own)


def test_a_part_that_the_plan_has_not_is_a_fault(bench: Bench) -> None:
    with pytest.raises(ValueError, match="has no part 3"):
        bench.run(bench.plan((0.0, tones(seconds=5))), part=3)


def test_a_window_without_its_sound_is_a_fault(bench: Bench) -> None:
    plan = bench.plan((0.0, tones(*TALK, seconds=24)))
    bench.lose("jobs/1/speech/0000.flac")

    with pytest.raises(KeyError):
        bench.run(plan)
    with pytest.raises(KeyError):
        bench.store.read(place())


def test_weights_that_are_not_staged_are_named(bench: Bench) -> None:
    plan = bench.plan((0.0, tones(seconds=5)))

    with pytest.raises(WeightsNotStaged):
        bench.run(plan, weights_key=None)
    with pytest.raises(WeightsNotStaged):
        bench.run(plan, weights_key="no/such.json")


@pytest.mark.parametrize("broken", ["segmentation.onnx", "embedding.onnx"])
def test_a_network_that_returns_no_numbers_is_named(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tests.speaker_models as models

    name = broken.removesuffix(".onnx")
    build = getattr(models, name)
    monkeypatch.setattr(models, name, lambda kind: without_numbers(build(kind)))
    bench = bench_with(tmp_path, "multilabel", "resemblyzer")

    with pytest.raises(WeightsMismatch, match=rf"{broken} returned NaN"):
        bench.run(bench.plan((0.0, tones(*TALK, seconds=24))))


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take the logarithm of minus what a network returns."""
    graph = model.graph
    old = graph.output[0].name
    graph.node.append(helper.make_node("Neg", [old], ["minus"]))
    graph.node.append(helper.make_node("Abs", ["minus"], ["size"]))
    graph.node.append(helper.make_node("Neg", ["size"], ["below"]))
    graph.node.append(helper.make_node("Log", ["below"], ["no_number"]))
    graph.output[0].name = "no_number"
    assert graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    return model


def test_the_self_tests_files_are_those_that_are_built() -> None:
    for name, content in tone_files().items():
        assert (CONTAINER / "tones" / name).read_bytes() == content
    assert (CONTAINER / "golden" / "speech.flac").read_bytes() == golden_sound()
