"""A hundred rounds of eight writers, a forgetter and a compactor on a server of S3."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import boto3

from pipeline.aws.s3 import S3Store
from pipeline.local.moto import compat
from pipeline.local.server import LocalServer, moto_app
from tests.bench.figures import Figures
from tests.containers.vector_index.desk import COLLECTIONS, INGEST, OUTPUT
from tests.containers.vector_index.races import WRITERS, race

_ROUNDS: Final = 100


def main() -> None:
    compat.apply()
    server = LocalServer(0)
    server.start(moto_app())
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
    }  # fmt: skip
    client = boto3.client("s3")
    for bucket in (COLLECTIONS, INGEST, OUTPUT):
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    lost = back = wrong = busy = vectors = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_ROUNDS):
            place = Path(folder) / str(number)
            ended = race(S3Store.connect(), place, number, compacts=number % 2 == 1)
            lost += len({*ended.wanted} - {*ended.alive})
            back += len({*ended.alive} - {*ended.wanted})
            wrong += ended.counted != len(ended.wanted)
            busy += ended.busy
            vectors += len(ended.wanted)
    server.stop()
    figures = Figures(f"{_ROUNDS} rounds of {WRITERS} writers and a forgetter; S3 by moto's server")
    figures.at_most("vectors that were lost", lost, 0, form=",")
    figures.at_most("vectors that came back", back, 0, form=",")
    figures.at_most("rounds whose counts were wrong", wrong, 0, form=",")
    figures.add("vectors that live", f"{vectors:,}")
    figures.add("tasks that were told CollectionBusy, and repeated", f"{busy:,}")
    figures.show()
