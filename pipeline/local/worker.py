"""Run a handler in a process under the real runtime client, with a Runtime API of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from pipeline.local.runtime_api import Answer, Invocation, RuntimeApi, error_answer

INIT_TIMEOUT_S: Final = 60.0
# The variables that every worker has alike.
ALIKE: Final = {
    "POWERTOOLS_TRACE_DISABLED": "1",
    "PYTHONIOENCODING": "utf-8",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "OPENBLAS_NUM_THREADS": "1",  # handlers multiply small matrices only
}


@dataclass(frozen=True)
class Function:
    """A Lambda function with the settings that the local cloud supports.

    `concurrency` is how many calls it answers at a time; None is what the host allows. It has at
    most `workers`, of which some may be idle; None is one for each call.
    """

    name: str
    handler: str
    memory_mb: int
    timeout_s: float
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    workers: int | None = None


class Process(Protocol):
    """A function's process, which leads a session and a process group of its own.

    An exit status is as in `subprocess`: that of the process, or the negative of a signal.
    """

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit status; None while the process runs."""

    def wait(self) -> int:
        """Wait for the end of the process and return its exit status."""


class Command(NamedTuple):
    """A command line, its environment and its working folder."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path

    def start(self, log: IO[bytes]) -> Process:
        return subprocess.Popen(  # noqa: S603 - this interpreter or image, and a declared handler
            self.arguments,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


class Launcher(Protocol):
    """Starts a function's process.

    `environment` has Lambda's variables and the function's. The process writes to `log`.
    """

    def start(
        self, function: Function, environment: Mapping[str, str], log: IO[bytes]
    ) -> Process: ...

    def job(
        self, function: Function, module: Sequence[str], environment: Mapping[str, str]
    ) -> Command:
        """Return the command line that runs a module, with its arguments, where `function` does."""


class Worker:
    """A process that starts at once; the first call waits until it is initialised."""

    def __init__(self, function: Function, *, launcher: Launcher, log: IO[bytes]) -> None:
        self.function = function
        self._api = RuntimeApi()
        environment = _environment(function, self._api.address)
        self._process = launcher.start(function, environment, log)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def initialised(self) -> Answer | None:
        """Wait until the handler is loaded. If that fails, stop the process; return the error."""
        if not self._api.ready.wait(INIT_TIMEOUT_S):
            self.stop()
            return error_answer("Sandbox.Timedout", f"no init within {INIT_TIMEOUT_S:.0f} seconds")
        if self._api.init_error is not None:
            self.stop()
        return self._api.init_error

    def invoke(self, payload: bytes, function_arn: str) -> Answer:
        """Call the handler and return its answer.

        If the process exits or the call times out, the answer is an error as Lambda words it.
        """
        if (error := self.initialised()) is not None:
            return error
        timeout_s = self.function.timeout_s
        invocation = Invocation(payload, function_arn, timeout_s)
        self._api.submit(invocation)
        if not self.alive:
            self._api.settle(invocation.request_id, self._exit_answer())
        try:
            return invocation.answer.result(timeout_s)
        except FutureTimeout:
            self.stop()
            return error_answer("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds")

    def stop(self) -> None:
        """Kill the process and its children; the watching thread answers the waiting call."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):  # it ended since
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _watch(self) -> None:
        """Wait for the end of the process; kill what it started, answer who waits for it."""
        self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies left
            os.killpg(self.pid, signal.SIGKILL)
        if not self._api.ready.is_set():
            self._api.fail_init(self._exit_answer())
        self._api.close(self._exit_answer())

    def _exit_answer(self) -> Answer:
        status = self._process.wait()
        reason = f"signal: {-status}" if status < 0 else f"exit status {status}"
        return error_answer("Runtime.ExitError", f"Runtime exited with error: {reason}")


def _environment(function: Function, api_address: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "_HANDLER": function.handler,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        **ALIKE,
        **function.environment,
    }
