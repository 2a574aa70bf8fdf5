"""Turn an API into a Lambda handler that answers HTTP requests of API Gateway.

Requests and answers have API Gateway's payload format 2.0. Among the modules of an
API, only this one reads settings from the environment.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pipeline.declared.containers import load_container
from pipeline.golden import VERSION_HEADER
from pipeline.observed import Call, Handler, observed
from pipeline.workbench import Settings


class Api(Protocol):
    """Answers requests, errors included: an exception is a bug of the API itself."""

    def answer(self, request: dict[str, Any], call: Call) -> dict[str, Any]: ...


def http_handler(build: Callable[[Path, Settings], Api]) -> Handler:
    """Return a handler that answers with the API that `build(root, settings)` returns.

    `build` is called at the first request of a process. The container is the one that `build` is
    in; each answer has its name and version in a header.
    """
    folder = Path(inspect.getfile(build)).parent
    manifest = load_container(folder)
    claim = {VERSION_HEADER: f"{manifest.name}/{manifest.version}"}

    @functools.cache
    def api() -> Api:
        return build(folder.parents[1], Settings.from_environment(os.environ))

    def perform(request: dict[str, Any], call: Call) -> dict[str, Any]:
        answer = api().answer(request, call)
        call.done(call.process_figures("request_ms"))
        return {**answer, "headers": {**answer.get("headers", {}), **claim}}

    return functools.wraps(build)(observed(manifest, perform))
