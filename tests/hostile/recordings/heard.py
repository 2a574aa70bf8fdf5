"""Read, diarize, tag and write a hostile recording, with small networks: a tone is a speaker.

In place of words, somebody says "so" every half a second wherever a window has speech.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from containers.audio_reader.jobs import read_audio
from containers.audio_tagger.document import Tags
from containers.audio_tagger.tagging import tag_audio
from containers.diarizer.diarizing import diarize
from containers.transcript_writer.writing import write_transcript
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.audio.flac import encode_flac
from pipeline.contracts.audio_windows import AudioPlan, Span, Window
from pipeline.contracts.contract import Job
from pipeline.contracts.sounds import TagAudio
from pipeline.contracts.speakers import Diarize, PartSpeakers, part_key, parts_of
from pipeline.contracts.transcript import (
    AudioRead,
    ReadAudio,
    Recording,
    Segment,
    SourceRecording,
    TranscriptWritten,
    WindowTranscript,
    Word,
    WriteTranscript,
    window_key,
)
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.speaker_models import RATE, Samples, stock_speakers
from tests.tagger_models import stock_tagger
from tests.voice_models import stock_voice, voice_row

VOICE: Final = "loudness"
SPEAKERS: Final = "tones"
SOUNDS: Final = "sirens"
_PREFIX: Final = "jobs/1"
_WORD_S: Final = 0.5
_COMMON: Final = {"schema": 1, "job_id": "1", "execution": "e"}
_AnyJob = TypeVar("_AnyJob", bound=Job)
_WORK: Final = {"work_bucket": "work", "work_prefix": _PREFIX}


@dataclass(frozen=True)
class Told:
    """What came of a recording: its plan, the parts, and the files that would be published."""

    plan: AudioPlan
    parts: tuple[PartSpeakers, ...]
    tags: Tags | None
    written: TranscriptWritten
    files: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.files["transcript"])


class Studio:
    """A store with all that the tasks need, and a catalogue of three small networks."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder / "store")
        overlay = folder / "catalogue.toml"
        voice = stock_voice(folder)
        rows = (
            voice_row(voice, VOICE),
            stock_speakers(folder, SPEAKERS),
            stock_tagger(folder, SOUNDS),
        )
        overlay.write_text("\n".join(rows))
        settings = Settings(catalogue_overlays=(overlay,), scratch=folder / "scratch")
        self.context = TaskContext(Workbench(root=ROOT, settings=settings, store=self.store))
        networks = sorted(folder.glob("tones.*.onnx"), reverse=True)
        self._models = {
            VOICE: self._stage(VOICE, voice),
            SPEAKERS: self._stage(SPEAKERS, *networks),
            SOUNDS: self._stage(SOUNDS, folder / "tones.onnx"),
        }

    def hear(self, recording: bytes, **options: Any) -> Told:
        """Read a recording, and all that follows. Raises what the tasks raise."""
        stored = self.put("ingest", "talk.wav", recording)
        etag = self.store.stat(Location("ingest", "talk.wav")).etag
        source = SourceRecording(
            bucket="ingest", key="talk.wav", version_id=None, etag=etag, sha256=stored.sha256,
            bytes=stored.bytes, media_type="audio/wav", format="wav",
        )  # fmt: skip
        read = read_audio(
            self._job(
                ReadAudio, VOICE, source=source, keep_recorded=False, keep_sound=True, **_WORK
            ),
            self.context,
        )
        return self._tell(read, source, **options)

    def hear_windows(self, *windows: tuple[float, Samples], **options: Any) -> Told:
        """Take these windows, each with its start and its sound, for those of a recording."""
        planned = []
        for index, (start, sound) in enumerate(windows):
            flac = encode_flac(sound[:, None], rate=RATE)
            audio = self.put("work", f"{_PREFIX}/speech/{index:04}.flac", flac)
            end = start + len(sound) / RATE
            span = Span(start=start, end=end)
            planned.append(Window(index=index, start=start, end=end, speech=(span,), audio=audio))
        plan = AudioPlan(duration_s=planned[-1].end, windows=tuple(planned))
        read = AudioRead(
            recording=Recording(codec="flac", rate=RATE, channels=1, duration_s=plan.duration_s),
            speech_s=0, plan=self.put("work", f"{_PREFIX}/plan.json", _content(plan)),
            windows=tuple(each.index for each in planned), parts=tuple(parts_of(planned)),
            recorded=None, sound=None,
        )  # fmt: skip
        source = SourceRecording(
            bucket="ingest", key="talk.wav", version_id=None, etag="", sha256="0" * 64, bytes=1,
            media_type="audio/wav", format="wav",
        )  # fmt: skip
        return self._tell(read, source, **options)

    def put(self, bucket: str, key: str, content: bytes) -> Artifact:
        return self.store.write(Location(bucket, key), content, media_type="")

    def _tell(
        self,
        read: AudioRead,
        source: SourceRecording,
        *,
        hop_s: float = 1,
        most_tags: int = 10,
        **limits: int,
    ) -> Told:
        counts = {"speakers": None, "least_speakers": None, "most_speakers": None, **limits}
        plan = AudioPlan.model_validate_json(self.store.read(Location.parse(read.plan.uri)))
        for part in read.parts:
            diarize(
                self._job(
                    Diarize, SPEAKERS, plan=read.plan, part=part, hop_s=hop_s, **counts, **_WORK
                ),
                self.context,
            )
        tagging = self._job(
            TagAudio, SOUNDS, sound=read.sound, most_tags=most_tags, output_stem="talk", **_WORK
        )
        tagged = tag_audio(tagging, self.context)
        for window in plan.windows:
            self._say(window)
        job = WriteTranscript.model_validate(
            {
                **_COMMON, **_WORK, **counts, "source": source, "recording": read.recording,
                "plan": read.plan, "speech_model": "w", "align_model": None,
                "speaker_model": SPEAKERS, "name_speakers": True, "denoised": None,
                "tags": tagged.file, "output_stem": "talk",
            }
        )  # fmt: skip
        written = write_transcript(job, self.context)
        return Told(
            plan=plan,
            parts=tuple(self._part(index) for index in read.parts),
            tags=Tags.model_validate_json(self._read(tagged.file.artifact)),
            written=written,
            files={file.kind: self._read(file.artifact).decode() for file in written.files},
        )

    def _say(self, window: Window) -> None:
        words = tuple(_words(window.speech))
        segment = Segment(
            start=window.start, end=window.end, language="en", words=words,
            text="".join(word.text for word in words).strip(),
        )  # fmt: skip
        said = WindowTranscript(
            index=window.index, segments=(segment,), languages={"en": 1.0}, coverage=1.0,
            model="w", weights_sha256="0" * 64, metrics={}, provenance=None,
        )  # fmt: skip
        key = window_key(_PREFIX, speech_model="w", align_model=None, index=window.index)
        self.put("work", key, _content(said))

    def _part(self, index: int) -> PartSpeakers:
        key = part_key(_PREFIX, model=SPEAKERS, index=index)
        return PartSpeakers.model_validate_json(self.store.read(Location("work", key)))

    def _read(self, artifact: Artifact) -> bytes:
        return self.store.read(Location.parse(artifact.uri))

    def _job(self, kind: type[_AnyJob], model: str, **fields: Any) -> _AnyJob:
        common = {**_COMMON, "model": model, "models_bucket": "models"}
        return kind.model_validate({**common, "weights_key": self._models[model], **fields})

    def _stage(self, model: str, *networks: Path) -> str:
        files = []
        for path in networks:
            artifact = self.put("models", f"{model}/{path.name}", path.read_bytes())
            digest = f"sha256:{artifact.sha256}"
            files.append(
                StagedFile(name=path.name, digest=digest, source="test", artifact=artifact)
            )
        record = StagedWeights(model=model, licence="MIT", files=tuple(files))
        self.put("models", f"{model}.json", record.model_dump_json().encode())
        return f"{model}.json"


def _words(speech: Sequence[Span]) -> Iterator[Word]:
    for span in speech:
        starts = np.arange(span.start, span.end, _WORD_S)
        for start in map(float, starts):
            end = min(start + _WORD_S, span.end)
            yield Word(text=" so", start=start, end=end, score=0.5, aligned=True)


def _content(contract: AudioPlan | WindowTranscript) -> bytes:
    return contract.model_dump_json().encode()
