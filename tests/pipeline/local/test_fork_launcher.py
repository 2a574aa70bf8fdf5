"""Workers are forks of one warm process, each as if it had been started by itself."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES, product_functions
from pipeline.local.fork_launcher import READ_AT_START, ForkLauncher, launching_sources
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.source_launcher import SourceLauncher
from pipeline.local.worker import Function
from tests.conftest import ROOT
from tests.pipeline.local.conftest import ARN

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks on Linux only")

TUNABLES: Final = "glibc.malloc.arena_max=1"
OBEDIENT: Final = Function(
    "matteline-local-obedient", "tests.pipeline.local.handlers.obey", memory_mb=256, timeout_s=30
)
BLUEPRINT: Final = Blueprint.read(ROOT)
Tell = Callable[..., dict[str, Any]]


def with_environment(name: str, **environment: str) -> Function:
    return Function(name, OBEDIENT.handler, 256, 30, environment)


@pytest.fixture
def launcher() -> Iterator[ForkLauncher]:
    modules = ["boto3", "tests.pipeline.local.handlers_broken", "tests.pipeline.local.handlers"]
    settings = {"GLIBC_TUNABLES": TUNABLES}
    with contextlib.closing(ForkLauncher(ROOT, modules, settings)) as launcher:
        yield launcher


@pytest.fixture
def host(launcher: ForkLauncher, tmp_path: Path) -> Iterator[LambdaHost]:
    functions = [
        OBEDIENT,
        with_environment("north", AWS_REGION="eu-north-1", ONLY_NORTH="1"),
        with_environment("south", AWS_REGION="eu-south-1"),
        with_environment("same", GLIBC_TUNABLES=TUNABLES),
        with_environment("other", GLIBC_TUNABLES=""),
        with_environment("loud", POWERTOOLS_LOG_LEVEL="DEBUG"),
    ]
    host = LambdaHost(functions, launcher=launcher, logs=tmp_path, concurrency=2)
    yield host
    host.stop()


@pytest.fixture
def tell(host: LambdaHost) -> Tell:
    def ask(name: str = OBEDIENT.name, **event: Any) -> dict[str, Any]:
        payload = json.dumps(event or {"do": "tell"}).encode()
        answer: dict[str, Any] = json.loads(host.invoke(name, payload, function_arn=ARN).payload)
        return answer

    return ask


def ends(pid: int) -> Callable[[], bool]:
    """Return a function that waits for the process, and returns False if it goes on for 20 s."""
    process = os.pidfd_open(pid)

    def wait() -> bool:
        ready, _, _ = select.select([process], [], [], 20)
        os.close(process)
        return bool(ready)

    return wait


def test_a_worker_is_a_fork_that_has_the_modules_already(
    launcher: ForkLauncher, tell: Tell
) -> None:
    told = tell()

    assert told["parent"] == launcher.server_pid
    assert "boto3" in told["modules"]
    assert told["name"] == "obedient"


def test_functions_have_environments_of_their_own(tell: Tell) -> None:
    north, south = (tell(name)["environment"] for name in ("north", "south"))

    assert (north["AWS_REGION"], south["AWS_REGION"]) == ("eu-north-1", "eu-south-1")
    assert set(north) - set(south) == {"ONLY_NORTH"}
    assert "GLIBC_TUNABLES" not in north  # the warm process has it
    assert north["AWS_LAMBDA_RUNTIME_API"] != south["AWS_LAMBDA_RUNTIME_API"]
    assert north["AWS_LAMBDA_FUNCTION_NAME"] == "north"


def test_a_worker_has_the_variables_of_this_moment_but_not_the_users_of_aws(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(do="echo", say="the warm process is up")
    monkeypatch.setenv("SET_LATER", "yes")
    monkeypatch.setenv("AWS_PROFILE", "the-users")

    environment = tell("north")["environment"]

    assert environment["SET_LATER"] == "yes"
    assert "AWS_PROFILE" not in environment


def test_a_worker_has_no_more_descriptors_than_a_process_of_its_own(tell: Tell) -> None:
    told = {name: tell(name) for name in ("north", "south", "other")}

    assert told["other"]["parent"] != told["north"]["parent"] == told["south"]["parent"]
    assert len({len(each["descriptors"]) for each in told.values()}) == 1


@pytest.mark.parametrize("name", ["other", "loud"])
def test_a_function_with_other_settings_at_the_start_gets_a_process_of_its_own(
    name: str, tell: Tell
) -> None:
    assert tell(name)["parent"] == os.getpid()


def test_a_function_with_the_settings_of_the_warm_process_is_forked(
    launcher: ForkLauncher, tell: Tell
) -> None:
    assert tell("same")["parent"] == launcher.server_pid


def test_a_warm_process_that_dies_fails_running_calls_and_is_replaced(
    launcher: ForkLauncher, tell: Tell
) -> None:
    server, worker_ends = launcher.server_pid, ends(tell()["pid"])

    failed = tell(do="kill the parent", seconds=25)

    assert failed["errorMessage"] == "Runtime exited with error: signal: 9"
    assert worker_ends()
    assert tell()["parent"] == launcher.server_pid != server


def test_everything_dies_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    main = subprocess.Popen(
        [sys.executable, "-c", ABANDONED, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with main:
        assert main.stdout
        told = json.loads(main.stdout.readline())
        all_end = [ends(pid) for pid in told["processes"]]
        main.kill()

    assert told["input"] == os.devnull

    assert len(all_end) == 3
    assert all(end() for end in all_end)


ABANDONED: Final = """
import json, sys, time
from pathlib import Path
from pipeline.local.fork_launcher import ForkLauncher
from pipeline.local.lambda_host import LambdaHost
from tests.pipeline.local.test_fork_launcher import OBEDIENT
launcher = ForkLauncher(Path.cwd(), [], {})
host = LambdaHost([OBEDIENT], launcher=launcher, logs=Path(sys.argv[1]), concurrency=1)
def ask(**event):
    answer = host.invoke(OBEDIENT.name, json.dumps(event).encode(), function_arn="")
    return json.loads(answer.payload)
