"""The operations that the API's description lists: a test for each finds new ones by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from containers.http_api.openapi import DOCUMENT

DESCRIPTION: Final[dict[str, Any]] = json.loads(DOCUMENT.read_text())


@dataclass(frozen=True)
class Operation:
    """A method of a path, such as `GET /jobs/{name}`."""

    method: str
    path: str
    details: dict[str, Any]

    @property
    def id(self) -> str:
        name: str = self.details["operationId"]
        return name


OPERATIONS: Final = tuple(
    Operation(method.upper(), path, details)
    for path, methods in DESCRIPTION["paths"].items()
    for method, details in methods.items()
)
