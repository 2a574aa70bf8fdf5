"""The jobs and results of the transcript product: one frozen (job, result) pair per task.

All times are seconds from the start of the recording.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field, StringConstraints

from pipeline.artifacts import Artifact
from pipeline.contracts import transcript_words
from pipeline.contracts.contract import (
    Contract,
    Contradiction,
    Inspected,
    Job,
    MediaJob,
    Options,
    PlannedModel,
    Provenance,
    PublishedJob,
    Result,
    Source,
    no_truth_value,
)
from pipeline.contracts.sounds import MostTags
from pipeline.contracts.speakers import HopSeconds, SpeakerCount
from pipeline.contracts.transcript_files import TranscriptFile

Language = transcript_words.Language
DenoisedFormat = transcript_words.DenoisedFormat

Decibels = Annotated[float, Field(ge=0, le=100), BeforeValidator(no_truth_value)]
Concurrency = Annotated[int, Field(ge=1, le=40), BeforeValidator(no_truth_value)]
OwnWords = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]

_DETAILS: Final = (
    (
        "denoise",
        "only a denoised recording has it",
        ("attenuation_db", "denoised_format", "transcribe_denoised"),
    ),
    (
        "diarize",
        "only diarize tells speakers apart",
        (
            *("speaker_model", "speakers", "least_speakers", "most_speakers"),
            *("hop_s", "name_speakers"),
        ),
    ),
    ("tags", "only tags names sounds", ("tag_model", "most_tags")),
)


class TranscriptOptions(Options):
    """The options of a transcript.

    `language` is that of the whole recording; without it, each window's is detected. `prompt` has
    names and words that occur in the recording, to have them spelled right. `translate` writes
    English. `align` is a model that times words again. `attenuation_db` is the most that denoising
    takes away; 100 takes all noise. `concurrency` is how many windows are transcribed, and how many
    parts diarized, at a time.

    `diarize` tells speakers apart, with the model `speaker_model`; `speakers` is their number, or
    `least_speakers` and `most_speakers` are its limits, if known. `hop_s` is the time from one
    chunk of sound to the next (seconds). `name_speakers` also writes names into SubRip and text.
    `tags` names the sounds, with the model `tag_model`; `most_tags` is how many labels are listed
    for the whole recording.
    """

    without_effect: ClassVar[frozenset[str]] = frozenset({"compute", "concurrency"})

    model: str
    language: Language | None = None
    translate: bool = False
    prompt: OwnWords | None = None
    align: str | None = None
    denoise: bool = False
    attenuation_db: Decibels = 100
    denoised_format: DenoisedFormat = "flac"
    transcribe_denoised: bool = False
    diarize: bool = False
    speaker_model: str | None = None
    speakers: SpeakerCount | None = None
    least_speakers: SpeakerCount | None = None
    most_speakers: SpeakerCount | None = None
    hop_s: HopSeconds = 1
    name_speakers: bool = False
    tags: bool = False
    tag_model: str | None = None
    most_tags: MostTags = 10
    concurrency: Concurrency = 5

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the contradictions among these options."""
        for asked, why, details in _DETAILS:
            if not getattr(self, asked):
                fields = type(self).model_fields
                for name in details:
                    if getattr(self, name) != fields[name].default:
                        yield Contradiction(name, asked, why)
        yield from self._contradictions_of_counts()

    def _contradictions_of_counts(self) -> Iterator[Contradiction]:
        if self.speakers is not None:
            for limit in ("least_speakers", "most_speakers"):
                if getattr(self, limit) is not None:
                    yield Contradiction(limit, "speakers", "a known number needs no limits")
        least, most = self.least_speakers, self.most_speakers
        if least is not None and most is not None and least > most:
            yield Contradiction(
                "least_speakers",
                "most_speakers",
                "the first is greater than the second",
                impossible=True,
            )


class SourceRecording(Source):
    """The recording as it was inspected. `format` is the demuxer that its first bytes ask for."""

    format: str


class TranscriptJob(MediaJob):
    """The job of one recording in the transcript state machine."""

    source: SourceRecording
    options: TranscriptOptions


class TranscriptPlan(Contract):
    """`voice` finds speech, `speech` transcribes it; the others are null unless asked for."""

    voice: PlannedModel
    speech: PlannedModel
    align: PlannedModel | None
    denoise: PlannedModel | None
    speakers: PlannedModel | None
    sounds: PlannedModel | None


class TranscriptInspected(Inspected):
    job: TranscriptJob
    plan: TranscriptPlan


class Recording(Contract):
    """What was decoded of a recording: its codec as FFmpeg calls it, samples a second, channels.

    A film without sound has no codec, and a duration of 0. `remarks` are sentences on what was
    damaged, such as a header that states another duration.
    """

    codec: str | None
    rate: int
    channels: int
    duration_s: float
    remarks: tuple[str, ...] = ()


