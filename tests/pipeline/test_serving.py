"""An image whose entry point gets the two addresses of a job runs the job, and serves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from moto.server import ThreadedMotoServer

from pipeline.local.cloud import CREDENTIALS, make_client
from pipeline.releases.shipping import lay_out
from tests.conftest import ROOT


def test_a_job_is_run_from_the_files_of_an_image(tmp_path: Path) -> None:
    """No Diarize job is empty: the handler raises, and AWS Batch would try the job again."""
    lay_out(ROOT, "diarizer", tmp_path)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        s3 = make_client("s3", endpoint)
        s3.create_bucket(Bucket="jobs")
        s3.put_object(Bucket="jobs", Key="a/job.json", Body=b"{}")

        done = subprocess.run(
            [sys.executable, "-m", "pipeline.batch_job", "s3://jobs/a/job.json", "s3://jobs/a/out"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(tmp_path),
                "HOME": str(tmp_path),
                **CREDENTIALS,
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_LAMBDA_FUNCTION_NAME": "matteline-local-diarizer-pyannote-2022-ge2e",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "15000",
                "_HANDLER": "containers.diarizer.handler.handler",
                "MATTELINE_THREADS": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

        stored = [each["Key"] for each in s3.list_objects_v2(Bucket="jobs")["Contents"]]
    finally:
        server.stop()
    assert "validation errors for Diarize" in done.stderr
    assert (done.returncode, stored) == (1, ["a/job.json"])
