"""ReadAudio, from an uploaded object to files in the work bucket."""

from __future__ import annotations

from typing import Final

from containers.audio_reader.network import open_network
from containers.audio_reader.reading import Outputs, read
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.storing import store_piece, store_plan, uploading_whole
from containers.audio_reader.voice import Voice
from containers.audio_reader.windows import Piece, Windower
from pipeline.audio.limits import require_bytes
from pipeline.contracts.audio_windows import AudioPlan, Window
from pipeline.contracts.speakers import parts_of
from pipeline.contracts.transcript import AudioRead, ReadAudio
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.source_file import SourceFile
from pipeline.workbench import TaskContext

CONTAINER: Final = "audio-reader"


def read_audio(job: ReadAudio, context: TaskContext) -> AudioRead:
    """Write the windows and their plan to the work bucket, and the whole recording if asked.

    Raises MediaTooLarge, MediaTooLong, UnsupportedMedia, CorruptMedia, NoAudio, WeightsNotStaged,
    WeightsMismatch, or an error of a Source… name.
    """
    require_bytes(job.source.bytes)
    with context.timed("model_load"):
        windower = _windower(job, context)
    windows: list[Window] = []

    def keep(piece: Piece) -> None:
        windows.append(store_piece(piece, job, context.store))

    with (
        context.timed("read"),
        uploading_whole("recorded.flac", job, context.store) as recorded,
        uploading_whole("sound.flac", job, context.store) as sound,
    ):
        found = read(
            SourceFile(context.store, job.source),
            job.source.format,
            windower,
            Outputs(
                keep,
                recorded if job.keep_recorded else None,
                sound if job.keep_sound else None,
            ),
            ends_at=context.ends_at,
        )
    plan = AudioPlan(duration_s=found.recording.duration_s, windows=tuple(windows))
    return AudioRead(
        recording=found.recording,
        speech_s=found.speech_s,
        plan=store_plan(plan, job, context.store),
        windows=tuple(window.index for window in windows),
        parts=tuple(parts_of(windows)),
        recorded=recorded.artifact if recorded.bytes else None,
        sound=sound.artifact if sound.bytes else None,
        metrics={"duration_s": found.recording.duration_s, "speech_s": found.speech_s},
    )


def _windower(job: ReadAudio, context: TaskContext) -> Windower:
    """Return what finds the windows of one recording.

    Raises WeightsNotStaged or WeightsMismatch.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    (file,) = weights_of(context.bench).files(staged_record(job), row)
    return Windower(Voice(open_network(file.path)).probability, row.spec(Thresholds))
