"""`GET /models`: the models that a product's options may name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Product, naming_roles


class Use(BaseModel):
    """An option of a product that may name the model."""

    model_config = ConfigDict(frozen=True)

    product: str
    option: str


class Lifecycle(BaseModel):
    """The day on which a provider `ends` a hosted model; null if none was announced by `read`."""

    model_config = ConfigDict(frozen=True)

    read: date
    ends: date | None


class Model(BaseModel):
    """A model of the catalogue.

    `summary` says what it is for, `suits` the group that it belongs to. `output` is `alpha` for a
    network that was trained on mattes: the edge refiner changes its masks less. `available` is
    false if its licence forbids commercial use and this deployment has not accepted it.
    `takes_prompts` means that a job must show it the subject with points and boxes. `hosted` means
    that Amazon Bedrock runs it, until the end of its `lifecycle`. `verified` is false if the
    publisher states no digest of its weights. `memory_mb` is what its function has. `seconds` is
    the time that its network takes there for a photo, and `dollars_per_1000` Lambda's price for
    that of 1,000 photos; both are null if they were not measured, and of models for recordings,
    whose time depends on the recording's length. `fallback` is the lighter model that takes over
    if memory runs out and the job allows it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    suits: str | None
    uses: tuple[Use, ...]
    output: Literal["mask", "alpha"]
    licence: str
    commercial: bool
    available: bool
    takes_prompts: bool
    hosted: bool
    lifecycle: Lifecycle | None
    verified: bool
    memory_mb: int
    seconds: float | None
    dollars_per_1000: float | None
    fallback: str | None


class Group(BaseModel):
    """What users want of a model, in words; models name it in `suits`."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str


class Models(BaseModel):
    """All models, in the order of the catalogue, and the groups that they belong to."""

    model_config = ConfigDict(frozen=True)

    models: tuple[Model, ...]
    groups: tuple[Group, ...]


def add_models(
    api: APIGatewayHttpResolver, catalogue: Catalogue, products: Sequence[Product]
) -> None:
    groups = {name: title for each in catalogue.groups.values() for name, title in each.items()}
    listed = Models(
        models=tuple(_model(row, catalogue, products) for row in catalogue.rows),
        groups=tuple(Group(name=name, title=title) for name, title in groups.items()),
    )

    @api.get(
        "/models",
        operation_id="listModels",
        summary="List the models that options may name.",
        tags=["Catalogue"],
    )
    def list_models() -> Models:
        return listed


def _model(row: ModelRow, catalogue: Catalogue, products: Sequence[Product]) -> Model:
    measured = catalogue.measured_of(row)
    return Model(
        name=row.name,
        summary=row.summary,
        suits=row.suits,
        output=row.output,
        uses=tuple(
            Use(product=product.name, option=option)
            for product in products
            for option, role in naming_roles(product).items()
            if row in catalogue.fitting(role).rows
        ),
        licence=row.licence,
        commercial=row.commercial,
        available=catalogue.accepts(row),
        takes_prompts=row.takes_prompts,
        hosted=row.hosted,
        lifecycle=row.lifecycle and Lifecycle(read=row.lifecycle.read, ends=row.lifecycle.ends),
        verified=row.verified,
        memory_mb=row.memory_mb,
        seconds=measured and round(measured.seconds_with(row.memory_mb), 2),
        dollars_per_1000=measured and round(measured.dollars_per_1000(row.memory_mb), 4),
        fallback=row.fallback,
    )
