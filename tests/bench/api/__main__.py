"""Measure the API on a running local cloud, in one run, and print each figure with its aim.

- A request: the handler runs in this process, its AWS calls go to the cloud over HTTP. The time
  inside boto3's calls is subtracted: it is what the SDK, the network and moto take. Next to it, a
  bare Powertools route returns an answer of the same size.
- A start: a new process imports the handler, with and without compiled modules.
- A photo: from the first request to the answer that says `done`, next to the same photo put into
  the bucket, from PutObject until the client sees that its execution has ended.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast
from unittest import mock

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient
from rich.table import Table

from pipeline.cli.report import console
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import HTTP_API
from pipeline.local.cloud import CREDENTIALS, LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.observed import Handler
from tests.conftest import ROOT
from tests.execution.api import User, done, send
from tests.models import stock
from tests.pictures import png, square

REQUESTS: Final = 200
STARTS: Final = 15
PHOTOS: Final = 25
POLL_S: Final = 0.02
USER: Final = "bench"
IMPORT: Final = """
import time
begun, busy = time.perf_counter(), time.process_time()
import containers.http_api.handler
print((time.perf_counter() - begun) * 1000, (time.process_time() - busy) * 1000)
"""
CONTEXT: Final = cast(
    "LambdaContext",
    SimpleNamespace(
        function_name=NAMES.function(HTTP_API),
        memory_limit_in_mb=1024,
        invoked_function_arn=NAMES.function_arn(HTTP_API),
        aws_request_id="bench",
    ),
)


def main() -> None:
    table = Table("figure", "ms", "aim", "")
    with tempfile.TemporaryDirectory() as folder:
        shelf = stock(Path(folder))
        blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
        with local_cloud(blueprint, weights_mirror=shelf.mirror) as cloud:
            cloud.host.warm(warm_functions(blueprint))
            report_requests(cloud, table)
            report_photos(cloud, table)
    report_starts(table)
    console().print(table)


def report_requests(cloud: LocalCloud, table: Table) -> None:
    job = done(User(cloud.api, USER))
    asked = json.dumps({"name": "cat.png", "bytes": 1000, "options": {"crop": True}})
    with deployed(cloud):
        from containers.http_api.handler import handler

        for name, request in (
            ("GET /jobs/{id}, of a job that is done", event("GET", f"/jobs/{job['id']}")),
            ("POST /uploads", event("POST", "/uploads", body=asked)),
        ):
            answer = handler(request, CONTEXT)
            assert answer["statusCode"] in {200, 201}, answer
            whole, calls = timed(handler, request)
            bare, _ = timed(bare_route(answer), request)
            row(table, f"{name}: handler, less AWS and a bare route", whole - calls - bare, 15)
            row(table, "  AWS calls: SDK, network, moto", calls)
            row(table, "  bare Powertools route, answer of the same size", bare)


@contextmanager
def deployed(cloud: LocalCloud) -> Iterator[None]:
    """Give this process the environment of the cloud's function, and keep its log lines."""
    environment = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    with mock.patch.dict(os.environ, environment), Path(os.devnull).open("w") as nowhere:
        stdout, sys.stdout = sys.stdout, nowhere
        try:
            yield
        finally:
            sys.stdout = stdout


def event(method: str, path: str, **more: Any) -> dict[str, Any]:
    about = {
        "requestId": "bench",
        "stage": "$default",
        "http": {"method": method, "path": path},
        "authorizer": {"lambda": {"principal": USER}},
    }
    headers = {"content-type": "application/json"}
    given = {"version": "2.0", "rawPath": path, "headers": headers, "isBase64Encoded": False}
    return given | {"requestContext": about} | more


def bare_route(answer: dict[str, Any]) -> Handler:
    """Return a handler without validation, log or metrics, whose one route returns the answer."""
    api = APIGatewayHttpResolver()
    told = json.loads(answer["body"])

    @api.route(".+", method=["GET", "POST"])
    def bare() -> Any:
        return told

    return api.resolve


