"""Transcribe: write down what is said in one window, with times for every word."""

from __future__ import annotations

from containers.transcriber.listening import ENGLISH, DecodingOptions, Listener
from containers.transcriber.spec import CONTAINER, WhisperSpec
from containers.transcriber.whisper import Whisper, open_whisper
from containers.transcriber.windows import provenance, sound_of, store_window, stored, window_of
from pipeline.artifacts import Location
from pipeline.contracts.transcript import Transcribe, Transcribed, WindowTranscript, window_key
from pipeline.declared.models import ModelRow
from pipeline.errors import UnsupportedLanguage
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.weights.local_weights import combined_sha256
from pipeline.workbench import TaskContext


def transcribe(job: Transcribe, context: TaskContext) -> Transcribed:
    """Write the window's transcript, unless an earlier attempt of the execution did.

    Raises UnsupportedLanguage, WeightsNotStaged, WeightsMismatch or OutOfMemory.
    """
    key = window_key(job.work_prefix, speech_model=job.model, align_model=None, index=job.window)
    place = Location(job.work_bucket, key)
    there = stored(place, context.store)
    if there is not None:
        return Transcribed(window=job.window, metrics=there.metrics)
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    with context.timed("model_load"):
        model, sha256 = _load(row, job, context)
    _require_possible(row, model, job)
    context.note(processor=model.processor.remark)
    window = window_of(job, context.store)
    sound = sound_of(window, context.store)
    listener = Listener(model, sound, DecodingOptions(job.language, job.translate, job.prompt))
    with context.timed("listen"):
        found = listener.transcribe(window.speech)
    metrics = found.metrics | {
        "speech_s": round(sum(s.end - s.start for s in window.speech), 3),
        "gpu": model.processor.figure,
    }
    transcript = WindowTranscript(
        index=job.window,
        segments=found.segments,
        languages=found.languages,
        coverage=found.coverage,
        remarks=found.remarks,
        model=row.name,
        weights_sha256=sha256,
        metrics=metrics,
        provenance=provenance(context.settings),
    )
    store_window(transcript, place, context.store)
    return Transcribed(window=job.window, metrics=metrics)


def _load(row: ModelRow, job: Transcribe, context: TaskContext) -> tuple[Whisper, str]:
    """Return the model, loaded once per process, and the checksum of its files."""
    staged, weights = staged_record(job), weights_of(context.bench)
    folder = weights.folder(staged, row)
    sha256 = combined_sha256(file.sha256 for file in weights.files(staged, row))
    return open_whisper(folder, threads=context.settings.threads), sha256


def _require_possible(row: ModelRow, model: Whisper, job: Transcribe) -> None:
    """Raise UnsupportedLanguage if the model cannot do what the options ask for.

    It is checked before anything is heard: a window without speech must not hide it from the next.
    """
    if job.translate and not row.spec(WhisperSpec).translates:
        raise UnsupportedLanguage(f"{row.name} does not translate into English")
    if job.language is None:
        return
    if model.multilingual:
        model.vocabulary.start(job.language, translate=False)
    elif job.language != ENGLISH:
        raise UnsupportedLanguage(f"{row.name} knows English only, not {job.language!r}")
