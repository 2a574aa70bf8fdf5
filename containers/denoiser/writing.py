"""Write the denoised recording to the work bucket, in the bits of the recorded one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import soundfile

from pipeline.artifacts import Artifact, ArtifactStore, Location, uploading
from pipeline.audio.flac import FlacReader, FlacWriter
from pipeline.audio.samples import Bits, Samples, as_integers
from pipeline.contracts.transcript import DenoisedFormat
from pipeline.errors import OutOfStorage
from pipeline.weights.local_weights import checksums

# A WAV file states its size in 32 bits. Four hours in 24 bits at 192 kHz take 8.3 GB: RF64 is WAV
# with sizes of 64 bits (EBU Tech 3306).
MOST_WAV_BYTES: Final = 2**32 - 2**12


@dataclass(frozen=True)
class Shape:
    """A recording's rate, channels, bits, and samples a channel."""

    rate: int
    channels: int
    bits: Bits
    frames: int

    @property
    def pcm_bytes(self) -> int:
        return self.frames * self.channels * self.bits // 8


def shape_of(path: Path) -> Shape:
    """Return the shape of our own FLAC, whose header need not state how long it is."""
    with path.open("rb") as file:
        flac = FlacReader(file)
        frames = flac.frames or sum(len(block) for block in flac.blocks())
        return Shape(flac.rate, flac.channels, flac.bits, frames)


def require_room(folder: Path, wanted: int, what: str) -> None:
    """Raise OutOfStorage if the disk has less than `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise OutOfStorage(f"{what} needs {wanted:,} bytes of disk; {free:,} are free")


def _write_flac(
    blocks: Iterator[Samples], shape: Shape, place: Location, store: ArtifactStore, _scratch: Path
) -> Artifact:
    """Send FLAC to the store as it is encoded."""
    with uploading(store, place) as upload:
        with FlacWriter(
            upload, rate=shape.rate, channels=shape.channels, bits=shape.bits, frames=shape.frames
        ) as flac:
            for block in blocks:
                flac.write(block)
        return upload.artifact


def _write_wav(
    blocks: Iterator[Samples], shape: Shape, place: Location, store: ArtifactStore, scratch: Path
) -> Artifact:
    """Write a WAV file to the disk, because its header comes last, and upload it."""
    require_room(scratch, shape.pcm_bytes, "the denoised recording as WAV")
    path = scratch / "denoised.wav"
    file_format = "WAV" if shape.pcm_bytes <= MOST_WAV_BYTES else "RF64"
    with soundfile.SoundFile(
        path, "w", shape.rate, shape.channels, f"PCM_{shape.bits}", format=file_format
    ) as wav:
        for block in blocks:
            wav.write(as_integers(block, shape.bits))
    return store.upload(path, place, sha256=checksums(path)["sha256"])


WRITERS: Final[
    Mapping[
        DenoisedFormat,
        Callable[[Iterator[Samples], Shape, Location, ArtifactStore, Path], Artifact],
    ]
] = {"flac": _write_flac, "wav": _write_wav}
