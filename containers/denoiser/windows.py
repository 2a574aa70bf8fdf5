"""Cut the denoised signal into the windows of a plan again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from containers.denoiser.recording import Resampled
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.audio.flac import encode_flac
from pipeline.audio.samples import Samples, mono
from pipeline.contracts.audio_windows import SPEECH_RATE, AudioPlan, Window
from pipeline.contracts.transcript import Denoise


@dataclass
class _Piece:
    """A window's place in the signal, and the samples of it that came so far."""

    window: Window
    start: int
    end: int
    blocks: list[Samples] = field(default_factory=list)

    @classmethod
    def of(cls, window: Window) -> _Piece:
        start, end = round(window.start * SPEECH_RATE), round(window.end * SPEECH_RATE)
        return cls(window, start, max(end, start + 1))


class WindowWriter:
    """Writes each window's audio of a signal that arrives in blocks. Windows may overlap.

    A window is written as soon as it is complete, so memory does not grow with their number.
    """

    def __init__(self, plan: AudioPlan, job: Denoise, store: ArtifactStore, *, rate: int) -> None:
        self._plan, self._job, self._store = plan, job, store
        self._waiting = sorted(map(_Piece.of, plan.windows), key=lambda piece: piece.end)
        last = self._waiting[-1].end if self._waiting else 0
        self._signal = Resampled(from_rate=rate, to_rate=SPEECH_RATE, channels=1, frames=last)
        self._at = 0
        self._artifacts: dict[int, Artifact] = {}

    def push(self, samples: Samples) -> None:
        """Write what belongs to windows of these samples, (n, channels) at the denoiser's rate."""
        self._take(self._signal.push(mono(samples)))

    def finish(self) -> Artifact:
        """Write the rest, and the new plan; return the plan."""
        self._take(self._signal.finish())
        windows = tuple(
            window.model_copy(update={"audio": self._artifacts[window.index]})
            for window in self._plan.windows
        )
        plan = self._plan.model_copy(update={"windows": windows}).model_dump_json()
        return self._write("plan.json", plan.encode(), media_type="application/json")

    def _take(self, samples: Samples) -> None:
        start, self._at = self._at, self._at + len(samples)
        for piece in self._waiting:
            part = samples[max(0, piece.start - start) : max(0, piece.end - start)]
            if len(part):
                piece.blocks.append(part.copy())
        while self._waiting and self._waiting[0].end <= self._at:
            self._complete(self._waiting.pop(0))

    def _complete(self, piece: _Piece) -> None:
        content = encode_flac(np.concatenate(piece.blocks), rate=SPEECH_RATE)
        index = piece.window.index
        self._artifacts[index] = self._write(f"{index:04}.flac", content, media_type="audio/flac")

    def _write(self, name: str, content: bytes, *, media_type: str) -> Artifact:
        place = Location(self._job.work_bucket, f"{self._job.work_prefix}/denoised/{name}")
        return self._store.write(place, content, media_type=media_type)