class ReadAudio(Job):
    """Decode a recording once, find speech, and write each window's audio to the work bucket.

    With `keep_recorded`, also write the recording at its own rate, with its own channels. With
    `keep_sound`, also write it at `SOUND_RATE`, with one channel.
    """

    job_id: str
    execution: str
    source: SourceRecording
    model: str
    models_bucket: str
    weights_key: str | None
    keep_recorded: bool
    keep_sound: bool
    work_bucket: str
    work_prefix: str


class AudioRead(Result):
    """`plan` is an `AudioPlan` in JSON; `windows` and `parts` are the indices in it.

    `recorded` and `sound` are the whole recording as FLAC, or null if it was not asked for or has
    no sound.
    """

    recording: Recording
    speech_s: float
    plan: Artifact
    windows: tuple[int, ...]
    parts: tuple[int, ...]
    recorded: Artifact | None
    sound: Artifact | None


class Denoise(Job):
    """Remove noise from a recording.

    With `rewrite_windows`, also write the audio of every window of `plan` again, without noise.
    """

    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    recorded: Artifact
    attenuation_db: float
    format: DenoisedFormat
    plan: Artifact
    rewrite_windows: bool
    work_bucket: str
    work_prefix: str
    output_stem: str


class AudioDenoised(Result):
    """`plan` is that of the denoised windows, or the job's own.

    `local_snr_db` is the mean over frames of the network's own estimate of speech to noise.
    """

    file: TranscriptFile
    plan: Artifact
    local_snr_db: float
    model: str
    weights_sha256: str


class Word(Contract):
    """A word with the spaces and punctuation that it is written with.

    `score` is its probability (0…1). `aligned` is false if its times are estimated from its
    neighbours'.
    """

    text: str
    start: float
    end: float
    score: float
    aligned: bool


class Segment(Contract):
    """A sentence or a part of one, in one language (ISO 639-1; `en` if it was translated)."""

    start: float
    end: float
    text: str
    language: str
    words: tuple[Word, ...]


class WindowTranscript(Contract):
    """What was said in one window: the content of the object at its `window_key`.

    `languages` are those spoken, each with its probability (0…1). `coverage` is the share of the
    window's speech, by time, that segments cover. `remarks` are sentences on what was doubtful.
    """

    index: int
    segments: tuple[Segment, ...]
    languages: dict[str, float]
    coverage: float
    remarks: tuple[str, ...] = ()
    model: str
    weights_sha256: str
    metrics: dict[str, float]
    provenance: Provenance | None


class Transcribe(Job):
    """Write down what is said in one window of `plan`."""

    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    plan: Artifact
    window: int
    language: Language | None
    translate: bool
    prompt: OwnWords | None
    work_bucket: str
    work_prefix: str


class Transcribed(Result):
    """The window is in the work bucket; an execution's state has room for its index only."""

    window: int


class AlignWords(Job):
    """Time the words of one window again, from its `speech_model`'s transcript and its audio."""

    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    plan: Artifact
    window: int
    speech_model: str
    work_bucket: str
    work_prefix: str


class WordsAligned(Result):
    window: int


class WriteTranscript(PublishedJob):
    """Join the windows into one transcript, and write it in every format.

    With `speaker_model`, every word gets its speaker. `speakers`, `least_speakers` and
    `most_speakers` are as in the options. `name_speakers` writes names into SubRip and plain text.
    `denoised` and `tags` are published with the transcript's own files.
    """

    job_id: str
    execution: str
    source: SourceRecording
    recording: Recording
    plan: Artifact
    speech_model: str
    align_model: str | None
    speaker_model: str | None
    speakers: SpeakerCount | None
    least_speakers: SpeakerCount | None
    most_speakers: SpeakerCount | None
    name_speakers: bool
    denoised: TranscriptFile | None
    tags: TranscriptFile | None
    work_bucket: str
    work_prefix: str
    output_stem: str


class WindowsDone(Contract):
    """The work on all windows, or on all parts: metrics are sums over them."""

    windows: int
    metrics: dict[str, float]
    provenance: tuple[Provenance, ...]


class TranscriptWritten(Result):
    """`languages` are those spoken, the one with most words first. `coverage`: see a window's.

    `speakers` has the speakers' names in order of appearance, with the seconds that each speaks;
    null if they were not told apart. `diarized` sums up their parts.
    """

    files: tuple[TranscriptFile, ...]
    languages: tuple[str, ...]
    words: int
    coverage: float
    weights_sha256: str | None
    remarks: tuple[str, ...]
    windows: WindowsDone
    speakers: dict[str, float] | None
    diarized: WindowsDone | None


class WindowMissing(LookupError):
    """A window's transcript is missing, damaged or another's: a fault of the platform.

    It is none of the pipeline's named errors, so it stays uncaught, and nothing is published. A
    redrive starts after `Transcribe`; only a replay of the job makes the window again.
    """


def window_key(work_prefix: str, *, speech_model: str, align_model: str | None, index: int) -> str:
    """Return the key of a window's `WindowTranscript`, in the work bucket.

    A window that is there was made by these models for this execution, and is not made again.
    """
    models = f"{speech_model}+{align_model}" if align_model else speech_model
    return f"{work_prefix}/windows/{models}/{index:04}.json"
