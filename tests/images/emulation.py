"""Run an image's function under AWS's Lambda runtime emulator."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pipeline.local.image_launcher import ImageLauncher
from pipeline.local.worker import Function

Ask = Callable[[dict[str, Any]], dict[str, Any]]

STARTED_WITHIN_S: Final = 30


@contextmanager
def emulated(function: Function, launcher: ImageLauncher, emulator: Path) -> Iterator[Ask]:
    """Start the emulator inside the function's image; yield a function that sends one event."""
    address, runtime_api = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    starter = [
        str(emulator), "--runtime-interface-emulator-address", address,
        "--runtime-api-address", runtime_api,
    ]  # fmt: skip
    command = _started_by(starter, function, launcher).command(function, function.environment)
    process = subprocess.Popen(
        command.arguments, env=command.environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(address)
        yield lambda event: _asked(address, event)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _started_by(starter: list[str], function: Function, launcher: ImageLauncher) -> ImageLauncher:
    sandbox = launcher.sandboxes[function.handler]
    entrypoint = (*starter, *sandbox.image.entrypoint)
    other = replace(sandbox, image=replace(sandbox.image, entrypoint=entrypoint))
    return ImageLauncher({function.handler: other}, (*launcher.weights, Path(starter[0]).parent))


def _asked(address: str, event: dict[str, Any]) -> dict[str, Any]:
    url = f"http://{address}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(url, data=json.dumps(event).encode(), timeout=60) as answer:
        answered: dict[str, Any] = json.load(answer)
        return answered


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + STARTED_WITHIN_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        assert time.monotonic() < deadline, f"nothing listens on {address}"
        time.sleep(0.05)
