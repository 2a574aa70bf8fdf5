"""Start the parts of the local cloud in order, and stop them in reverse order."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from pipeline import hardware
from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import HTTP_API, KEY_AUTHORIZER
from pipeline.declared.page import page_folder
from pipeline.local import in_process
from pipeline.local.batch.batch_api import BatchApi
from pipeline.local.batch.batch_host import BatchHost, Room
from pipeline.local.deployment import (
    NAMES,
    REGION,
    deploy,
    functions,
    job_definitions,
    job_queues,
)
from pipeline.local.ends import Ends
from pipeline.local.event_bridge import EventBridge
from pipeline.local.fork_launcher import launching_sources
from pipeline.local.gateway.gateway import PREFIX, Gateway
from pipeline.local.gateway.key_authorizer import KeyAuthorizer
from pipeline.local.gateway.route import Route
from pipeline.local.lambda_api import LambdaApi
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.lanes import lane_reader
from pipeline.local.logs_api import KeptLogs, LogsApi, log_name
from pipeline.local.moto import compat, memory
from pipeline.local.moto.executions import find_input
from pipeline.local.moto.large_objects import LargeObjects
from pipeline.local.own_folder import OwnFolder
from pipeline.local.page import Page
from pipeline.local.s3.gate import S3Gate
from pipeline.local.s3.signature import Account
from pipeline.local.server import LocalServer, moto_app
from pipeline.local.worker import Function, Launcher

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "matteline",
    "AWS_SECRET_ACCESS_KEY": "matteline",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
ACCOUNT: Final = Account(
    CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], REGION
)
_CLIENTS_LOCK: Final = threading.Lock()
WORKERS_PER_FUNCTION: Final = min(4, hardware.cores())
MOST_RUNNING: Final = 2 * WORKERS_PER_FUNCTION  # executions of one state machine; other events wait


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud. Clients reach every service through its endpoint.

    `disk_full` is set once a service had no room on the disk of `scratch`. `ends` tells of every
    execution that ends. `jobs` are those of AWS Batch.
    """

    endpoint: str
    blueprint: Blueprint
    host: LambdaHost
    jobs: BatchHost
    scratch: Path
    server: LocalServer
    ends: Ends

    @property
    def api(self) -> str:
        """Return the address of the HTTP API."""
        return f"{self.endpoint}{PREFIX}"

    def client(self, service: str) -> Any:
        return make_client(service, self.endpoint)

    @property
    def disk_full(self) -> threading.Event:
        return self.server.disk_full

    @property
    def logs(self) -> Path:
        return self.scratch / "logs"


@contextlib.contextmanager
def local_cloud(  # noqa: PLR0913 - keyword-only options
    blueprint: Blueprint,
    *,
    port: int = 0,
    weights_mirror: str | None = None,
    launcher: Launcher | None = None,
    calls_at_once: int = 1,
    products: Collection[str] | None = None,
    adjust: Callable[[Function], Function] = lambda function: function,
    wrap: Callable[[WSGIApplication], WSGIApplication] = lambda app: app,
) -> Iterator[LocalCloud]:
    """Run the cloud on 127.0.0.1 until the block ends; port 0 takes any free port.

    Functions run from the blueprint's sources, unless `launcher` starts them differently. The
    workers of `calls_at_once` calls share the cores; those of a lone photo have all of them. No
    function has more workers than fit into this machine's memory. The state machines of `products`
    (None: all) are parsed at once, others when they are started. Tests inject faults with
    `adjust`, which may change a function before it is created, and with `wrap`, which may wrap the
    whole API.
    """
    compat.apply()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(OwnFolder()))
        (scratch / "logs").mkdir()
        memory.forget()  # state of an earlier cloud in this process
        stack.callback(memory.forget)
        server = LocalServer(port)
        stack.callback(server.stop)
        endpoint = f"http://127.0.0.1:{server.port}"
        stack.enter_context(_environment(MOTO_PORT=str(server.port)))
        environment = _worker_environment(endpoint, scratch, weights_mirror, blueprint)
        logs = scratch / "logs"
        declared = [
            adjust(_sharing(function, calls_at_once))
            for function in functions(blueprint, environment)
        ]
        definitions = [
            replace(each, function=adjust(each.function))
            for each in job_definitions(blueprint, environment)
        ]
        launcher = launcher or stack.enter_context(launching_sources(blueprint))
        host = LambdaHost(
            declared,
            launcher=launcher,
            logs=logs,
            concurrency=WORKERS_PER_FUNCTION,
            lane_of=lane_reader(find_input),
        )
        stack.callback(host.stop)
        host.listen(KeptLogs(logs))
        jobs = BatchHost(
            definitions,
            job_queues(blueprint),
            launcher=launcher,
            logs=logs,
            room=Room(hardware.cores(), hardware.memory_mb()),
        )
        jobs.listen(lambda _: compat.wake_waiting_tasks())
        stack.callback(jobs.stop)
        groups = {NAMES.log_group(each.name): logs / log_name(each.name) for each in declared}
        groups |= {each.log_group: logs / each.log for each in definitions}
        server.start(wrap(_services(host, jobs, blueprint, endpoint, groups)))
        ends = Ends()
        stack.enter_context(compat.told_of_ends(ends.tell))
        cloud = LocalCloud(endpoint, blueprint, host, jobs, scratch, server, ends)
        stack.enter_context(_running_bridges(cloud, products))
        yield cloud


