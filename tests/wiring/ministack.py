"""Start and stop a patched MiniStack, an AWS emulator independent of moto."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from tests.conftest import ROOT
from tests.wiring.differences import INERT

PYTHON: Final = ROOT / ".venv-wiring" / "bin" / "python"
REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
_PATIENCE_S: Final = 30


@dataclass(frozen=True)
class MiniStack:
    """A running MiniStack as one `account` sees it: accounts are isolated."""

    endpoint: str
    account: str = ACCOUNT

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.account,  # MiniStack reads the account from it
            aws_secret_access_key="none",  # noqa: S106
            config=Config(inject_host_prefix=False),  # StartSyncExecution has no own host
        )


@contextmanager
def ministack(log: Path, **environment: str) -> Iterator[MiniStack]:
    """Start an empty MiniStack on a local port; it writes its files beside `log`.

    Functions get `environment` in addition to their template's.
    """
    port = _free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [PYTHON, "-I", Path(__file__).with_name("patched.py"), *INERT],
            env=_environment(port, log.parent) | environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        _await(process, endpoint, log)
        yield MiniStack(endpoint)
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(port: int, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": REGION,
    }


def _await(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not _answers(endpoint):
        assert process.poll() is None, f"MiniStack did not start:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"MiniStack does not answer:\n{log.read_text()}"
        time.sleep(0.05)


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5).close()  # noqa: S310
    except OSError:
        return False
    return True
