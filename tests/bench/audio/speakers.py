"""The diarizer on recordings of which it is known who speaks when: errors, time and memory.

The recordings are pyannote's sample, and dialogues made of voices that can be told apart, real ones
and espeak-ng's. Each goes through the audio reader and the diarizer, in processes of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from containers.transcript_writer.linking import Voice as PartVoice
from containers.transcript_writer.linking import link
from pipeline.artifacts import Artifact, Location
from pipeline.audio.flac import encode_flac
from pipeline.audio.samples import Samples
from pipeline.cli.report import console
from pipeline.contracts.audio_windows import AudioPlan, Span, Window
from pipeline.contracts.speakers import PART_S, Diarize, PartSpeakers, part_key
from pipeline.contracts.transcript import ReadAudio, SourceRecording
from pipeline.declared.catalogue import load_catalogue
from pipeline.weights.local_weights import checksums
from tests.bench.audio.der import errors
from tests.bench.audio.dialogues import dialogue
from tests.bench.audio.recordings import TWO_SPEAKERS, kept_weights, recording, samples
from tests.bench.audio.rttm import Turn, read_rttm
from tests.bench.audio.voices import RATE, espeak_voices, real_voices
from tests.bench.figures import Figures, Missing
from tests.bench.one_task import StreamingStore
from tests.bench.tasks import in_process, stage
from tests.conftest import ROOT

MODEL: Final = "pyannote-2022-ge2e"
_VOICE: Final = "silero-vad"
_REAL: Final = (
    ("kennedy", "speaker91"),
    ("kennedy", "reader", "speaker90"),
    ("reader", "speaker90", "speaker91"),
)
_ESPEAK: Final = (("m3", "f4"), ("m1", "f2"), ("m7", "f5"), ("m2", "f3", "m8"))
_DIALOGUE_S: Final = 60
_CUT_S: Final = 18
_COLLAR_S: Final = 0.25
_MOST_DER: Final = 10
_MOST_MORE: Final = 3  # points that a recording in two parts may have more
_MOST_CPU: Final = 0.06  # CPU-seconds for a second of audio
_MINUTES: Final = (5, 15, 30)  # the last is the longest part of a recording
_MOST_MB: Final = 600
_WHOSE: Final = {
    "schema_version": 1, "job_id": "1", "execution": "e", "models_bucket": "models",
    "work_bucket": "work",
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """A recording, (n,) at 16 kHz, and who speaks when in it."""

    name: str
    samples: Samples
    turns: Sequence[Turn]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def people(self) -> int:
        return len({turn.speaker for turn in self.turns})


@dataclass(frozen=True)
class Diarized:
    """The turns that were found, and what it took to find them, networks loaded."""

    turns: Sequence[Turn]
    cpu_s: float
    peak_mb: float

    @property
    def people(self) -> int:
        return len({turn.speaker for turn in self.turns})


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        desk = Desk(Path(name))
        _errors(desk)
        _cost(desk)


def clips() -> list[Clip]:
    """Return the sample and all dialogues; those without espeak-ng, where it is missing."""
    turns = read_rttm(recording(TWO_SPEAKERS).with_suffix(".rttm").read_text())
    found = [Clip(TWO_SPEAKERS, samples(TWO_SPEAKERS, RATE), turns)]
    people = {voice.name: voice for voice in real_voices()}
    casts = [[people[name] for name in names] for names in _REAL]
    try:
        casts += [list(espeak_voices(names)) for names in _ESPEAK]
    except Missing as why:
        console().print(f"speakers: real voices only: {why}")
    for seed, cast in enumerate(casts):
        made = dialogue(cast, seconds=_DIALOGUE_S, seed=seed)
        name = ", ".join(voice.name for voice in cast)
        found.append(Clip(name, made.samples, made.turns))
    return found


class Desk:
    """A folder with staged weights, on whose store recordings are read and diarized."""

    def __init__(self, folder: Path) -> None:
        for model in (_VOICE, MODEL):
            kept_weights(model)
        self.folder, self.store = folder, StreamingStore(folder / "store")
        stage(self.store, folder, (_VOICE, MODEL))

    def diarize(self, clip: Clip, *, hop_s: float = 1) -> Diarized:
        """Diarize a recording of one part, as the reader cuts it into windows."""
        content = encode_flac(clip.samples[:, None], rate=RATE)
        place = Location("ingest", f"{clip.name}.flac")
        artifact = self.store.write(place, content, media_type="audio/flac")
        path = self.folder / "made.flac"
        path.write_bytes(content)
        reading = ReadAudio(
            **_WHOSE, work_prefix=clip.name, model=_VOICE, weights_key=_weights_key(_VOICE),
            keep_recorded=False, keep_sound=False,
            source=SourceRecording(
                bucket=place.bucket, key=place.key, version_id=None,
                etag=self.store.stat(place).etag, sha256=checksums(path)["sha256"],
                bytes=artifact.bytes, media_type="audio/flac", format="flac",
            ),
        )  # fmt: skip
        plan = in_process("audio_reader", reading, self.folder)["result"]["plan"]
        part, told = self._part(clip.name, Artifact.model_validate(plan), 0, hop_s)
        return Diarized(_named(part, range(len(part.speakers))), told["cpu_s"], told["peak_mb"])

    def diarize_cut(self, clip: Clip, *, at_s: float) -> Diarized:
        """Diarize a recording in two parts of one window each, and link their speakers.

        The second window starts where its part of a long recording would.
        """
        cut = round(at_s * RATE)
        pieces = (clip.samples[:cut], clip.samples[cut:])
        windows = tuple(
            self._window(clip.name, index, piece, index * PART_S)
            for index, piece in enumerate(pieces)
        )
        plan = AudioPlan(duration_s=2 * PART_S, windows=windows)
        place = Location("work", f"{clip.name} in two/plan.json")
        content = plan.model_dump_json().encode()
        artifact = self.store.write(place, content, media_type="application/json")
        parts, told = zip(
            *(self._part(f"{clip.name} in two", artifact, index, 1) for index in (0, 1)),
            strict=True,
        )
        people = link(
            [
                PartVoice(part.index, speaker.centroid, speaker.speech_s)
                for part in parts
                for speaker in part.speakers
            ],
            below=parts[0].link_below, least=1, most=None,
        )  # fmt: skip
        first = len(parts[0].speakers)
        later = at_s - PART_S
        turns = [
            *_named(parts[0], people[:first]),
            *(
                Turn(start + later, end + later, speaker)
                for start, end, speaker in _named(parts[1], people[first:])
            ),
        ]
        return Diarized(
            turns, sum(each["cpu_s"] for each in told), max(each["peak_mb"] for each in told)
        )

    def _window(self, name: str, index: int, piece: Samples, start: float) -> Window:
        place = Location("work", f"{name} in two/speech/{index:04}.flac")
        content = encode_flac(piece[:, None], rate=RATE)
        end = start + len(piece) / RATE
        return Window(
            index=index, start=start, end=end, speech=(Span(start=start, end=end),),
            audio=self.store.write(place, content, media_type="audio/flac"),
        )  # fmt: skip

    def _part(
        self, prefix: str, plan: Artifact, part: int, hop_s: float
    ) -> tuple[PartSpeakers, dict[str, Any]]:
        job = Diarize(
            **_WHOSE, work_prefix=prefix, model=MODEL, weights_key=_weights_key(MODEL), plan=plan,
            part=part, hop_s=hop_s, speakers=None, least_speakers=None, most_speakers=None,
        )  # fmt: skip
        told = in_process("diarizer", job, self.folder)
        place = Location("work", part_key(prefix, model=MODEL, index=part))
        return PartSpeakers.model_validate_json(self.store.read(place)), told


def _errors(desk: Desk) -> None:
    figures = Figures("Diarization errors, % of speech, nobody told how many speak")
    for clip in clips():
        found = desk.diarize(clip)
        whole = rate(clip, found)
        figures.at_most(clip.name, whole, _MOST_DER, form=".1f")
        figures.add("  with a collar of 0.25 s", f"{rate(clip, found, collar_s=_COLLAR_S):.1f}")
        wrong = abs(found.people - clip.people)
        figures.at_most("  speakers more or less than there are", wrong, 0, form=".0f")
        if clip.name == TWO_SPEAKERS:
            more = rate(clip, desk.diarize_cut(clip, at_s=_CUT_S)) - whole
            name = f"  in two parts, cut at {_CUT_S} s and linked: points more"
            figures.at_most(name, more, _MOST_MORE, form=".1f")
    figures.show()


def _cost(desk: Desk) -> None:
    """Measure the parts of a recording: no task reads more at once than one part."""
    figures = Figures("Diarizer, one thread, networks loaded")
    people = real_voices()
    for minutes in _MINUTES:
        made = dialogue(people, seconds=minutes * 60, seed=minutes)
        clip = Clip(f"{minutes} minutes", made.samples[: minutes * 60 * RATE], made.turns)
        found = desk.diarize(clip)
        figures.add(f"{clip.name}: errors, %", f"{rate(clip, found):.1f}")
        figures.add("  speakers, of those who speak", f"{found.people} of {clip.people}")
        figures.at_most("  peak, MB", found.peak_mb, _MOST_MB, form=".0f")
        per_second = found.cpu_s / clip.seconds
        figures.at_most("  CPU-seconds a second of audio", per_second, _MOST_CPU, form=".4f")
    figures.show()


def rate(clip: Clip, found: Diarized, *, collar_s: float = 0) -> float:
    """Return the diarization error rate in percent."""
    return errors(clip.turns, found.turns, collar_s=collar_s).rate


def _named(part: PartSpeakers, people: Sequence[int]) -> list[Turn]:
    return [Turn(each.start, each.end, str(people[each.speaker])) for each in part.turns]


def _weights_key(model: str) -> str | None:
    return load_catalogue(ROOT).row(model).weights_key
