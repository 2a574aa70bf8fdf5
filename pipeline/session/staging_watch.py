"""Fetch what only packages have when it is about to be staged: functions have no package client."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from pipeline.declared.names import LOCAL_NAMES
from pipeline.errors import UnknownModel, WeightsMismatch, WeightsUnavailable
from pipeline.session.availability import Reach

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from pipeline.local.cloud import LocalCloud

_START: Final = "AWSStepFunctions.StartExecution"
_MACHINE: Final = "stage-weights"


@contextlib.contextmanager
def fetching_packages(cloud: LocalCloud, reach: Reach) -> Iterator[None]:
    """Until the block ends, packages are fetched before an execution stages what they have."""
    catalogue, lock = cloud.blueprint.catalogue, threading.Lock()

    def fetch(name: str) -> None:
        # Staging says what is wrong, with the sources that it tried.
        with contextlib.suppress(UnknownModel, WeightsUnavailable, WeightsMismatch), lock:
            reach.origin(catalogue.row(name))

    def before(app: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("HTTP_X_AMZ_TARGET") == _START:
                content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                for name in _models(content):
                    fetch(name)
                environ = environ | {"wsgi.input": io.BytesIO(content)}
            return app(environ, start_response)

        return answer

    with cloud.server.in_front(before):
        yield


def _models(content: bytes) -> list[str]:
    """Return the models that an execution of this input stages; none of any other machine."""
    try:
        asked = json.loads(content)
        if asked["stateMachineArn"] != LOCAL_NAMES.machine_arn(_MACHINE):
            return []
        return [str(name) for name in json.loads(asked["input"])["models"]]
    except (ValueError, KeyError, TypeError):
        return []
