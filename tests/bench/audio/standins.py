"""Models whose weights are not at hand, as stand-ins of the true shape with random weights.

Each Whisper hears one slice of 30 s with one thread, in 8 bits as the transcriber loads it: a pass
of the encoder, 100 steps of the decoder, the times of these tokens, and 100 steps again with the
five beams that a bad text gets. The aligner's network hears pieces of 15 s, as published and as
staging makes it.

`python -m tests.bench.audio.standins NAME…` measures only those named.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnx
from rich.table import Table

from containers.model_downloader.optimisation.order import Order
from containers.model_downloader.optimiser import make_lean_apart
from pipeline.cli.report import console
from tests.bench.standins.wav2vec2 import wav2vec2
from tests.bench.standins.whisper import SIZES
from tests.conftest import ROOT

STEPS: Final = 100  # of the decoder
SLICES: Final = 10  # in a window of 300 s
STEPS_A_SLICE: Final = 130  # measured on speech
ALIGNER: Final = "wav2vec2-base-960h"
PIECES: Final = 3
WRITING: Final = """
import sys
from pathlib import Path
from tests.bench.standins.whisper import SIZES, write_whisper
write_whisper(Path(sys.argv[1]), SIZES[sys.argv[2]])
"""
LISTENING: Final = f"""
import json, sys, time
import numpy as np
from pathlib import Path
from containers.transcriber.whisper import open_whisper
from pipeline.hardware import peak_mb
def cpu(job):
    started = time.process_time()
    made = job()
    return made, time.process_time() - started
model, load = cpu(lambda: open_whisper(Path(sys.argv[1]), threads=1))
told = {{"load_s": load, "loaded_mb": peak_mb()}}
noise = np.random.default_rng(0).standard_normal(480_000).astype(np.float32) / 10
slice, told["encode_s"] = cpu(lambda: model.encode(noise))
start = model.vocabulary.start("en", translate=False)
prompt = model.vocabulary.prompt(start, None)
def write(beams):
    return model.engine.generate(
        slice.view, [prompt], beam_size=beams, suppress_tokens=[model.vocabulary.end],
        max_length=2 * {STEPS},
    )
found, told["write_s"] = cpu(lambda: write(1))
tokens = [one % 50_000 for one in found[0].sequences_ids[0]]
assert len(tokens) == {STEPS}, len(tokens)
_, told["times_s"] = cpu(lambda: slice.times(start, tokens, 30.0))
told["peak_mb"] = peak_mb()
_, told["beams_s"] = cpu(lambda: write(5))
told["beams_mb"] = peak_mb()
print(json.dumps(told))
"""
ALIGNING: Final = f"""
import json, sys, time
import numpy as np
from pathlib import Path
from containers.transcriber.mel import RATE
from containers.transcriber.network import open_network
from containers.transcriber.realigning import PIECE_S
from pipeline.hardware import peak_mb
optimised = sys.argv[2] == "optimised"
network = open_network(Path(sys.argv[1]), optimised=optimised, memory="returned", threads=1)
told = {{"loaded_mb": peak_mb()}}
noise = np.random.default_rng(0).standard_normal(int(PIECE_S * RATE)).astype(np.float32) / 10
started = time.process_time()
for _ in range({PIECES}):
    network.listen(noise)
told["cpu"] = (time.process_time() - started) / {PIECES} / PIECE_S
told["peak_mb"] = peak_mb()
print(json.dumps(told))
"""


def main(*wanted: str) -> None:
    names = wanted or (*SIZES, ALIGNER)
    if whispers := [name for name in names if name in SIZES]:
        _report_whispers(whispers)
    if ALIGNER in names:
        _report_aligner()


def _report_whispers(names: Sequence[str]) -> None:
    table = Table(
        "model", "file MB", "load CPU-s", "loading MB", "peak MB", "encoder CPU-s",
        f"{STEPS} steps", "times", "5 beams", "peak MB with them", "CPU-s of 300 s",
    )  # fmt: skip
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            _run(WRITING, folder, name)
            told = json.loads(_run(LISTENING, folder))
            size = (Path(folder) / "model.bin").stat().st_size / 1e6
        written = (told["write_s"] + told["times_s"]) * STEPS_A_SLICE / STEPS
        table.add_row(
            name, f"{size:,.0f}", f"{told['load_s']:.1f}", f"{told['loaded_mb']:,.0f}",
            f"{told['peak_mb']:,.0f}", f"{told['encode_s']:.1f}", f"{told['write_s']:.1f}",
            f"{told['times_s']:.1f}", f"{told['beams_s']:.1f}", f"{told['beams_mb']:,.0f}",
            f"{SLICES * (told['encode_s'] + written):,.0f}",
        )  # fmt: skip
    console().print(table)


def _report_aligner() -> None:
    table = Table(
        "network", "file MB", "loading MB", "peak MB", "CPU-s/s", "of a step that moves",
        title=f"{ALIGNER}, {PIECES} pieces of 15 s, one thread",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        published = Path(scratch) / "published.onnx"
        onnx.save(wav2vec2(), published)
        order = Order(
            network=published, folder=Path(scratch), shape=(1, 48_000), activation="softmax",
            sound_hz=16_000, outputs=1, quantise=True, memory_mb=8192,
        )  # fmt: skip
        lean = make_lean_apart(order, seconds=math.inf)
        _add_network(table, "published", (published,), "published", "")
        for each in lean.networks:
            name = f"{each.precision}{', every CPU' if each.any_cpu else ''}"
            kind = "published" if each.any_cpu else "optimised"
            _add_network(table, name, each.files, kind, f"{each.proof.mask_error:.4f}")
    console().print(table)
    console().print(lean.refused or lean.not_quantised or "All forms match the published network.")


def _add_network(table: Table, name: str, files: Sequence[Path], kind: str, moved: str) -> None:
    told: dict[str, Any] = json.loads(_run(ALIGNING, str(files[0]), kind))
    size = sum(file.stat().st_size for file in files) / 1e6
    table.add_row(
        name, f"{size:,.0f}", f"{told['loaded_mb']:,.0f}", f"{told['peak_mb']:,.0f}",
        f"{told['cpu']:.2f}", moved,
    )  # fmt: skip


def _run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()


if __name__ == "__main__":
    main(*sys.argv[1:])
