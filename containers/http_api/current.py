"""The request being answered: who sent it, and the deployment that it is about."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from containers.http_api.principal import Principal, identify
from pipeline.declared.names import names_of_function
from pipeline.declared.products import Product
from pipeline.observed import Call

if TYPE_CHECKING:
    from pipeline.operations.site import Site

CONTAINER: Final = "http-api"


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

    @property
    def call(self) -> Call:
        call: Call = self.api.context["call"]
        return call

    @functools.cached_property
    def site(self) -> Site:
        """Return the deployment that the ARN of this process's function names. Loads boto3."""
        from pipeline.operations.site import own_site

        names = names_of_function(self.call.lambda_context.invoked_function_arn, CONTAINER)
        return own_site(names, self.products)
