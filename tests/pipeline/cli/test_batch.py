"""`matteline up --batch` and `run --compute`: models run in jobs of AWS Batch on a laptop."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline
from tests.pipeline.cli.terminal import PATIENCE_S, Terminal, beside_up

QUEUE = "matteline-local-cpu-uploads"


@pytest.fixture(scope="module")
def batch(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """Return a terminal next to `matteline up --batch`."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "cat.jpg").write_bytes(png(square()))
    with beside_up(ROOT, folder, environment, "--batch") as terminal:
        yield terminal


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "dog.png").write_bytes(png(square()))
    return tmp_path / "dog.png"


def _until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _run(terminal: Terminal, photo: Path, *options: str) -> subprocess.CompletedProcess[str]:
    output = photo.parent / "out"
    return terminal.run(
        f"cd {ROOT} && COLUMNS=300 python -m pipeline run {photo} -o {output} {' '.join(options)}"
    )


def _upload(terminal: Terminal) -> str:
    """Return the printed command that uploads a photo whose model runs in a job."""
    return next(line for line in terminal.shown.splitlines() if "matteline-compute=batch" in line)


def test_what_is_printed_can_be_typed(batch: Terminal) -> None:
    listing = batch.command(f"aws --endpoint-url {batch.endpoint} batch list-jobs")

    batch.type(_upload(batch))
    batch.wait_for("DONE        cat.jpg")

    (job,) = json.loads(batch.type(listing))["jobSummaryList"]
    assert job["jobDefinition"].endswith("/matteline-local-background-remover-brightness:1")


def test_a_run_uses_the_cloud_and_says_where_its_model_ran(batch: Terminal, photo: Path) -> None:
    done = _run(batch, photo, "--compute", "batch")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Cloud: {batch.endpoint}, of `matteline up`" in done.stdout
    assert "brightness (AWS Batch)" in done.stdout


def test_a_run_that_does_not_ask_for_it_uses_the_cloud_too(batch: Terminal, photo: Path) -> None:
    done = _run(batch, photo)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Cloud: {batch.endpoint}, of `matteline up`" in done.stdout
    assert "AWS Batch" not in done.stdout


def test_a_run_starts_a_cloud_with_batch_if_none_is_up(matteline: Matteline, photo: Path) -> None:
    output = photo.parent / "out"

    done = matteline("run", str(photo), "-o", str(output), "--compute", "batch", COLUMNS="300")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "(AWS Batch)" in done.stdout
    record = json.loads((output / "dog_bg_removed.json").read_text())
    assert record["options"]["compute"] == "batch"


def test_ctrl_c_leaves_no_job_running(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(png(square()))
    with beside_up(ROOT, tmp_path, environment, "--batch", model="slow") as terminal:
        terminal.type(_upload(terminal))
        aws = f"aws --endpoint-url {terminal.endpoint} batch list-jobs --job-queue {QUEUE}"
        _until(lambda: json.loads(terminal.type(aws))["jobSummaryList"])
        jobs = [pid for pid in terminal.workers() if _is_a_job(pid)]

        terminal.process.send_signal(signal.SIGINT)

        assert terminal.process.wait(timeout=PATIENCE_S) == 0
    assert len(jobs) == 1
    _until(lambda: not any(map(_is_a_job, jobs)))


def _is_a_job(pid: int) -> bool:
    try:
        return b"pipeline.batch_job" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
