"""Start a function's process as a fork of one warm process: Linux only."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Final

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local import source_launcher
from pipeline.local.deployment import PHOTOS, product_functions
from pipeline.local.fork_server import Order
from pipeline.local.source_launcher import SourceLauncher, inherited
from pipeline.local.worker import ALIKE, Command, Function, Launcher, Process

# Variables, by how their names begin, that count when a program starts or a module is imported.
# A fork has its parent's, so a function that needs other values gets a process of its own.
READ_AT_START: Final = (
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_LEVEL",
    "GLIBC_TUNABLES",
    "HOME",
    "LD_",
    "LOG_LEVEL",
    "MALLOC_",
    "NPY_",
    "NUMPY_",
    "OMP_",
    "OPENBLAS_",
    "PILLOW_",
    "POWERTOOLS_",
    "PYDANTIC_",
    "PYTHON",
    "_PYTHON",
)
# What the first calls of most functions load, but their modules do not.
FIRST_CALLS: Final = (
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "encodings.idna",
    "simplejson",
)


class ForkLauncher:
    """Starts functions as forks of a process that has imported `modules`.

    That process starts at once, with `settings` in its environment, and is replaced if it dies.
    """

    def __init__(self, root: Path, modules: Sequence[str], settings: Mapping[str, str]) -> None:
        self._root = root
        self._modules = tuple(modules)
        self._settings = {**ALIKE, **settings}
        self._lock = threading.Lock()
        self._control, self._server = self._launch()

    @property
    def server_pid(self) -> int:
        return self._server.pid

    def start(self, function: Function, environment: Mapping[str, str], log: IO[bytes]) -> Process:
        if self._differs(environment):
            return SourceLauncher(self._root).start(function, environment, log)
        order = Order(
            client=source_launcher.RUNTIME_CLIENT,
            handler=function.handler,
            name=function.name.removeprefix(f"{LOCAL_NAMES.prefix}-"),
            environment={**inherited(), **environment},
        )
        return _Forked(self._ask(log), order)

    def job(
        self, function: Function, module: Sequence[str], environment: Mapping[str, str]
    ) -> Command:
        """Return a command line of its own: a job is too long for a fork to save time."""
        return SourceLauncher(self._root).job(function, module, environment)

    def close(self) -> None:
        """Kill the warm process; workers that are left die with it."""
        self._control.close()
        self._server.kill()
        self._server.wait()

    def _differs(self, environment: Mapping[str, str]) -> bool:
        return any(
            name.startswith(READ_AT_START) and self._settings.get(name) != text
            for name, text in environment.items()
        )

    def _ask(self, log: IO[bytes]) -> socket.socket:
        """Ask for a worker and return our end of its channel."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            descriptors = [theirs.fileno(), log.fileno()]
            try:
                socket.send_fds(self._control, [b"+"], descriptors)
            except ConnectionError:  # the server died
                self.close()
                self._control, self._server = self._launch()
                socket.send_fds(self._control, [b"+"], descriptors)
        return ours

    def _launch(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        module = "pipeline.local.fork_server"
        with theirs:
            server = subprocess.Popen(  # noqa: S603 - this interpreter, and declared handlers
                (sys.executable, "-m", module, str(theirs.fileno()), *self._modules),
                cwd=self._root,
                env=inherited() | self._settings,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return ours, server


class _Forked:
    """A worker's process, known by what comes through its channel."""

    def __init__(self, channel: socket.socket, order: Order) -> None:
        self._pid: Future[int] = Future()
        self._status: Future[int] = Future()
        threading.Thread(target=self._follow, args=(channel, order), daemon=True).start()

    @property
    def pid(self) -> int:
        """Wait until the process exists. Raises ProcessLookupError if it never did."""
        return self._pid.result()

    def poll(self) -> int | None:
        return self._status.result() if self._status.done() else None

    def wait(self) -> int:
        return self._status.result()

    def _follow(self, channel: socket.socket, order: Order) -> None:
        news = {"status": -signal.SIGKILL}  # if the server dies, it kills the worker without a word
        with channel, contextlib.suppress(ConnectionError):
            channel.sendall(order.dump())
            channel.shutdown(socket.SHUT_WR)
            for line in channel.makefile("r"):
                name, number = line.split()
                news[name] = int(number)
                if name == "pid":
                    self._pid.set_result(news["pid"])
        self._status.set_result(news["status"])
        if "pid" not in news:
            self._pid.set_exception(ProcessLookupError("the worker did not start"))


@contextlib.contextmanager
def launching_sources(
    blueprint: Blueprint, products: Collection[str] = PHOTOS
) -> Iterator[Launcher]:
    """Provide the launcher of functions from the blueprint's sources: on Linux, they are forks.

    The warm process imports the handlers that these products need with default options, and has the
    settings of C libraries that their manifests name.
    """
    if sys.platform != "linux":
        yield SourceLauncher(blueprint.root)
        return
    manifests = [each.manifest for each in product_functions(blueprint, products)]
    settings = {
        name: text
        for manifest in manifests
        for name, text in manifest.environment.items()
        if name.startswith(READ_AT_START)
    }
    modules = [manifest.handler.rpartition(".")[0] for manifest in manifests]
    forks = ForkLauncher(blueprint.root, [*modules, *FIRST_CALLS], settings)
    with contextlib.closing(forks) as launcher:
        yield launcher
