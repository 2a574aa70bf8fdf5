"""Each task of the transcript machine, and the staging of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from containers.model_downloader.handler import handler as stage_weights
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts.audio_windows import AudioPlan, Span, Window
from pipeline.contracts.contract import Provenance
from pipeline.contracts.sounds import AudioTagged, Prediction, TagAudio
from pipeline.contracts.speakers import (
    Diarize,
    Diarized,
    PartSpeaker,
    PartSpeakers,
    Turn,
    part_key,
    parts_of,
)
from pipeline.contracts.transcript import (
    AlignWords,
    AudioDenoised,
    AudioRead,
    Denoise,
    ReadAudio,
    Recording,
    Segment,
    Transcribe,
    Transcribed,
    TranscriptWritten,
    WindowsDone,
    WindowTranscript,
    Word,
    WordsAligned,
    WriteTranscript,
    window_key,
)
from pipeline.contracts.transcript_files import TranscriptFile, TranscriptKind, output_key
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.declared.catalogue import load_catalogue
from pipeline.task import task
from pipeline.workbench import TaskContext, read_source
from tests.transcripts.stubs.script import Script

ROOT: Final = Path(__file__).parents[3]
WINDOW_S: Final = 300.0
_KINDS: Final[tuple[TranscriptKind, ...]] = ("transcript", "srt", "vtt", "text")
_DIGEST: Final = "0" * 64
_LABELS: Final = tuple(f"{index:02} Domestic animals, pets" for index in range(50))
_MODELS: Final = frozenset(
    row.name
    for container in ("audio-reader", "denoiser", "transcriber", "diarizer", "audio-tagger")
    for row in load_catalogue(ROOT).rows_of(container)
)


def stage(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Stage weights: a stub's without fetching them, any other as always."""
    staged = stage_stub if event["model"] in _MODELS else stage_weights
    return staged(event, context)


@task(StageWeights)
def stage_stub(job: StageWeights, context: TaskContext) -> WeightsStaged:
    """Write a record of the weights, which says whether they were staged by force."""
    place = Location(job.models_bucket, load_catalogue(ROOT).row(job.model).weights_key)
    content = b'{"forced": true}' if job.force else b'{"forced": false}'
    record = context.store.write(place, content, media_type="application/json")
    return WeightsStaged(model=job.model, manifest=record, already_staged=False)


@task(ReadAudio)
def read_audio(job: ReadAudio, context: TaskContext) -> AudioRead:
    store = context.store
    recording = read_source(store, job.source)
    script = Script.read(recording)
    script.act(job, store, model=job.model)
    windows = tuple(
        _window(index, _put(job, store, f"speech/{index:04}.flac", recording))
        for index in range(script.windows)
    )
    kept = job.keep_recorded and script.sound
    plan = AudioPlan(duration_s=WINDOW_S * script.windows, windows=windows)
    return AudioRead(
        recording=Recording(
            codec="flac" if script.sound else None,
            rate=48_000 if script.sound else 0,
            channels=2 if script.sound else 0,
            duration_s=plan.duration_s,
        ),
        speech_s=298 * script.windows,
        plan=_put(job, store, "plan.json", plan.model_dump_json().encode()),
        windows=tuple(window.index for window in windows),
        parts=tuple(parts_of(windows)),
        recorded=_put(job, store, "recorded.flac", recording) if kept else None,
        sound=_put(job, store, "sound.flac", recording)
        if job.keep_sound and script.sound
        else None,
    )


@task(Denoise)
def denoise(job: Denoise, context: TaskContext) -> AudioDenoised:
    store = context.store
    recording = store.read(Location.parse(job.recorded.uri))
    Script.read(recording).act(job, store, model=job.model)
    plan = store.read(Location.parse(job.plan.uri))
    key = f"denoised.{job.format}"
    file = TranscriptFile(
        kind="denoised",
        media_type=f"audio/{job.format}",
        artifact=_put(job, store, key, recording),
        work_key=f"{job.work_prefix}/{key}",
        output_key=output_key(job.output_stem, "denoised", extension=f".{job.format}"),
    )
    return AudioDenoised(
        file=file,
        plan=_put(job, store, "denoised/plan.json", plan) if job.rewrite_windows else job.plan,
        local_snr_db=12.5,
        model=job.model,
        weights_sha256=_DIGEST,
    )


