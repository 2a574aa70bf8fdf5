"""Denoise: read a recording, denoise it block by block, and write it, and its windows if asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from containers.denoiser.network import Networks, open_networks
from containers.denoiser.recording import Denoiser, Resampled
from containers.denoiser.spec import DeepFilterSpec
from containers.denoiser.windows import WindowWriter
from containers.denoiser.writing import WRITERS, Shape, require_room, shape_of
from pipeline.artifacts import Location
from pipeline.audio.flac import FlacReader
from pipeline.audio.samples import Samples
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.transcript import AudioDenoised, Denoise, DenoisedFormat
from pipeline.contracts.transcript_files import TranscriptFile, output_key
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.weights.local_weights import combined_sha256
from pipeline.workbench import TaskContext

CONTAINER: Final = "denoiser"
_BLOCK_S: Final = 2
_MEDIA_TYPES: Final[dict[DenoisedFormat, str]] = {"flac": "audio/flac", "wav": "audio/wav"}


def denoise(job: Denoise, context: TaskContext) -> AudioDenoised:
    """Write the denoised recording; its rate, channels, bits and length are the recorded one's.

    Raises WeightsNotStaged, WeightsMismatch, UnknownModel, OutOfMemory or OutOfStorage.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    with context.timed("model_load"):
        streams = weights_of(context.bench).streams(staged_record(job), row)
        networks, spec = open_networks(streams), row.spec(DeepFilterSpec)
    context.settings.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.settings.scratch, prefix="denoising-") as folder:
        task = _Task(job, context, networks, spec, Path(folder))
        return task.run(combined_sha256(stream.sha256 for stream in streams))


class _Task:
    """One job's way through its recording, whose copy is in `folder`."""

    def __init__(
        self,
        job: Denoise,
        context: TaskContext,
        networks: Networks,
        spec: DeepFilterSpec,
        folder: Path,
    ) -> None:
        self._job, self._context, self._folder = job, context, folder
        self._spec = spec
        with context.timed("fetch"):
            self._recorded = self._fetched()
            self._shape = shape_of(self._recorded)
        self._denoiser = Denoiser(
            networks,
            spec,
            rate=self._shape.rate,
            channels=self._shape.channels,
            attenuation_db=job.attenuation_db,
        )
        self._windows = self._window_writer() if job.rewrite_windows else None

    def run(self, weights_sha256: str) -> AudioDenoised:
        job, shape = self._job, self._shape
        work_key = f"{job.work_prefix}/denoised.{job.format}"
        place = Location(job.work_bucket, work_key)
        with self._context.timed("denoise"):
            write = WRITERS[job.format]
            artifact = write(self._blocks(), shape, place, self._context.store, self._folder)
            plan = self._windows.finish() if self._windows else job.plan
        local_snr_db = self._denoiser.local_snr_db
        return AudioDenoised(
            file=TranscriptFile(
                kind="denoised",
                media_type=_MEDIA_TYPES[job.format],
                artifact=artifact,
                work_key=work_key,
                output_key=output_key(job.output_stem, "denoised", extension=f".{job.format}"),
            ),
            plan=plan,
            local_snr_db=round(local_snr_db, 2),
            model=job.model,
            weights_sha256=weights_sha256,
            metrics=_figures(shape, local_snr_db),
        )

    def _fetched(self) -> Path:
        recorded, path = self._job.recorded, self._folder / "recorded.flac"
        require_room(self._folder, recorded.bytes, "the recording")
        self._context.store.download(Location.parse(recorded.uri), path)
        return path

    def _window_writer(self) -> WindowWriter:
        store = self._context.store
        plan = AudioPlan.model_validate_json(store.read(Location.parse(self._job.plan.uri)))
        return WindowWriter(plan, self._job, store, rate=self._spec.rate)

    def _blocks(self) -> Iterator[Samples]:
        """Yield the denoised recording at its own rate, and hand the same to its windows."""
        shape = self._shape
        own_rate = Resampled(
            from_rate=self._spec.rate,
            to_rate=shape.rate,
            channels=shape.channels,
            frames=shape.frames,
        )
        for samples in self._denoised():
            if self._windows:
                self._windows.push(samples)
            yield own_rate.push(samples)
        yield own_rate.finish()

    def _denoised(self) -> Iterator[Samples]:
        with self._recorded.open("rb") as file:
            flac = FlacReader(file)
            for block in flac.blocks(_BLOCK_S * flac.rate):
                yield self._denoiser.push(block)
        yield self._denoiser.finish()


def _figures(shape: Shape, local_snr_db: float) -> dict[str, float]:
    return {
        "duration_s": round(shape.frames / shape.rate, 3),
        "channels": float(shape.channels),
        "local_snr_db": round(local_snr_db, 2),
    }
