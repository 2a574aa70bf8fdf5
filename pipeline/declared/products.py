"""Declare products (`state_machines/<machine>.product.toml`), and route keys to them.

A product is what people get for media they upload: one state machine, one module in
`pipeline.contracts`, one set of options. Keys are routed by their suffix; the content decides
later whether the object is what its name says. A product on request takes no key by its name:
an upload asks for it in its metadata, or a stage names prefixes whose uploads start it too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.declared.declaration import Declaration, KebabName, naming, read_toml
from pipeline.spelling import did_you_mean

Suffix = Annotated[str, StringConstraints(pattern=r"^\.[a-z0-9]+$")]  # in small letters
RecordSuffix = Annotated[str, StringConstraints(pattern=r"^_[a-z_.]+\.json$")]
FileSuffix = Annotated[str, StringConstraints(pattern=r"^_[a-z_.]+\.[a-z0-9]+$")]

FORM_BYTES: Final = 5 * 10**9  # S3 takes 5 GiB with one form
_FILE: Final = ".product.toml"
_LONGEST_KEY_BYTES: Final = 1024  # S3's limit
_FOLDER_MARKER: Final = "/"  # S3 stores an empty object under `trips/` for a folder made by hand


class Role(Declaration):
    """A task of a product that needs a model.

    The model is a row of `container`: its default, or the one that the product's option called
    `option` names. With `when`, the role has a model only if the option of that name is true; its
    `option` may then be null, which is the default. Without `when`, a null `option` is no model.
    With `engine`, only rows of that engine fit. `batch` says that the state machine can run the
    task in a job of AWS Batch too.
    """

    container: KebabName
    engine: KebabName | None = None
    when: str | None = None
    option: str | None = None
    batch: bool = False

    def asked(self, options: Mapping[str, object]) -> str | Literal[True] | None:
        """Return the name of the row that `options` ask for; True for the default, None for none.

        An option that is missing there is null.
        """
        if self.when is not None and not options.get(self.when):
            return None
        named = options.get(self.option) if self.option else None
        if named is not None:
            return str(named)
        return True if self.when or not self.option else None


class Product(Declaration):
    """The declaration of a product.

    `suffixes` are the ends of the keys it takes, in small letters; without any, it takes every key
    that no other product takes. One `on_request` takes no key by its name. A product takes files of
    at most `most_bytes`. `record` ends the key of its output record, which is written last. With
    `work_days`, what its tasks write for each other is in a folder of the product's name, and
    expires after so many days. `follows_source` are the ends of the keys of all its files, if these
    and the record are deleted with the upload.
    """

    name: KebabName
    summary: str
    suffixes: tuple[Suffix, ...] = ()
    on_request: bool = False
    most_bytes: Annotated[int, Field(ge=1, le=FORM_BYTES)] = FORM_BYTES
    record: RecordSuffix
    work_days: Annotated[int, Field(ge=1)] | None = None
    follows_source: tuple[FileSuffix, ...] = ()
    roles: Mapping[str, Role] = Field(default_factory=dict)
    machine: KebabName

    @model_validator(mode="after")
    def _is_asked_for_or_takes_suffixes(self) -> Self:
        if self.on_request and self.suffixes:
            raise ValueError("a product on request takes no suffixes")
        return self

    @property
    def contracts(self) -> str:
        """Return the name of the product's module in `pipeline.contracts`."""
        return self.name.replace("-", "_")

    @property
    def work_folder(self) -> str:
        """Return the folder of the work bucket for its tasks: `faces/`; empty for the bucket."""
        return f"{self.name}/" if self.work_days else ""


def load_products(root: Path) -> tuple[Product, ...]:
    """Read every product of the repository, ordered by its state machine's name.

    Raises ValueError if two products take one suffix, or not exactly one takes the other keys.
    """
    paths = sorted((root / "state_machines").glob(f"*{_FILE}"))
    products = tuple(_load(path) for path in paths)
    _require_one_taker(products)
    return products


def naming_roles(product: Product) -> dict[str, Role]:
    """Return the roles whose model a user may name, by the option that names it."""
    return {role.option: role for role in product.roles.values() if role.option}