@task(Transcribe, AlignWords)
def transcribe(job: Transcribe | AlignWords, context: TaskContext) -> Transcribed | WordsAligned:
    """Return the index of the window; one that is there is not made again."""
    store, aligning = context.store, isinstance(job, AlignWords)
    key = window_key(
        job.work_prefix,
        speech_model=job.speech_model if isinstance(job, AlignWords) else job.model,
        align_model=job.model if aligning else None,
        index=job.window,
    )
    plan = AudioPlan.model_validate_json(store.read(Location.parse(job.plan.uri)))
    window = plan.windows[job.window]
    recording = store.read(Location.parse(window.audio.uri))
    if not _exists(store, Location(job.work_bucket, key)):
        Script.read(recording).act(job, store, model=job.model, index=job.window)
        said = _transcript(window, job.model)
        place = Location(job.work_bucket, key)
        store.write(place, said.model_dump_json().encode(), media_type="application/json")
    return WordsAligned(window=job.window) if aligning else Transcribed(window=job.window)


@task(Diarize)
def diarize(job: Diarize, context: TaskContext) -> Diarized:
    """Return the index of the part, in which one speaker speaks; one that is there is not made."""
    store = context.store
    place = Location(job.work_bucket, part_key(job.work_prefix, model=job.model, index=job.part))
    plan = AudioPlan.model_validate_json(store.read(Location.parse(job.plan.uri)))
    windows = parts_of(plan.windows)[job.part]
    recording = store.read(Location.parse(windows[0].audio.uri))
    if not _exists(store, place):
        Script.read(recording).act(job, store, model=job.model, index=job.part)
        found = _part(job, windows)
        store.write(place, found.model_dump_json().encode(), media_type="application/json")
    return Diarized(part=job.part)


@task(TagAudio)
def tag_audio(job: TagAudio, context: TaskContext) -> AudioTagged:
    """Return ten labels; none for a recording without sound."""
    store = context.store
    if job.sound is not None:
        recording = store.read(Location.parse(job.sound.uri))
        Script.read(recording).act(job, store, model=job.model)
    labels = _LABELS[: job.most_tags] if job.sound else ()
    file = TranscriptFile(
        kind="tags",
        media_type="application/json",
        artifact=_put(job, store, "tags.json", "\n".join(labels).encode() or b"\n"),
        work_key=f"{job.work_prefix}/tags.json",
        output_key=output_key(job.output_stem, "tags"),
    )
    return AudioTagged(
        file=file,
        predictions=tuple(Prediction(label=label, score=0.5) for label in labels[:10]),
        model=job.model,
        weights_sha256=_DIGEST,
        metrics={"duration_s": 1.0},
    )


@task(WriteTranscript)
def write_transcript(job: WriteTranscript, context: TaskContext) -> TranscriptWritten:
    store = context.store
    plan = AudioPlan.model_validate_json(store.read(Location.parse(job.plan.uri)))
    windows = [
        WindowTranscript.model_validate_json(store.read(Location(job.work_bucket, key)))
        for key in (
            window_key(
                job.work_prefix,
                speech_model=job.speech_model,
                align_model=job.align_model,
                index=window.index,
            )
            for window in plan.windows
        )
    ]
    text = "\n".join(segment.text for window in windows for segment in window.segments)
    files = [_file(job, store, kind, text.encode()) for kind in _KINDS]
    parts = _parts(job, store, plan)
    if parts is not None:
        files.append(_file(job, store, "speakers", b"\n"))
    return TranscriptWritten(
        files=(*files, *(file for file in (job.denoised, job.tags) if file)),
        languages=("en",) if windows else (),
        words=len(windows),
        coverage=1.0,
        weights_sha256=_DIGEST if windows else None,
        remarks=(),
        windows=WindowsDone(
            windows=len(windows),
            metrics={"transcribe_ms": float(len(windows))},
            provenance=tuple({each.provenance for each in windows if each.provenance}),
        ),
        speakers=None if parts is None else _speakers(parts),
        diarized=None if parts is None else _diarized(parts),
    )


