"""Tag audio: read a recording in ranges, run the network on each window, and write the tags."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from containers.audio_tagger.document import Tags
from containers.audio_tagger.network import Tagger, open_tagger
from containers.audio_tagger.recording import Heard, Recording
from containers.audio_tagger.spec import CONTAINER, Signal
from containers.audio_tagger.windowing import Windower
from pipeline.artifacts import Artifact, Location
from pipeline.audio.flac import FlacReader
from pipeline.audio.resampling import Resampler
from pipeline.contracts.sounds import AudioTagged, TagAudio
from pipeline.contracts.transcript_files import TranscriptFile, output_key
from pipeline.errors import MediaTooLong
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.source_file import StoredFile
from pipeline.workbench import TaskContext

_RESERVE_S: Final = 20  # of a call's time, kept for writing the result
_IN_RESULT: Final = 10  # labels; the file has as many as were asked for
_MEDIA_TYPE: Final = "application/json"


def tag_audio(job: TagAudio, context: TaskContext) -> AudioTagged:
    """Write the tags of a recording; one without sound has none.

    Raises WeightsNotStaged, WeightsMismatch, UnknownModel, OutOfMemory, or MediaTooLong if
    the call has no time left for the rest of the recording.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    with context.timed("model_load"):
        (weights,) = weights_of(context.bench).files(staged_record(job), row)
        threads = context.settings.threads
        tagger = open_tagger(row, weights, threads=threads) if job.sound else None
    heard, duration_s, windows = Heard(), 0.0, 0
    if job.sound and tagger:
        with context.timed("listen"):
            listening = _Listening(tagger, context)
            heard = listening.to(job.sound, most_tags=job.most_tags)
            duration_s, windows = listening.duration_s, listening.windows
    tags = Tags(
        model=job.model,
        weights_sha256=weights.sha256,
        duration_s=round(duration_s, 3),
        **heard._asdict(),
    )
    place = Location(job.work_bucket, f"{job.work_prefix}/tags.json")
    content = tags.model_dump_json().encode()
    return AudioTagged(
        file=TranscriptFile(
            kind="tags",
            media_type=_MEDIA_TYPE,
            artifact=context.store.write(place, content, media_type=_MEDIA_TYPE),
            work_key=place.key,
            output_key=output_key(job.output_stem, "tags"),
        ),
        predictions=heard.predictions[:_IN_RESULT],
        model=job.model,
        weights_sha256=weights.sha256,
        metrics={
            "duration_s": round(duration_s, 3),
            "windows": float(windows),
            "spans": float(len(heard.spans)),
        },
    )


class _Listening:
    """Takes one recording through the network."""

    def __init__(self, tagger: Tagger, context: TaskContext) -> None:
        self._tagger, self._context = tagger, context
        self.duration_s = 0.0
        self.windows = 0

    def to(self, sound: Artifact, *, most_tags: int) -> Heard:
        recording = Recording(self._tagger.spec)
        for window in self._windows(sound):
            if time.monotonic() > self._context.ends_at - _RESERVE_S:
                raise MediaTooLong("one call of the function has no time to tag all of its sound")
            recording.push(self._tagger.listen(window))
        self.windows = recording.windows
        return recording.finish(self.duration_s, most_tags=most_tags)

    def _windows(self, sound: Artifact) -> Iterator[Signal]:
        spec = self._tagger.spec
        windower = Windower(window=spec.window, hop=spec.hop)
        store, place = self._context.store, Location.parse(sound.uri)
        file = StoredFile(store, place, count=sound.bytes, etag=store.stat(place).etag)
        flac = FlacReader(file)
        resampler = Resampler(from_rate=flac.rate, to_rate=spec.rate, channels=1)
        frames = 0
        for block in flac.blocks():
            frames += len(block)
            self.duration_s = frames / flac.rate
            yield from windower.push(resampler.push(block)[:, 0])
        yield from windower.push(resampler.finish()[:, 0])
        yield from windower.finish()