def timed(handler: Handler, request: dict[str, Any]) -> tuple[float, float]:
    """Return the medians of a request's time and of the time inside its AWS calls, in ms."""
    inside = 0.0
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(self: BaseClient, *arguments: Any) -> Any:
        nonlocal inside
        begun = time.perf_counter()
        try:
            return call(self, *arguments)
        finally:
            inside += time.perf_counter() - begun

    times = []
    with mock.patch.object(BaseClient, "_make_api_call", counted):
        for _ in range(REQUESTS):
            inside, begun = 0.0, time.perf_counter()
            handler(request, CONTEXT)
            times.append((time.perf_counter() - begun, inside))
    whole, calls = (statistics.median(each) * 1000 for each in zip(*times, strict=True))
    return whole, calls


def report_photos(cloud: LocalCloud, table: Table) -> None:
    ways = {"api": _by_api(User(cloud.api, USER)), "drop": _dropped(cloud)}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(PHOTOS):
        for top, (name, go) in enumerate(ways.items()):
            begun = time.perf_counter()
            go(png(square(left=index + 1, top=top)), index)
            took[name].append((time.perf_counter() - begun) * 1000)
    api, drop = (statistics.median(took[name][1:]) for name in ("api", "drop"))
    row(table, "a photo by the API, to the answer `done`, less a dropped one", api - drop, 150)
    row(table, "  by the API", api)
    row(table, "  dropped, until its execution is seen to have ended", drop)


def _by_api(user: User) -> Callable[[bytes, int], None]:
    def go(content: bytes, index: int) -> None:
        form = user.upload(name=f"{index}.png", bytes=len(content))
        assert send(form, content).status == 201
        answer = user.ask("GET", f"/jobs/{form['id']}", prefer="wait=20")
        assert answer.json()["state"] == "done"

    return go


def _dropped(cloud: LocalCloud) -> Callable[[bytes, int], None]:
    states, known = cloud.client("stepfunctions"), set[str]()
    arn = NAMES.machine_arn("cutout")

    def executions() -> dict[str, str]:
        listed = states.list_executions(stateMachineArn=arn, maxResults=1000)["executions"]
        return {each["executionArn"]: each["status"] for each in listed}

    def go(content: bytes, index: int) -> None:
        known.update(executions())
        place = {"Bucket": NAMES.bucket("ingest"), "Key": f"bench/{index}.png"}
        cloud.client("s3").put_object(**place, Body=content)
        while not any(
            status == "SUCCEEDED" for each, status in executions().items() if each not in known
        ):
            time.sleep(POLL_S)

    return go


def report_starts(table: Table) -> None:
    wall, busy = best_start({})
    with tempfile.TemporaryDirectory() as empty:
        bare = {"PYTHONPYCACHEPREFIX": empty, "PYTHONDONTWRITEBYTECODE": "1"}
        uncompiled, _ = best_start(bare)
    row(table, f"cold import of the handler, best of {STARTS}", wall, 600)
    row(table, "  processor time of it", busy)
    row(table, "  without compiled modules", uncompiled)


def best_start(variables: dict[str, str]) -> tuple[float, float]:
    """Return the least time and the least processor time of an import, in ms."""
    started = [
        subprocess.run(
            [sys.executable, "-c", IMPORT],
            cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=True,
        ).stdout.split()
        for _ in range(STARTS)
    ]  # fmt: skip
    wall, busy = (min(map(float, each)) for each in zip(*started, strict=True))
    return wall, busy


def row(table: Table, name: str, figure: float, aim: float | None = None) -> None:
    verdict = "" if aim is None else "met" if figure <= aim else "missed"
    table.add_row(name, f"{figure:,.2f}", f"{aim:,.0f}" if aim else "", verdict)


if __name__ == "__main__":
    main()