def _parts(
    job: WriteTranscript, store: ArtifactStore, plan: AudioPlan
) -> list[PartSpeakers] | None:
    """Return what was found in each part; None if nobody asked for it."""
    if job.speaker_model is None:
        return None
    keys = (
        part_key(job.work_prefix, model=job.speaker_model, index=index)
        for index in parts_of(plan.windows)
    )
    return [
        PartSpeakers.model_validate_json(store.read(Location(job.work_bucket, key))) for key in keys
    ]


def _speakers(parts: list[PartSpeakers]) -> dict[str, float]:
    """Return twenty speakers, the most that there can be, if anybody speaks."""
    return {f"SPEAKER_{index:02}": 12_345.678 for index in range(20)} if parts else {}


def _diarized(parts: list[PartSpeakers]) -> WindowsDone:
    return WindowsDone(
        windows=len(parts),
        metrics={"diarize_ms": float(len(parts))},
        provenance=tuple({each.provenance for each in parts if each.provenance}),
    )


def _part(job: Diarize, windows: tuple[Window, ...]) -> PartSpeakers:
    turns = tuple(Turn(start=each.start, end=each.end, speaker=0) for each in windows)
    speech_s = sum(each.end - each.start for each in windows)
    return PartSpeakers(
        index=job.part,
        turns=turns,
        speakers=(PartSpeaker(centroid=(1.0, 0.0), speech_s=speech_s),),
        link_below=0.5,
        model=job.model,
        weights_sha256=_DIGEST,
        metrics={"diarize_ms": 1.0},
        provenance=Provenance(container="stubs", version="0.0.0", image_digest="none"),
    )


def _window(index: int, audio: Artifact) -> Window:
    start = WINDOW_S * index
    span = Span(start=start + 1, end=start + WINDOW_S - 1)
    return Window(index=index, start=start, end=start + WINDOW_S, speech=(span,), audio=audio)


def _transcript(window: Window, model: str) -> WindowTranscript:
    start = window.start + 1
    word = Word(text="Yes.", start=start, end=start + 1, score=0.9, aligned=True)
    said = f"{model} {window.index}"
    segment = Segment(start=start, end=start + 1, text=said, language="en", words=(word,))
    return WindowTranscript(
        index=window.index,
        segments=(segment,),
        languages={"en": 0.99},
        coverage=1.0,
        model=model,
        weights_sha256=_DIGEST,
        metrics={"transcribe_ms": 1.0},
        provenance=Provenance(container="stubs", version="0.0.0", image_digest="none"),
    )


def _file(
    job: WriteTranscript, store: ArtifactStore, kind: TranscriptKind, content: bytes
) -> TranscriptFile:
    key = output_key(job.output_stem, kind)
    name = f"{kind}.{key.rpartition('.')[2]}"
    return TranscriptFile(
        kind=kind,
        media_type="text/plain",
        artifact=_put(job, store, name, content or b"\n"),
        work_key=f"{job.work_prefix}/{name}",
        output_key=key,
    )


def _put(
    job: ReadAudio | Denoise | TagAudio | WriteTranscript,
    store: ArtifactStore,
    name: str,
    content: bytes,
) -> Artifact:
    place = Location(job.work_bucket, f"{job.work_prefix}/{name}")
    return store.write(place, content, media_type="application/octet-stream")


def _exists(store: ArtifactStore, place: Location) -> bool:
    try:
        store.stat(place)
    except KeyError:
        return False
    return True
