"""MiniStack: started on a port of its own, on this machine only, and stopped again.

It lives in `.venv-wiring`, because it pins botocore: `make test-wiring` makes that environment.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from pipeline.names import LOCAL_NAMES
from tests.conftest import ROOT

PROGRAM: Final = ROOT / ".venv-wiring" / "bin" / "ministack"
_START_S: Final = 30
_CREDENTIALS: Final = ("matteline", "matteline")


@dataclass(frozen=True)
class MiniStack:
    """A running one. Endpoint and credentials are what a function in it needs too."""

    endpoint: str

    def client(self, service: str) -> Any:
        session = boto3.Session(*_CREDENTIALS, region_name=LOCAL_NAMES.region)
        # Its synchronous Step Functions calls are not on a host of their own.
        config = Config(inject_host_prefix=False, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self.endpoint, config=config)


@contextmanager
def ministack(log: Path) -> Iterator[MiniStack]:
    """An empty MiniStack; what it says goes into `log`."""
    port = _free_port()
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": LOCAL_NAMES.account,
        "MINISTACK_REGION": LOCAL_NAMES.region,
        "LOG_LEVEL": "WARNING",
    }
    with log.open("wb") as out:
        process = subprocess.Popen([PROGRAM], env=environment, stdout=out, stderr=out)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_up(endpoint, process, log)
        yield MiniStack(endpoint)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
