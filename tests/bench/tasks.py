"""Do tasks of containers on a store in a folder, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from containers.model_downloader.staging import Staging
from pipeline.contracts.contract import Job
from pipeline.contracts.weights import StageWeights
from pipeline.declared.containers import load_container
from pipeline.session.choice import cache_folder
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.one_task import StreamingStore
from tests.conftest import ROOT

# Idle threads of BLAS spin: on a busy machine they would take more than the task itself.
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def stage(store: StreamingStore, folder: Path, models: Iterable[str], *overlays: Path) -> None:
    """Stage kept weights, and those of overlays, in the store, as the downloader does."""
    settings = Settings(
        weights_mirror=str(cache_folder()), scratch=folder / "scratch",
        catalogue_overlays=overlays, accepted_licences=("unstated",),
    )  # fmt: skip
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))
    for model in models:
        job = StageWeights(schema_version=1, model=model, models_bucket="models", force=False)
        Staging.of(job, context).run(force=False)


def in_process(container: str, job: Job, folder: Path, *overlays: Path) -> dict[str, Any]:
    """Do a job on the store of `folder`; return `result`, `peak_mb`, `cpu_s` with loading."""
    path = folder / "job.json"
    path.write_text(job.model_dump_json(by_alias=True))
    sys.stderr.write(f"{container}: {job.model_dump()['work_prefix']}\n")
    declared = load_container(ROOT / "containers" / container).environment
    environment = {**os.environ, **ONE_THREAD, **declared}
    program = (sys.executable, "-m", "tests.bench.one_task")
    done = subprocess.run(
        [*program, container, folder / "store", path, *overlays],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
