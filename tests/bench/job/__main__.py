"""`make bench-job`: what a user waits for, beside rembg in one process with one session.

Both cut out the same photos with the real u2netp, which `make weights` keeps. They take turns; the
median of the rounds counts (ROUNDS, 3). One more round samples memory. `J="plain one"` runs only
these jobs.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import median
from typing import Final

from rich.table import Table

from pipeline.cli.report import console
from pipeline.declared.catalogue import load_catalogue
from pipeline.session.choice import cache_folder
from tests.bench.job.measured import Spent, measure
from tests.bench.job.photos import twenty_eight, two_hundred
from tests.conftest import ROOT
from tests.packages import OFFLINE
from tests.pipeline.cli.terminal import beside_up

ROUNDS: Final = int(os.environ.get("ROUNDS") or 3)
MATTELINE: Final = str(Path(sys.executable).with_name("matteline"))
# What a careful user of rembg writes.
REMBG: Final = """
import sys
from pathlib import Path
from rembg import new_session, remove
matting, out, *photos = sys.argv[1:]
session = new_session("u2netp")
for photo in map(Path, photos):
    cutout = remove(photo.read_bytes(), session=session, alpha_matting=matting == "yes")
    Path(out, photo.stem + ".png").write_bytes(cutout)
"""


@dataclass(frozen=True)
class Job:
    """Photos that both cut out; each aim is a multiple of rembg's figure, by its name in Spent."""

    name: str
    title: str
    photos: Sequence[Path]
    aims: dict[str, float]
    edges: bool = False
    attached: bool = False


def main(wanted: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("drawn", "many", "u2net", "cache"):
            (folder / part).mkdir()
        environment = _environment(folder)
        jobs = _jobs(folder)
        names = [job.name for job in jobs]
        if unknown := [name for name in wanted if name not in names]:
            raise SystemExit(f"no job is called {unknown[0]!r}; there are {', '.join(names)}")
        _tell("Warming up: one photo each")
        warm_up = replace(jobs[0], photos=jobs[0].photos[:1], edges=True)
        for run in (_ours, _rembg):  # keeps the optimised weights; compiles numba's kernels
            run(warm_up, folder, environment)
        table = Table("job", "figure", "rembg", "ours", "ours ÷ rembg", "aim", "")
        for job in jobs:
            if not wanted or job.name in wanted:
                _tell(f"Timing {job.name}: {job.title}; rounds: {ROUNDS}, and one for memory")
                _add(table, job, folder, environment)
    console().print(table)


def _tell(text: str) -> None:
    """Report progress at once: a job takes minutes."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _jobs(folder: Path) -> list[Job]:
    photos = twenty_eight(Path(os.environ.get("MATTELINE_PHOTOS", "")), folder / "drawn")
    many = two_hundred(photos, folder / "many")
    memory = {"largest_mb": 0.6, "together_mb": 1.5}
    times = {"wall_s": 0.8, "cpu_s": 1.0}
    return [
        Job("plain", "28 photos, mask enlarged", photos, times | memory),
        Job("edges", "28 photos, auto; rembg -a", photos, {"wall_s": 0.2}, edges=True),
        Job("one", "one photo, nothing warm", many[:1], {"wall_s": 0.8}),
        Job("attached", "one photo, a cloud is up", many[:1], {"wall_s": 0.15}, attached=True),
        Job("many", "200 photos, mask enlarged", many, {"wall_s": 1 / 1.3}),
    ]


def _environment(folder: Path) -> dict[str, str]:
    """Return a user's environment with the kept u2netp for both, and nothing else kept."""
    row = load_catalogue(ROOT).row("u2netp")
    weights = cache_folder() / row.weights_prefix / row.files[0].name
    if not weights.is_file():
        raise SystemExit("`make weights` first: the job needs the real u2netp")
    shutil.copy(weights, folder / "u2net" / "u2netp.onnx")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    return (
        kept
        | OFFLINE
        | {
            "U2NET_HOME": str(folder / "u2net"),
            "MATTELINE_WEIGHTS_MIRROR": str(folder / "u2net"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TMPDIR": str(folder),  # where `run` looks for the cloud that is up
            "PYTHONPATH": str(ROOT),
        }
    )


def _add(table: Table, job: Job, folder: Path, environment: dict[str, str]) -> None:
    """Measure both, in turns, and add a line for each figure."""
    theirs, ours = [], []
    up = beside_up(ROOT, folder, environment, model="u2netp") if job.attached else nullcontext()
    with up:
        for _ in range(ROUNDS):
            theirs.append(_rembg(job, folder, environment))
            ours.append(_ours(job, folder, environment))
    if "largest_mb" in job.aims:
        theirs.append(_rembg(job, folder, environment, memory=True))
        ours.append(_ours(job, folder, environment, memory=True))
    title = job.title
    for figure in fields(Spent):
        their, our = (_typical(figure.name, runs) for runs in (theirs, ours))
        aim = job.aims.get(figure.name)
        if not their or (job.attached and figure.name == "cpu_s"):  # the cloud's is not counted
            continue
        met = "" if aim is None else "met" if our <= aim * their else "missed"
        table.add_row(
            title, figure.name.replace("_", " "), f"{their:,.1f}", f"{our:,.1f}",
            f"{our / their:.2f}", "" if aim is None else f"{aim:.2f}", met,
        )  # fmt: skip
        title = ""


def _typical(figure: str, runs: Sequence[Spent]) -> float:
    """Return the median of the timed rounds, or what the round that sampled memory found."""
    values = [float(getattr(run, figure)) for run in runs]
    return max(values) if figure.endswith("_mb") else median(values[:ROUNDS])


def _ours(job: Job, folder: Path, environment: dict[str, str], *, memory: bool = False) -> Spent:
    options = [] if job.edges else ["--refine", "none"]
    photos = map(str, job.photos)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [MATTELINE, "run", *photos, "-o", out, "--model", "u2netp", *options]
        return measure(command, environment, memory=memory)


def _rembg(job: Job, folder: Path, environment: dict[str, str], *, memory: bool = False) -> Spent:
    photos = map(str, job.photos)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [sys.executable, "-c", REMBG, "yes" if job.edges else "no", out, *photos]
        return measure(command, environment, memory=memory)


if __name__ == "__main__":
    main(sys.argv[1:])
