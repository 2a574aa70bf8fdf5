"""The request being answered: who sent it, and the deployment that it is about."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from containers.http_api.errors import NoSuchJob, NoSuchObject
from containers.http_api.principal import Principal, identify
from containers.http_api.spending import spend
from pipeline.artifacts import Location
from pipeline.contracts.output_keys import S3_KEY_LIMIT_BYTES
from pipeline.declared.names import HTTP_API, names_of_function
from pipeline.declared.products import Product, taker
from pipeline.observed import Call
from pipeline.operations.following import Followed, follow
from pipeline.operations.lookup import latest_etag
from pipeline.operations.quotas import QuotasTable
from pipeline.traces import trace_id

if TYPE_CHECKING:
    from pipeline.operations.site import Site


@dataclass(frozen=True)
class Current:
    """What a route knows of the request it answers.

    `operators` are the unique IDs of users and roles whose requests are those of operators.
    """

    api: APIGatewayHttpResolver
    products: tuple[Product, ...]
    operators: frozenset[str] = frozenset()

    @property
    def principal(self) -> Principal:
        """Return who sent it. Raises NoPrincipal if no authoriser says so."""
        authorizer = self.api.current_event["requestContext"].get("authorizer")
        return identify(authorizer, self.operators)

    def find_job(self, name: str) -> Followed:
        """Return the caller's upload or job of this name. Raises NoSuchJob if there is none."""
        sender = self.principal
        found = follow(self.site, name, owner=sender.prefix, visible=sender.visible)
        if found is None:
            raise NoSuchJob(f"there is no job {name!r:.100}")
        execution = found.execution.arn if found.execution else None
        self.trace(execution or (found.row.execution if found.row else ""))
        return found

    def trace(self, execution: str) -> None:
        """Let the log of this request name the trace of an execution, given by its name or ARN."""
        if execution:
            self.call.logger.append_keys(trace_id=trace_id(execution))

    def own_object(self, key: str) -> Location:
        """Return the object that was uploaded under this key.

        Raises NoSuchObject if there is none, and the same for one of somebody else.
        """
        place = Location(self.site.names.bucket("ingest"), key)
        own = taker(key, self.products) and key.startswith(self.principal.visible)
        possible = len(key.encode()) <= S3_KEY_LIMIT_BYTES  # S3 refuses to look for a longer one
        if not own or not possible or not latest_etag(self.site, place):
            raise NoSuchObject(f"there is no object {key!r:.200}")
        return place

    @property
    def call(self) -> Call:
        call: Call = self.api.context["call"]
        return call

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that the answer gets in addition to its own; a route may set some."""
        headers: dict[str, str] = self.api.context["headers"]
        return headers

    def spend(
        self, *, jobs: int = 0, upload_bytes: int = 0, masks: int = 0, searches: int = 0
    ) -> None:
        """Count what the request asks for against its sender's quotas, or refuse the request.

        Call it once in a request: after everything that may be wrong with it was checked, and right
        before its effect. Nothing that was counted is given back. In `answer_once`, call it inside
        of `answer`, so that a repeat does not count. `jobs` counts each job that is started or may
        be started with a form; `masks` and `searches` are of another window, so count them without
        the other two. Raises QuotaExceeded.
        """
        asked = {
            "jobs": jobs,
            "upload_bytes": upload_bytes,
            "masks": masks,
            "searches": searches,
        }
        spend(QuotasTable(self.site), self.principal.prefix, asked, self.headers)

    @functools.cached_property
    def site(self) -> Site:
        """Return the deployment that the ARN of this process's function names. Loads boto3."""
        from pipeline.operations.site import own_site

        names = names_of_function(self.call.lambda_context.invoked_function_arn, HTTP_API)
        return own_site(names, self.products)
