"""The API's description (OpenAPI 3.1), made from the routes by `make docs` and served as stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from pydantic import TypeAdapter

from containers.http_api.problems import MEDIA_TYPE, Problem

PREFIX: Final = "/api"  # begins every path; requests without it are answered too
DOCUMENT: Final = Path(__file__).with_name("openapi.json")
_VERSION: Final = "0.1.0"  # of the API, not of the container: it changes when clients must change
_REFERENCE: Final = "#/components/schemas/{model}"
# Powertools describes errors in a form that the API does not use.
_ITS_RESPONSES: Final = ("422", "500")
_ITS_SCHEMAS: Final = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_ID: Final = "$response.body#/id"
_SAME: Final = "$request.path.name"
_FIRST: Final = "$response.body#/jobs/0/id"
_ACTION: Final = {
    "getAction": {
        "name": "$response.body#/action/collection",
        "action": "$response.body#/action/id",
    }
}
_LISTED: Final = {
    "machine": "$response.body#/items/0/machine",
    "name": "$response.body#/items/0/name",
}
_STARTED: Final = {"machine": "$response.body#/machine", "name": "$response.body#/name"}
# Which operations can follow one, and the parameter that each takes from its answer.
_LINKS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "createUpload": {"getJob": {"name": _ID}},
    "createJob": {"getJob": {"name": _ID}, "cancelJob": {"name": _ID}},
    "replayJob": {"getJob": {"name": _ID}, "cancelJob": {"name": _ID}},
    "getJob": {"replayJob": {"name": _SAME}, "cancelJob": {"name": _SAME}},
    "createCollection": _ACTION,
    "deleteCollection": _ACTION,
    "enrollFaces": _ACTION,
    "forgetSubject": _ACTION,
    "listMachines": {"getMachine": {"name": _LISTED["name"]}},
    "listExecutions": {"getExecution": _LISTED, "getLogs": _LISTED},
    "startExecution": {"getExecution": _STARTED, "stopExecution": _STARTED},
    "replayExecution": {"getExecution": _STARTED},
    "listJobs": {"getJob": {"name": _FIRST}, "replayJob": {"name": _FIRST}},
}


def add_document(api: APIGatewayHttpResolver) -> None:
    @api.get("/openapi.json", include_in_schema=False)
    def describe() -> Response[str]:
        return Response(200, "application/json", DOCUMENT.read_text(encoding="utf-8"))


def make_document(api: APIGatewayHttpResolver) -> dict[str, Any]:
    """Return the description of the routes. Every other answer than success is a problem."""
    document = api.get_openapi_schema(
        title="Matteline",
        version=_VERSION,
        description="Drop media, get finished products back.",
    ).model_dump(mode="json", by_alias=True, exclude_none=True)
    document["servers"] = [{"url": PREFIX}]
    schemas = document["components"]["schemas"]
    for name in _ITS_SCHEMAS:
        schemas.pop(name, None)
    schemas |= _problem_schemas()
    content = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=Problem.__name__)}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            for status in _ITS_RESPONSES:
                operation["responses"].pop(status, None)
            success = next(iter(operation["responses"].values()))
            if links := _LINKS.get(operation["operationId"]):
                success["links"] = {
                    name: {"operationId": name, "parameters": parameters}
                    for name, parameters in links.items()
                }
            operation["responses"]["default"] = {"description": "A problem", "content": content}
    return document


def _problem_schemas() -> dict[str, Any]:
    adapter = TypeAdapter(Problem)
    schema = adapter.json_schema(mode="serialization", ref_template=_REFERENCE)
    return {**schema.pop("$defs", {}), Problem.__name__: schema}
