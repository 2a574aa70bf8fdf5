"""The denoiser with the published weights does what DeepFilterNet's own library does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from containers.denoiser.denoising import denoise
from containers.denoiser.spec import Signal
from pipeline.artifacts import LocalStore, Location
from pipeline.audio.flac import decode_flac, encode_flac
from pipeline.audio.resampling import resampled
from pipeline.audio.samples import mono
from pipeline.contracts.audio_windows import AudioPlan
from pipeline.contracts.transcript import AudioDenoised, Denoise
from pipeline.model_context import catalogue_of
from pipeline.workbench import TaskContext
from tests import libdf
from tests.libdf import RATE, Oracle

pytestmark = pytest.mark.e2e

SNR_DB = 5.0


class Case(NamedTuple):
    clean: Signal
    noisy: Signal
    reference: Oracle
    context: TaskContext


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Speech with drawn noise, and the library's answer."""
    if why := libdf.missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("libdf")
    unpacked = libdf.unpack(folder)
    content = (Path(os.environ[libdf.RECORDINGS]) / "jfk.flac").read_bytes()
    samples, rate = decode_flac(content)
    clean = resampled(mono(samples), from_rate=rate, to_rate=RATE)[:, 0]
    drawn = np.random.default_rng(1).standard_normal(len(clean)).astype(np.float32)
    noise = drawn * np.float32(clean.std() / drawn.std() * 10 ** (-SNR_DB / 20))
    noisy, _ = decode_flac(encode_flac((clean + noise)[:, None], rate=RATE, bits=24))
    store = LocalStore(folder / "store")
    context = libdf.staged(folder, unpacked.networks, store)
    return Case(clean, noisy[:, 0], libdf.oracle(unpacked, noisy[:, 0].copy()), context)


def run(case: Case, signal: Signal, *, rate: int = RATE) -> tuple[Signal, AudioDenoised]:
    store = case.context.store
    write = store.write
    flac = encode_flac(signal[:, None], rate=rate, bits=24)
    plan = AudioPlan(duration_s=len(signal) / rate, windows=()).model_dump_json().encode()
    job = Denoise(
        schema_version=1, job_id="1", execution="e", model=libdf.MODEL, models_bucket="models",
        weights_key=catalogue_of(case.context.bench).row(libdf.MODEL).weights_key,
        recorded=write(Location("work", "1/recorded.flac"), flac, media_type=""),
        attenuation_db=100, format="flac",
        plan=write(Location("work", "1/plan.json"), plan, media_type=""),
        rewrite_windows=False, work_bucket="work", work_prefix="1", output_stem="talk",
    )  # fmt: skip
    result = denoise(job, case.context)
    found, _ = decode_flac(store.read(Location.parse(result.file.artifact.uri)))
    return found[:, 0], result


def test_the_answer_is_the_librarys(case: Case) -> None:
    """The file has 24 bits: rounding to them is about as large as all other differences."""
    found, result = run(case, case.noisy)

    assert found.shape == case.noisy.shape
    assert libdf.decibels(case.reference.signal, found - case.reference.signal) >= 100
    assert result.local_snr_db == pytest.approx(case.reference.local_snr_db, abs=0.02)


def test_noise_is_removed(case: Case) -> None:
    found, _ = run(case, case.noisy)

    before, after = (libdf.si_sdr(each, case.clean) for each in (case.noisy, found))
    assert before == pytest.approx(SNR_DB, abs=0.2)
    assert after > before + 4


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_speech_at_other_rates_is_not_muted(case: Case, rate: int) -> None:
    clean = resampled(case.clean[:, None], from_rate=RATE, to_rate=rate)[:, 0]

    found, _ = run(case, clean, rate=rate)

    assert libdf.si_sdr(found, clean) > 6
