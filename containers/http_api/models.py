"""`GET /models`: the models that a product's options may name."""

from __future__ import annotations

from collections.abc import Sequence

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Product


class Use(BaseModel):
    """An option of a product that may name the model."""

    model_config = ConfigDict(frozen=True)

    product: str
    option: str


class Model(BaseModel):
    """A model of the catalogue.

    `summary` says what it is for. `available` is false if its licence forbids commercial use and
    this deployment has not accepted it. `takes_prompts` means that a job must show it the subject
    with points and boxes. `hosted` means that Amazon Bedrock runs it. `memory_mb` is what its
    function has; the price of a second is proportional to it. `fallback` is the lighter model that
    takes over if memory runs out and the job allows it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    uses: tuple[Use, ...]
    licence: str
    commercial: bool
    available: bool
    takes_prompts: bool
    hosted: bool
    memory_mb: int
    fallback: str | None


class Models(BaseModel):
    """All models, in the order of the catalogue."""

    model_config = ConfigDict(frozen=True)

    models: tuple[Model, ...]


def add_models(
    api: APIGatewayHttpResolver, catalogue: Catalogue, products: Sequence[Product]
) -> None:
    listed = Models(models=tuple(_model(row, catalogue, products) for row in catalogue.rows))

    @api.get(
        "/models",
        operation_id="listModels",
        summary="List the models that options may name.",
        tags=["Catalogue"],
    )
    def list_models() -> Models:
        return listed


def _model(row: ModelRow, catalogue: Catalogue, products: Sequence[Product]) -> Model:
    return Model(
        name=row.name,
        summary=row.summary,
        uses=tuple(
            Use(product=product.name, option=role.option)
            for product in products
            for role in product.roles.values()
            if role.container == row.container
        ),
        licence=row.licence,
        commercial=row.commercial,
        available=catalogue.accepts(row),
        takes_prompts=row.takes_prompts,
        hosted=row.hosted,
        memory_mb=row.memory_mb,
        fallback=row.fallback,
    )
