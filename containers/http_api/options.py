"""The options of each product: described as JSON Schemas for `GET /options`, and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from containers.http_api.errors import InvalidRequest, WrongField, WrongFields
from pipeline.contracts.contract import PRODUCT, Options, metadata_name, read_product_contract
from pipeline.contracts.written import problems, write_text
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product, naming_roles
from pipeline.errors import InvalidOptions, InvalidPrompt, LicenseNotAccepted, UnknownModel
from pipeline.spelling import did_you_mean

_FIELD: Final = "body.options"
_MOST_METADATA: Final = 2_048  # bytes of an object's metadata, names included: S3's limit


class ProductOptions(BaseModel):
    """A product, the key suffixes that start it, and the JSON Schema of its options.

    A product without suffixes takes all keys that no other product takes. No key starts one
    `on_request`: name it in `product`. `most_bytes` is the size of the largest file that it takes.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    summary: str
    suffixes: tuple[str, ...]
    on_request: bool
    most_bytes: int
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
                on_request=product.on_request,
                most_bytes=product.most_bytes,
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
    kind = read_product_contract(product.contracts).options
    schema, roles = kind.model_json_schema(), naming_roles(product)
    for option, role in roles.items():
        rows = catalogue.fitting(role).rows
        names = [row.name for row in rows if catalogue.accepts(row)]
        no_model = [] if kind.model_fields[option].is_required() else [None]
        schema["properties"][option]["enum"] = [*names, *no_model]
    required = [name for name in schema.pop("required", ()) if name not in roles]
    return {**schema, "required": required} if required else schema


def find_product(name: str, products: Sequence[Product]) -> Product:
    """Return the product called `name`. Raises WrongFields, with the nearest name."""
    known = {product.name: product for product in products}
    if name in known:
        return known[name]
    near = did_you_mean(name, known) or f"; there is {', '.join(known)}"
    raise WrongFields.one(
        InvalidRequest(f"no product is called {name!r:.100}{near}"), "body.product"
    )


def check_options(
    product: Product, catalogue: Catalogue, given: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Return the options that differ from the contract's defaults, as JSON.

    Raises WrongFields with InvalidOptions, InvalidPrompt, UnknownModel or LicenseNotAccepted. What
    depends on the file, such as whether a point is inside a photo, is checked when the job runs.
    """
    kind = read_product_contract(product.contracts).options
    roles = naming_roles(product)
    defaults = {
        option: catalogue.defaults[role.container]
        for option, role in roles.items()
        if kind.model_fields[option].is_required()
    }
    try:
        options = kind.model_validate({**defaults, **given})
    except ValidationError as error:
        raise _invalid(
            (problem.field, problem.sentence) for problem in problems(error, kind)
        ) from error
    if found := list(_contradictions(options, given)):
        raise _invalid(found)
    for option, role in roles.items():
        if isinstance(name := given.get(option), str):
            _require_usable(catalogue.fitting(role), option, name)
    _require_prompts_fit(options, catalogue, given)
    return options.model_dump(mode="json", include=set(given), exclude_defaults=True)


def options_metadata(product: Product, options: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return a product's checked options as the metadata of an upload that starts it.

    Raises WrongFields if S3 allows less.
    """
    asked = {PRODUCT: product.name} if product.on_request else {}
    texts = asked | {name: write_text(value) for name, value in options.items()}
    metadata = {metadata_name(name): text for name, text in texts.items()}
    size = sum(len(name) + len(text.encode()) for name, text in metadata.items())
    if size > _MOST_METADATA:
        says = f"the options take {size:,} bytes as metadata; S3 allows {_MOST_METADATA:,}"
        raise WrongFields.one(InvalidOptions(says), _FIELD)
    return metadata


def _invalid(found: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> WrongFields:
    wrong = [WrongField(field=f"{_FIELD}.{field}", detail=says) for field, says in found]
    message = "; ".join(f"{each.field.removeprefix('body.')}: {each.detail}" for each in wrong)
    return WrongFields(InvalidOptions(message), *wrong)


def _contradictions(options: Options, given: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Yield each contradiction between options that were given, or between one and a default."""
    for found in options.contradictions():
        if found.impossible or found.option in given:
            field = found.option if found.option in given else found.other
            yield field, f"{found.option} contradicts {found.other}: {found.why}"


def _require_usable(models: Catalogue, option: str, name: str) -> None:
    try:
        models.usable(name)
    except (UnknownModel, LicenseNotAccepted) as error:
        raise WrongFields.one(error, f"{_FIELD}.{option}") from error


def _require_prompts_fit(
    options: Options, catalogue: Catalogue, given: Mapping[str, JsonValue]
) -> None:
    """Raise WrongFields if the named model takes no prompts but gets some, or the reverse.

    A state machine may have another default model than this catalogue: it is not judged here.
    """
    model, prompts = given.get("model"), getattr(options, "prompts", None)
    if not isinstance(model, str) or prompts is None:
        return
    takes = catalogue.row(model).takes_prompts
    if prompts and not takes:
        error = InvalidPrompt(f"{model} takes no points or boxes")
        raise WrongFields.one(error, f"{_FIELD}.prompts")
    if takes and not prompts:
        error = InvalidPrompt(f"{model} has to be shown its subject: set prompts")
        raise WrongFields.one(error, f"{_FIELD}.prompts")
