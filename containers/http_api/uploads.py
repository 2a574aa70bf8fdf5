"""`POST /uploads`: a form for one file, whose arrival in S3 starts its job."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from containers.http_api.current import Current
from containers.http_api.errors import InvalidRequest, WrongFields
from containers.http_api.options import check_options, find_product, options_metadata
from containers.http_api.repeats import IdempotencyKey, answer_once
from pipeline.artifacts import Location
from pipeline.contracts.contract import Source, read_product_contract
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product, taker
from pipeline.errors import MediaTooLarge
from pipeline.operations.presigning import presign_form
from pipeline.operations.uploading import LASTS, new_upload

_METADATA: Final = "x-amz-meta-"
_LONGEST_NAME: Final = 200  # bytes
_MEDIA_TYPE: Final = (
    r"^((image|audio|video)/[a-z0-9][a-z0-9.+-]{0,99}|application/(octet-stream|ogg|mp4))$"
)


def _plain(name: str) -> str:
    """Refuse what is no plain name of a file: it becomes the last part of a key."""
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"should have at most {_LONGEST_NAME} bytes")
    if not name.isprintable() or name != name.strip() or {"/", "\\"} & set(name):
        raise ValueError("should be a file name, without folders and control characters")
    if name in {".", ".."}:
        raise ValueError("should be a file name, not a folder")
    if "${" in name:  # S3 would replace `${filename}`
        raise ValueError("should not contain ${")
    return name


def _whole(number: object) -> object:
    """Take 5.0 for 5, as JSON Schema does."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class NewUpload(BaseModel):
    """A file to upload.

    `name` is its name without folders; `bytes` is its exact size. `media_type` is stored with it;
    its content decides what it is. The end of the name decides which product starts; `product` may
    name one on request instead, of the same kind of media. `options` are the product's, as
    `GET /options` describes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1), AfterValidator(_plain)]
    bytes: Annotated[int, Field(ge=1, strict=True), BeforeValidator(_whole)]
    media_type: Annotated[str, StringConstraints(pattern=_MEDIA_TYPE)] | None = None
    product: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class Upload(BaseModel):
    """A form that uploads the file and so starts its job.

    POST it to `url` as `multipart/form-data` until `expires_at`: every one of `fields` as it is,
    then the file as `file`. `GET /jobs/{id}` says what became of it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    product: str
    key: str
    url: str
    fields: dict[str, str]
    expires_at: datetime


def add_uploads(api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue) -> None:
    @api.post(
        "/uploads",
        operation_id="createUpload",
        summary="Get a form that uploads a file and so starts its job.",
        tags=["Uploads"],
        status_code=HTTPStatus.CREATED,
        response_description="A form",
    )
    def create_upload(upload: NewUpload, idempotency_key: IdempotencyKey = None) -> Upload:
        asked = ["createUpload", upload.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda _: _create(upload, current, catalogue), Upload
        )


def _create(asked: NewUpload, current: Current, catalogue: Catalogue) -> Upload:
    principal = current.principal
    product = _product(asked, current.products)
    options = check_options(product, catalogue, asked.options)
    metadata = options_metadata(product, options)
    if asked.bytes > (most := product.most_bytes):
        says = f"file of {asked.bytes:,} bytes; the limit is {most:,}"
        raise WrongFields.one(MediaTooLarge(says), "body.bytes")
    current.spend(jobs=1, upload_bytes=asked.bytes)
    upload = new_upload(principal.prefix, datetime.now(UTC))
    site, key = current.site, f"{upload.folder}{asked.name}"
    form = presign_form(
        site,
        Location(site.names.bucket("ingest"), key),
        size=asked.bytes,
        fields={
            **({"Content-Type": asked.media_type} if asked.media_type else {}),
            **{f"{_METADATA}{name}": text for name, text in metadata.items()},
            "success_action_status": str(int(HTTPStatus.CREATED)),
        },
        lasts=LASTS,
    )
    return Upload(
        id=upload.id,
        product=product.name,
        key=key,
        url=form.url,
        fields=form.fields,
        expires_at=upload.expires_at,
    )


def _product(asked: NewUpload, products: tuple[Product, ...]) -> Product:
    """Return the product that the name starts, or the one on request that was asked for instead.

    Raises WrongFields if it is of other media, or starts by itself for other names.
    """
    starts = taker(asked.name, products)
    if starts is None:
        raise WrongFields.one(InvalidRequest(f"{asked.name} starts no product"), "body.name")
    product = find_product(asked.product, products) if asked.product else starts
    stands_in = product.on_request and _media_of(product) is _media_of(starts)
    if product != starts and not stands_in:
        says = f"a file called {asked.name} starts {starts.name}, not {product.name}"
        raise WrongFields.one(InvalidRequest(says), "body.product")
    return product


def _media_of(product: Product) -> type[Source]:
    return read_product_contract(product.contracts).source