def _sharing(function: Function, calls_at_once: int) -> Function:
    """Let a function's workers share this machine: no more than its memory holds at a time."""
    room = max(1, hardware.memory_mb() // function.memory_mb)
    calls = function.concurrency or min(WORKERS_PER_FUNCTION, room)
    threads = {"MATTELINE_THREADS": str(hardware.threads_each(min(calls_at_once, calls)))}
    environment = {**function.environment, **threads}
    workers = max(calls, min(len(LANES) * calls, room))
    return replace(function, environment=environment, concurrency=calls, workers=workers)


def _services(
    host: LambdaHost,
    jobs: BatchHost,
    blueprint: Blueprint,
    endpoint: str,
    log_groups: Mapping[str, Path],
) -> WSGIApplication:
    """Return every service of the cloud: each takes the requests it knows, and passes on others."""
    moto = LogsApi(LargeObjects(moto_app()), log_groups)
    batch = BatchApi(moto, jobs)
    functions = LambdaApi(batch, host, arn_prefix=f"{NAMES.arn('lambda')}:function:")
    route = Route(
        function=NAMES.function(HTTP_API),
        function_arn=NAMES.function_arn(HTTP_API),
        account=NAMES.account,
        access_key=ACCOUNT.access_key,
    )
    keys = KeyAuthorizer(host, NAMES.operation(KEY_AUTHORIZER), NAMES.operation_arn(KEY_AUTHORIZER))
    gateway = Gateway(S3Gate(functions, ACCOUNT), host, route, keys=keys)
    return Page(gateway, page_folder(blueprint.root), origin=endpoint)


@contextlib.contextmanager
def _running_bridges(cloud: LocalCloud, products: Collection[str] | None) -> Iterator[None]:
    stopping = threading.Event()
    queues = deploy(
        cloud.blueprint, cloud.client, unparsed=compat.parsed_when_started, products=products
    )
    bridges = [
        EventBridge(
            queue_url=queue_url,
            machine_arn=NAMES.machine_arn(machine),
            client=cloud.client,
            ends=cloud.ends,
            most_running=MOST_RUNNING,
            stopping=stopping,
        )
        for machine, queue_url in queues.items()
    ]
    for bridge in bridges:
        bridge.start()
    try:
        yield
    finally:
        stopping.set()
        for bridge in bridges:
            bridge.join()


def make_client(service: str, endpoint: str) -> Any:
    """Return the boto3 client of a service of a running local cloud; all threads share it."""
    with _CLIENTS_LOCK:
        return _make_client(service, endpoint)


@functools.cache
def _make_client(service: str, endpoint: str) -> Any:
    client = boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=compat.SHORT_AGENT.merge(
            Config(max_pool_connections=32, retries={"total_max_attempts": 3})
        ),
    )
    return in_process.connect(client)


def _worker_environment(
    endpoint: str, scratch: Path, mirror: str | None, blueprint: Blueprint
) -> dict[str, str]:
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "MATTELINE_SCRATCH": str(scratch),
        "MATTELINE_WEIGHTS_MIRROR": absolute_mirror(mirror),
        "MATTELINE_CATALOGUE": os.pathsep.join(str(path.absolute()) for path in blueprint.overlays),
        "MATTELINE_ACCEPTED_LICENCES": " ".join(sorted(blueprint.catalogue.accepted_licences)),
        # The user of this computer operates its cloud: the page, too, can change collections.
        "MATTELINE_OPERATORS": ACCOUNT.access_key,
        # Receivers of webhooks may be on this computer, of the local cloud only.
        "MATTELINE_LOCAL_RECEIVERS": "1",
    }


def absolute_mirror(mirror: str | None) -> str:
    """Make a mirror folder's path absolute: workers run in other folders. Keep a URL as it is."""
    return mirror or "" if not mirror or "://" in mirror else str(Path(mirror).absolute())


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
