"""The models table: the published graph with onnxruntime's defaults, and what we make of it.

Ours is measured as a function runs it: with the allocator of its image, and with its memory kept or
returned as staging chooses. Networks are stand-ins of the true shapes with random weights; each is
measured in a fresh process, one after the other. `BENCH=full` takes the large ones too, which need
16 GB and some minutes;
`python -m tests.bench.models NAME…` only some.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from rich.table import Table

from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimiser import make_lean_apart
from containers.model_downloader.sessions.choosing import Place, choose_session
from pipeline import hardware
from pipeline.cli.report import console
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.containers import load_container
from pipeline.declared.costs import MB_PER_CPU, Measured
from pipeline.weights.staged import Memory
from tests.bench.standins.birefnet import birefnet, birefnet_hr, birefnet_lite
from tests.bench.standins.hiera import BASE_PLUS, TINY, sam2_encoder
from tests.bench.standins.sam import sam_encoder
from tests.bench.standins.u2net import u2net, u2netp
from tests.conftest import ROOT

AT_ONCE = 8
DOWNLOADER_MB = 10_240 - 512  # what the downloader lets the work take


@dataclass(frozen=True)
class Case:
    """`runs` until it is measured; the first one always pays for memory that is new.

    `row` is the catalogue's, whose memory says what a photo costs. A `huge` network does not run
    as published on the machines that we have: only ours is measured.
    """

    name: str
    build: Callable[[], onnx.ModelProto]
    runs: int
    large: bool = False
    huge: bool = False
    quantise: bool = False
    row: str | None = None
    outputs: int = 1


CASES = (
    Case("u2netp", u2netp, runs=5, row="u2netp"),
    Case("u2net", u2net, runs=3, row="u2net"),
    Case("birefnet-lite", birefnet_lite, runs=2, large=True, row="birefnet-general-lite"),
    Case("birefnet", birefnet, runs=2, large=True, row="birefnet-general"),
    Case("birefnet-hr", birefnet_hr, runs=2, large=True, huge=True, row="birefnet-hr"),
    Case("sam-vit-b encoder", sam_encoder, runs=2, large=True, row="sam-vit-b"),
    Case(
        "sam2-1-tiny encoder",
        lambda: sam2_encoder(TINY),
        runs=2,
        large=True,
        row="sam2-1-tiny",
        outputs=3,
    ),
    Case(
        "sam2-1-base-plus encoder",
        lambda: sam2_encoder(BASE_PLUS),
        runs=2,
        large=True,
        row="sam2-1-base-plus",
        outputs=3,
    ),
    Case("sam-vit-b encoder, 8 bits", sam_encoder, runs=2, large=True, quantise=True),
)


@dataclass(frozen=True)
class Figures:
    load_s: float
    loaded_mb: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    crowd_peak_mb: float


def report_models(names: Sequence[str] = ()) -> None:
    """Print the table of the named networks; without names, of those that `BENCH` asks for."""
    full = os.environ.get("BENCH") == "full"
    table = Table(
        "network", "graph", "load s", "peak MB", "wall s", "CPU s", f"peak, {AT_ONCE} at once",
        "GB-s per 1,000", "$ per 1,000",
        title="Published graph and onnxruntime's defaults / ours, one process each",
    )  # fmt: skip
    for case in CASES:
        if case.name in names if names else full or not case.large:
            _add(table, case)
    console().print(table)


def _add(table: Table, case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "network.onnx"
        onnx.save(case.build(), network)
        at_once = 1 if case.large else AT_ONCE
        before = None if case.huge else _probe("published", network, case.runs, at_once)
        started = time.perf_counter()
        lean = _made_lean(case, network)
        staged_s = time.perf_counter() - started
        after = _probe(_memory(case, lean, network), lean.networks[0].files[0], case.runs, at_once)
    for name, figures in (("published", before), ("ours", after)):
        if figures is None:
            table.add_row(case.name, name, "", "> 20,000", "", "", "", "")
            continue
        crowd = "" if case.large else f"× {figures.crowd_peak_mb / figures.peak_mb:.2f}"
        table.add_row(
            case.name if name == "published" else "", name, f"{figures.load_s:.2f}",
            f"{figures.peak_mb:,.0f}", f"{figures.wall_s:.2f}", f"{figures.cpu_s:.2f}", crowd,
            _gb_seconds(case, figures), _dollars(case, figures) if name == "ours" else "",
        )  # fmt: skip
    table.add_row(
        "", "ratio", *(
            f"{getattr(after, name) / getattr(before, name):.2f}" if before else ""
            for name in ("load_s", "peak_mb", "wall_s", "cpu_s")
        ), f"made in {staged_s:.0f} s",
    )  # fmt: skip
    table.add_section()


def _memory(case: Case, lean: Lean, network: Path) -> Memory:
    """What staging chooses for the row's function; the memory of other networks is returned."""
    if case.row is None:
        return "returned"
    best, *_ = lean.networks
    if best.tiled:
        return "mapped"
    place = Place(load_catalogue(ROOT).row(case.row).memory_mb, hardware.cores(), DOWNLOADER_MB)
    shape = _input_shape(network)
    session = choose_session(best.files[0], shape, place, run_ms=best.run_ms, seconds=math.inf)
    return session.memory


def _gb_seconds(case: Case, figures: Figures) -> str:
    """Return those of 1,000 photos in the row's function: processor time on the CPUs it uses."""
    if case.row is None:
        return ""
    memory_mb = load_catalogue(ROOT).row(case.row).memory_mb
    bought = memory_mb / MB_PER_CPU
    seconds = figures.cpu_s / min(bought, max(1, round(bought)))
    return f"{1000 * seconds * memory_mb / 1024:,.0f}"


def _dollars(case: Case, figures: Figures) -> str:
    """Per 1,000 photos at the row's memory. The rows' own figures are of machines with two CPUs."""
    if case.row is None:
        return ""
    memory_mb = load_catalogue(ROOT).row(case.row).memory_mb
    found = Measured(seconds=figures.wall_s, peak_mb=round(figures.peak_mb))
    seconds, cost = found.seconds_with(memory_mb), found.dollars_per_1000(memory_mb)
    return f"{cost:.2f} ({seconds:.1f} s × {memory_mb / 1024:.1f} GB)"


def _probe(kind: str, network: Path, runs: int, at_once: int) -> Figures:
    command = [
        sys.executable,
        "-m",
        "tests.bench.probe",
        kind,
        str(network),
        str(runs),
        str(at_once),
    ]
    functions = load_container(ROOT / "containers" / "background_remover").environment
    told = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True,
        env={**os.environ, **(functions if kind != "published" else {})},
    )  # fmt: skip
    return Figures(**json.loads(told.stdout))


def _input_shape(network: Path) -> tuple[int, ...]:
    (taken, *_) = onnx.load(network, load_external_data=False).graph.input
    return tuple(axis.dim_value for axis in taken.type.tensor_type.shape.dim)


def _made_lean(case: Case, network: Path) -> Lean:
    order = Order(
        network=network, folder=network.parent, shape=_input_shape(network), activation="none",
        outputs=case.outputs, quantise=case.quantise, memory_mb=DOWNLOADER_MB,
    )  # fmt: skip
    lean = make_lean_apart(order, seconds=math.inf)
    if lean.refused:
        raise SystemExit(f"{case.name}: {lean.refused}")
    return lean


if __name__ == "__main__":
    report_models(sys.argv[1:])
