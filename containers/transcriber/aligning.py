"""AlignWords: time the words of a transcribed window again."""

from __future__ import annotations

from containers.transcriber.network import open_network, processor, runtime
from containers.transcriber.realigning import realigned
from containers.transcriber.spec import CONTAINER, CtcSpec
from containers.transcriber.windows import (
    provenance,
    sound_of,
    spoken_window,
    store_window,
    stored,
    window_of,
)
from pipeline.artifacts import Location
from pipeline.contracts.transcript import AlignWords, WordsAligned, window_key
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.workbench import TaskContext


def align_words(job: AlignWords, context: TaskContext) -> WordsAligned:
    """Write the window's transcript with new times, unless an earlier attempt did.

    Raises WindowMissing, WeightsNotStaged, WeightsMismatch or OutOfMemory.
    """
    place = _place(job, job.model)
    there = stored(place, context.store)
    if there is not None:
        return WordsAligned(window=job.window, metrics=there.metrics)
    said = spoken_window(_place(job, None), job.window, context.store)
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    (file,) = weights_of(context.bench).files(staged_record(job), row, runtime())
    context.note(network=file.remark, processor=processor().remark)
    with context.timed("model_load"):
        network = open_network(
            file.path,
            optimised=file.optimised,
            memory=file.memory,
            threads=context.settings.threads,
        )
    sound = sound_of(window_of(job, context.store), context.store)
    with context.timed("align"):
        segments = realigned(said.segments, sound, row.spec(CtcSpec), network.listen)
    again = said.model_copy(
        update={
            "segments": tuple(segments),
            "metrics": said.metrics | {"aligner_gpu": processor().figure},
            "provenance": provenance(context.settings),
        }
    )
    store_window(again, place, context.store)
    return WordsAligned(window=job.window, metrics=again.metrics)


def _place(job: AlignWords, align_model: str | None) -> Location:
    key = window_key(
        job.work_prefix,
        speech_model=job.speech_model,
        align_model=align_model,
        index=job.window,
    )
    return Location(job.work_bucket, key)
