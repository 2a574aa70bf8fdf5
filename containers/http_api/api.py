"""The API: its routes, and how their errors are answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from containers.http_api.batches import add_batches
from containers.http_api.bodies import read_json_only
from containers.http_api.collections import add_collections
from containers.http_api.console.guard import operators_only
from containers.http_api.console.routes import add_console
from containers.http_api.current import Current
from containers.http_api.cursors import MOST_LISTED
from containers.http_api.errors import (
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchPath,
    RequestError,
    TryAgainLater,
    WrongField,
    WrongFields,
)
from containers.http_api.jobs import add_jobs
from containers.http_api.models import add_models
from containers.http_api.openapi import PREFIX, add_document
from containers.http_api.options import add_options
from containers.http_api.problems import describe_problem, problem_response
from containers.http_api.quotas import add_quotas
from containers.http_api.searches import add_searches
from containers.http_api.selections import add_selections
from containers.http_api.sources import add_sources
from containers.http_api.speakers import add_speakers
from containers.http_api.uploads import add_uploads
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.products import load_products
from pipeline.errors import CollectionBusy, NamedError, StoreUnavailable
from pipeline.observed import Call
from pipeline.workbench import Settings

_DOCS: Final = "MATTELINE_DOCS"
_FOLDER_OF_DOCS: Final = "docs"
_OPERATORS: Final = "MATTELINE_OPERATORS"
_RETRY_AFTER_S: Final = "5"


class RestApi:
    """Answers requests by its routes. Every error becomes a problem, without internals."""

    def __init__(self, *, docs: str = _FOLDER_OF_DOCS) -> None:
        """`docs` is the address of the folder that `errors.md` is in."""
        self._docs = docs
        self.routes = APIGatewayHttpResolver(
            enable_validation=True,
            strip_prefixes=[PREFIX],
            # An invalid answer is a bug: without this, the caller would be told of a wrong request.
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        )
        read_json_only(self.routes)
        for kind, answer in {
            NotFoundError: self._no_route,
            RequestValidationError: self._invalid,
            NamedError: self._problem,
            WrongFields: self._wrong,
            Exception: self._unexpected,
        }.items():
            self.routes.exception_handler(kind)(answer)

    def answer(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
        """Return API Gateway's answer (payload format 2.0) to its request.

        HEAD is answered as GET, without the body.
        """
        about, method = request["requestContext"], request["requestContext"]["http"]["method"]
        call.logger.append_keys(
            request_id=about["requestId"], method=method, path=request["rawPath"]
        )
        if method == "HEAD":
            http = {**about["http"], "method": "GET"}
            request = {**request, "requestContext": {**about, "http": http}}
        headers: dict[str, str] = {}
        self.routes.context |= {"call": call, "headers": headers}
        answer = self.routes.resolve(request, call.lambda_context)
        call.logger.append_keys(status=answer["statusCode"])
        body = {"body": ""} if method == "HEAD" else {}
        return {**answer, "headers": {**answer["headers"], **headers}, **body}

    def _problem(
        self,
        error: NamedError,
        *,
        wrong: Iterable[WrongField] = (),
        headers: Mapping[str, str] | None = None,
        cause: Exception | None = None,
    ) -> Response[str]:
        """Answer with an error, and log it, or its cause if the error only stands for that."""
        self._call.failed(cause or error)
        if isinstance(error, RequestError) and error.retry_after_s is not None:
            headers = {**(headers or {}), "Retry-After": str(error.retry_after_s)}
        if isinstance(error, CollectionBusy | StoreUnavailable):
            headers = {**(headers or {}), "Retry-After": _RETRY_AFTER_S}
        request_id = self.routes.current_event.request_context.request_id
        problem = describe_problem(error, docs=self._docs, request_id=request_id, wrong=wrong)
        return problem_response(problem, headers or {})

    def _unexpected(self, error: Exception) -> Response[str]:
        """Answer with an outage of AWS, which passes, or else with a bug."""
        from pipeline.aws.outages import is_outage  # loads botocore

        if is_outage(error):
            busy = TryAgainLater("a service of AWS is throttled, or does not answer")
            return self._problem(busy, headers={"Retry-After": _RETRY_AFTER_S}, cause=error)
        return self._problem(InternalError("the API failed to answer"), cause=error)

    def _invalid(self, error: RequestValidationError) -> Response[str]:
        wrong = [
            WrongField(field=".".join(f"{part!s:.100}" for part in each["loc"]), detail=each["msg"])
            for each in error.errors()[:MOST_LISTED]
        ]
        fields = ", ".join(each.field for each in wrong)
        return self._problem(InvalidRequest(f"invalid: {fields}"), wrong=wrong)

    def _wrong(self, error: WrongFields) -> Response[str]:
        return self._problem(error.error, wrong=error.wrong)

    def _no_route(self, _error: NotFoundError) -> Response[str]:
        asked, method = self.routes.current_event.path, self.routes.current_event.http_method
        allowed = self._methods(self.routes.context["_path"])
        if not allowed:
            return self._problem(NoSuchPath(f"there is no path {asked}"))
        says = f"{asked} takes {', '.join(allowed)}, not {method}"
        return self._problem(MethodNotAllowed(says), headers={"Allow": ", ".join(allowed)})

    def _methods(self, path: str) -> list[str]:
        """Return the methods of the routes that have this path."""
        routes = (*self.routes._static_routes, *self.routes._dynamic_routes)  # noqa: SLF001 - no public list
        methods = {route.method for route in routes if route.rule.match(path)}
        return sorted(methods | {"HEAD"} if "GET" in methods else methods)

    @property
    def _call(self) -> Call:
        call: Call = self.routes.context["call"]
        return call


def build_api(root: Path, settings: Settings) -> RestApi:
    """Return the API with every route, for the catalogue that the deployment's settings make."""
    catalogue = load_catalogue(
        root, settings.catalogue_overlays, accepted_licences=settings.accepted_licences
    )
    products = load_products(root)
    docs = settings.environment.get(_DOCS, _FOLDER_OF_DOCS)
    api = RestApi(docs=docs)
    operators = frozenset(settings.environment.get(_OPERATORS, "").split())
    current = Current(api.routes, products, operators)
    add_models(api.routes, catalogue, products)
    add_options(api.routes, catalogue, products)
    add_uploads(api.routes, current, catalogue)
    add_jobs(api.routes, current, catalogue, docs=docs)
    add_speakers(api.routes, current)
    add_sources(api.routes, current)
    add_quotas(api.routes, current)
    add_batches(api.routes, current, catalogue, docs=docs)
    add_selections(api.routes, current, catalogue, docs=docs)
    add_collections(api.routes, current, catalogue, docs=docs)
    add_searches(api.routes, current)
    add_console(api.routes, current, catalogue, root)
    operators_only(api.routes, current)
    add_document(api.routes)
    return api
