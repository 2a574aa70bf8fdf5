"""`GET /quotas`: who the caller is, and how much is left of each quota."""

from __future__ import annotations

from datetime import UTC, datetime

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from containers.http_api.current import Current
from containers.http_api.errors import QuotaState
from containers.http_api.spending import quota_state
from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.operations.quotas import QuotasTable


class Quotas(BaseModel):
    """Who asks, and how much is left.

    The caller's objects have keys that begin with `principal` and a slash. `scopes` are those of
    the caller that mean something here.
    """

    model_config = ConfigDict(frozen=True)

    principal: str
    scopes: tuple[str, ...]
    quotas: tuple[QuotaState, ...]


def add_quotas(api: APIGatewayHttpResolver, current: Current) -> None:
    @api.get(
        "/quotas",
        operation_id="getQuotas",
        summary="Say who the caller is, and how much of each quota is left.",
        tags=["Quotas"],
        response_description="The caller's quotas",
    )
    def get_quotas() -> Quotas:
        principal = current.principal
        standings = QuotasTable(current.site).standings(principal.prefix, datetime.now(UTC))
        return Quotas(
            principal=principal.name,
            scopes=(OPERATOR_SCOPE,) if principal.operator else (),
            quotas=tuple(map(quota_state, standings)),
        )