def read_prefixes(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read texts such as `faces=people/`: the prefixes that start a product on request, by name.

    Raises ValueError for a text of another form.
    """
    prefixes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, prefix = text.partition("=")
        if not equals or not prefix:
            raise ValueError(f"not of the form product=prefix, such as faces=people/: {text!r}")
        prefixes[name] = (*prefixes.get(name, ()), prefix)
    return prefixes


def require_on_request(prefixes: Mapping[str, Sequence[str]], products: Sequence[Product]) -> None:
    """Raise ValueError if a key is no product on request, or one of its prefixes is none."""
    names = [product.name for product in products if product.on_request]
    for name, given in prefixes.items():
        if name not in names:
            known = did_you_mean(name, names) or f"; there is {', '.join(names) or 'none'}"
            raise ValueError(f"{name!r} is no product on request{known}")
        for prefix in given:
            if not prefix or len(prefix.encode()) > _LONGEST_KEY_BYTES:
                raise ValueError(f"{name}: a prefix has 1 to {_LONGEST_KEY_BYTES} bytes")


def ingest_pattern(
    product: Product,
    products: Sequence[Product],
    bucket: str,
    *,
    prefixes: Sequence[str] = (),
) -> str | None:
    """Return the EventBridge pattern (JSON) of the uploads to `bucket` that start the product.

    None for a product on request without `prefixes`: no upload starts it. Their uploads have
    content: a pattern cannot both ask for a prefix and exclude a folder's marker, which is empty.
    """
    stored: dict[str, list[object]] = {}
    if product.on_request:
        if not prefixes:
            return None
        stored["key"] = [{"prefix": prefix} for prefix in prefixes]
        stored["size"] = [{"numeric": [">", 0]}]
    elif product.suffixes:
        stored["key"] = [{"suffix": suffix} for suffix in spellings(product)]
    else:
        taken = [suffix for other in products for suffix in spellings(other)]
        stored["key"] = [{"anything-but": {"suffix": [_FOLDER_MARKER, *taken]}}]
    return json.dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}, "object": stored},
        }
    )


def taker(key: str, products: Sequence[Product]) -> Product | None:
    """Return the product that a key's name starts; None for a folder's marker."""
    if key.endswith(_FOLDER_MARKER):
        return None
    for product in products:
        if key.endswith(tuple(spellings(product))):
            return product
    return next((product for product in products if _takes_the_rest(product)), None)


def spellings(product: Product) -> list[str]:
    """Return each suffix as people and devices write it: `.mp3`, `.MP3`, `.Mp3`.

    EventBridge cannot exclude a suffix in any case, and both sides of a route have to be equal.
    """
    return [
        spelled
        for suffix in product.suffixes
        for spelled in dict.fromkeys((suffix, suffix.upper(), f".{suffix[1:].capitalize()}"))
    ]


def _takes_the_rest(product: Product) -> bool:
    return not product.suffixes and not product.on_request


def _load(path: Path) -> Product:
    with naming(path):
        machine = path.name.removesuffix(_FILE)
        return Product.model_validate({"machine": machine, **read_toml(path)})


def require_products(
    products: Sequence[Product],
    *,
    machines: Collection[str],
    engines: Mapping[str, Collection[str]],
) -> None:
    """Raise ValueError for products that share a name or a record, or name what does not exist.

    `engines` are those of each container that has models.
    """
    for field in ("name", "record"):
        values = [getattr(product, field) for product in products]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"two products have the {field} {', '.join(twice)}")
    for product in products:
        if product.machine not in machines:
            raise ValueError(f"product {product.name} has no {product.machine}.asl.json")
        owners = {role.container for role in product.roles.values()}
        if lost := sorted(owners - engines.keys()):
            raise ValueError(
                f"product {product.name}: a role's container has no models: {', '.join(lost)}"
            )
        for role in product.roles.values():
            if role.engine and role.engine not in engines[role.container]:
                raise ValueError(
                    f"product {product.name}: {role.container} has no engine {role.engine}"
                )


def _require_one_taker(products: Sequence[Product]) -> None:
    suffixes = [suffix for product in products for suffix in product.suffixes]
    if twice := sorted({suffix for suffix in suffixes if suffixes.count(suffix) > 1}):
        raise ValueError(f"two products take keys that end in {', '.join(twice)}")
    rest = [product.name for product in products if _takes_the_rest(product)]
    if products and len(rest) != 1:
        raise ValueError(
            "exactly one product has no suffixes and takes all other keys, "
            f"not {len(rest)}: {', '.join(rest) or 'none'}"
        )
