"""The first search of a new function: its handler in a fresh process, with moto as S3.

How long a download takes says little about AWS: moto and the process share the machine.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import boto3
from moto.server import ThreadedMotoServer

from pipeline.artifacts import LocalStore, Location
from tests.bench.figures import Figures
from tests.bench.search.made import shelf
from tests.conftest import ROOT

_ROWS: Final = 100_000
_ROUNDS: Final = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as name, _s3() as environment:
        folder = Path(name)
        made, asked = shelf(folder, _ROWS)
        (folder / "job.json").write_text(made.job(asked[:1]).model_dump_json(by_alias=True))
        _upload(made.store, environment)
        downloading, mapped = [], []
        for _ in range(_ROUNDS):
            shutil.rmtree(folder / "fresh", ignore_errors=True)
            downloading.append(_answered(folder, environment))
            mapped.append(_answered(folder, environment))
    figures = Figures(f"The first search of a new process among {_ROWS:,} × 512, s", peer="")
    for name, told, part in (
        ("importing the handler", downloading, "import"),
        ("first answer, with the download", downloading, "first"),
        ("first answer, with the copies on disk", mapped, "first"),
        ("next answer", mapped, "next"),
    ):
        figures.add(name, _middle(told, f"{part}_s"))
        figures.add("  of it, processor", _middle(told, f"{part}_cpu_s"))
    figures.show()


@contextmanager
def _s3() -> Iterator[dict[str, str]]:
    """Run S3; yield the environment of its clients."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server.start()
    try:
        yield {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
    finally:
        server.stop()


def _upload(store: LocalStore, environment: dict[str, str]) -> None:
    client: Any = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - moto's
    )
    for bucket in ("collections", "work"):
        client.create_bucket(Bucket=bucket)
        for each in store.listing(Location(bucket, "")):
            client.put_object(Bucket=bucket, Key=each.location.key, Body=store.read(each.location))


def _answered(folder: Path, environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.search.first_answer", str(folder)]
    fresh = {**environment, "MATTELINE_SCRATCH": str(folder / "fresh")}
    subprocess.run(command, cwd=ROOT, env=fresh, stdout=subprocess.DEVNULL, check=True)
    told: dict[str, float] = json.loads((folder / "times.json").read_text())
    return told


def _middle(told: list[dict[str, float]], name: str) -> str:
    return f"{median(each[name] for each in told):.2f}"