child = ask(do="start", code="import time; time.sleep(60)", wait=False)["pid"]
processes = [launcher.server_pid, *host.worker_pids(OBEDIENT.name), child]
print(json.dumps({"processes": processes, "input": ask(do="tell")["input"]}), flush=True)
time.sleep(60)
"""


def test_what_a_worker_started_dies_with_the_host(host: LambdaHost, tell: Tell) -> None:
    child_ends = ends(tell(do="start", code="import time; time.sleep(60)", wait=False)["pid"])

    host.stop()

    assert child_ends()


@pytest.mark.parametrize("end", [{"do": "exit", "status": 3}, {"do": "kill", "signal": 9}])
@pytest.mark.parametrize("name", [OBEDIENT.name, "other"])
def test_what_a_worker_started_dies_with_the_worker(
    name: str, end: dict[str, Any], tell: Tell
) -> None:
    started = tell(name, do="start", code="import time; time.sleep(60)", wait=False)
    child_ends = ends(started["pid"])

    assert "Runtime exited" in tell(name, **end)["errorMessage"]

    assert child_ends()


def test_forks_draw_different_numbers_and_names(tell: Tell) -> None:
    north, south = tell("north")["drawn"], tell("south")["drawn"]

    assert {name for name in north if north[name] == south[name]} == set()


def test_stopping_does_not_wait_for_a_worker_that_never_started(tmp_path: Path) -> None:
    launcher = ForkLauncher(ROOT, [], {})
    os.kill(launcher.server_pid, signal.SIGSTOP)  # it never forks
    host = LambdaHost([OBEDIENT], launcher=launcher, logs=tmp_path, concurrency=1)
    host.warm([OBEDIENT.name])

    os.kill(launcher.server_pid, signal.SIGKILL)
    host.stop()
    launcher.close()

    with pytest.raises(ProcessLookupError):
        host.worker_pids(OBEDIENT.name)


READS: Final = """
import importlib, os, sys
read = set()
class Noting(type(os.environ)):
    def __getitem__(self, name):
        read.add(name)
        return super().__getitem__(name)
os.environ.__class__ = Noting
for module in sys.argv[1:]:
    importlib.import_module(module)
print(*sorted(read))
print(*sys.modules)
"""
HANDLERS: Final = [
    *(container.handler for container in BLUEPRINT.containers),
    *(operation.handler for operation in BLUEPRINT.operations(NAMES)),
]


def imported(*modules: str) -> tuple[set[str], set[str]]:
    """Import modules in a new process. Return the variables that they read, and what is loaded."""
    told = subprocess.run(
        [sys.executable, "-c", READS, *modules],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    read, loaded = told.stdout.splitlines()
    return set(read.split()), set(loaded.split())


def test_no_handler_reads_its_environment_when_it_is_imported() -> None:
    read, _ = imported(*(handler.rpartition(".")[0] for handler in HANDLERS))

    assert {name for name in read if not name.startswith(READ_AT_START)} == set()


def test_no_handlers_module_loads_the_runtime_client_or_what_only_one_task_needs() -> None:
    """The first keeps the address that it finds when it loads; the others read variables."""
    _, loaded = imported(*(handler.rpartition(".")[0] for handler in HANDLERS))

    assert "boto3" in loaded
    assert loaded.isdisjoint({"awslambdaric", "runtime_client", "onnxruntime", "onnx", "faiss"})


def test_the_warm_process_has_the_allocators_settings_and_one_thread(tmp_path: Path) -> None:
    with launching_sources(BLUEPRINT) as launcher:
        assert isinstance(launcher, ForkLauncher)
        host = LambdaHost([OBEDIENT], launcher=launcher, logs=tmp_path, concurrency=1)
        told = json.loads(host.invoke(OBEDIENT.name, b'{"do": "tell"}', function_arn=ARN).payload)
        server = Path(f"/proc/{launcher.server_pid}")
        environment = (server / "environ").read_text().replace("\0", ":")  # glibc splits it
        threads = list((server / "task").iterdir())
        host.stop()

    (remover,) = (each for each in BLUEPRINT.containers if each.name == "background-remover")
    assert f"GLIBC_TUNABLES={remover.environment['GLIBC_TUNABLES']}" in environment
    assert "OPENBLAS_NUM_THREADS=1:" in environment
    assert len(threads) == 1
    assert remover.handler.rpartition(".")[0] in told["modules"]
    assert {"onnxruntime", "onnx"}.isdisjoint(told["modules"])
    assert told["parent"] == launcher.server_pid


def test_elsewhere_workers_are_started_by_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with launching_sources(BLUEPRINT) as launcher:
        assert launcher == SourceLauncher(ROOT)


def test_the_workers_of_a_photo_are_forks_of_one_process(cloud: LocalCloud) -> None:
    names = [each.name(NAMES) for each in product_functions(BLUEPRINT)]
    cloud.host.warm(names)
    parents = {
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        for name in names
        for pid in cloud.host.worker_pids(name)
    }

    assert len(parents) == 1
    assert parents != {str(os.getpid())}
