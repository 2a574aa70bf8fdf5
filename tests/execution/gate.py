"""IAM at the one door everything passes: what no manifest declares is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from pipeline.declared.access import Action
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function

DENIED: Final = b"<Error><Code>AccessDenied</Code><Message>Not declared.</Message></Error>"
_ALLOWS: Final = {
    "write": {"put", "write"},
    "read": {"read", "list"},
    "erase": {"delete", "erase"},
}
_CALLER: Final = re.compile(r"Credential=(?P<name>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/")


@dataclass(frozen=True)
class Request:
    """What a function asked for; an empty key is the bucket itself.

    Of DynamoDB, Step Functions and S3 Vectors, the action is their own, without bucket and key.
    """

    function: str
    service: str
    action: str
    bucket: str
    key: str


class Gate:
    """Knows each function by its access key; everybody else passes."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self._functions = {each.name(NAMES): each for each in blueprint.functions}
        self._app: Any = None
        self.passed: list[Request] = []
        self.refused: list[Request] = []

    def mark(self, function: Function) -> Function:
        """The function, calling under its own name."""
        environment = {**function.environment, "AWS_ACCESS_KEY_ID": function.name}
        return replace(function, environment=environment)

    def wrap(self, app: Any) -> Any:
        self._app = app
        return self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = _read(environ)
        function = self._functions.get(request.function) if request else None
        if request and function:
            allowed = is_declared(request, function)
            (self.passed if allowed else self.refused).append(request)
            if not allowed:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start_response("403 Forbidden", [("Content-Length", str(len(DENIED)))])
                return [DENIED]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def is_declared(request: Request, function: DeclaredFunction) -> bool:
    manifest = function.manifest
    if request.service == "dynamodb":
        return any(request.action in table.actions for table in manifest.tables)
    if request.service == "states":
        return request.action in manifest.executions
    if request.service == "s3vectors":
        return bool(manifest.vector_buckets)
    return request.service == "s3" and any(
        request.bucket == NAMES.bucket(access.bucket)
        and any(request.action in _ALLOWS.get(action, {action}) for action in access.actions)
        and any(_matches(request.key, keys) for keys in access.keys_of(function.model))
        for access in function.manifest.access
        if access.is_for(function.engine)
    )


def _matches(key: str, pattern: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), key))


def _read(environ: dict[str, Any]) -> Request | None:
    caller = _CALLER.search(environ.get("HTTP_AUTHORIZATION", ""))
    if caller is None:
        return None
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Request(caller["name"], caller["service"], target.rpartition(".")[2], "", "")
    bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if caller["service"] == "s3vectors":
        return Request(caller["name"], "s3vectors", bucket, "", "")
    action = _action(environ["REQUEST_METHOD"], key, {*query})
    return Request(caller["name"], caller["service"], action, bucket, key)


def _action(method: str, key: str, query: set[str]) -> Action:
    in_parts = bool({"uploads", "uploadId"} & query)
    if {"versions", "versionId"} & query and (method == "DELETE" or not key):
        return "erase"
    if "delete" in query:  # several objects, in the versions that the body names
        return "erase"
    if method in {"GET", "HEAD"}:
        return "read" if key else "list"
    if method == "DELETE" and not in_parts:
        return "delete"
    return "write" if in_parts else "put"
