"""`GET /options`: the options of each product, as JSON Schemas made from the contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from pipeline.contracts.contract import read_product_contract
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product


class ProductOptions(BaseModel):
    """A product, the key suffixes that start it, and the JSON Schema of its options.

    A product without suffixes takes all keys that no other product takes.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    summary: str
    suffixes: tuple[str, ...]
    options: dict[str, Any]


class AllOptions(BaseModel):
    """The options of all products."""

    model_config = ConfigDict(frozen=True)

    products: tuple[ProductOptions, ...]


def add_options(
    api: APIGatewayHttpResolver, catalogue: Catalogue, products: Sequence[Product]
) -> None:
    listed = AllOptions(
        products=tuple(
            ProductOptions(
                product=product.name,
                summary=product.summary,
                suffixes=product.suffixes,
                options=options_schema(product, catalogue),
            )
            for product in products
        )
    )

    @api.get(
        "/options",
        operation_id="listOptions",
        summary="Describe the options of every product.",
        tags=["Catalogue"],
    )
    def list_options() -> AllOptions:
        return listed


def options_schema(product: Product, catalogue: Catalogue) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a user may choose.

    A job has a model for each role, so its contract requires one. A user may name an available
    model, or leave the choice to the deployment.
    """
    schema = read_product_contract(product.contracts).options.model_json_schema()
    for role in product.roles.values():
        rows = catalogue.rows_of(role.container)
        schema["properties"][role.option]["enum"] = [
            row.name for row in rows if catalogue.accepts(row)
        ]
    planned = {role.option for role in product.roles.values()}
    required = [name for name in schema.pop("required", ()) if name not in planned]
    return {**schema, "required": required} if required else schema
