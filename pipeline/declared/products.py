"""Declare products (`state_machines/<machine>.product.toml`), and route keys to them.

A product is what people get for media they upload: one state machine, one module in
`pipeline.contracts`, one set of options. Keys are routed by their suffix; the content decides
later whether the object is what its name says.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from pipeline.declared.declaration import Declaration, KebabName, naming, read_toml

Suffix = Annotated[str, StringConstraints(pattern=r"^\.[a-z0-9]+$")]  # in small letters
RecordSuffix = Annotated[str, StringConstraints(pattern=r"^_[a-z_.]+\.json$")]

FORM_BYTES: Final = 5 * 10**9  # S3 takes 5 GiB with one form
_FILE: Final = ".product.toml"
_FOLDER_MARKER: Final = "/"  # S3 stores an empty object under `trips/` for a folder made by hand


class Role(Declaration):
    """A task of a product that needs a model.

    The model is a row of `container`: its default, or the one that the product's option called
    `option` names. With `when`, the role has a model only if the option of that name is true; its
    `option` may then be null, which is the default. Without `when`, a null `option` is no model.
    With `engine`, only rows of that engine fit.
    """

    container: KebabName
    engine: KebabName | None = None
    when: str | None = None
    option: str | None = None

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
    that no other product takes. It takes files of at most `most_bytes`. `record` ends the key of
    its output record, which is written last.
    """

    name: KebabName
    summary: str
    suffixes: tuple[Suffix, ...] = ()
    most_bytes: Annotated[int, Field(ge=1, le=FORM_BYTES)] = FORM_BYTES
    record: RecordSuffix
    roles: Mapping[str, Role] = Field(default_factory=dict)
    machine: KebabName

    @property
    def contracts(self) -> str:
        """Return the name of the product's module in `pipeline.contracts`."""
        return self.name.replace("-", "_")


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


def ingest_pattern(product: Product, products: Sequence[Product], bucket: str) -> str:
    """Return the EventBridge pattern (JSON) of the uploads to `bucket` that start the product."""
    if product.suffixes:
        keys: list[object] = [{"suffix": suffix} for suffix in spellings(product)]
    else:
        taken = [suffix for other in products for suffix in spellings(other)]
        keys = [{"anything-but": {"suffix": [_FOLDER_MARKER, *taken]}}]
    return json.dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}, "object": {"key": keys}},
        }
    )


def taker(key: str, products: Sequence[Product]) -> Product | None:
    """Return the product that an upload under `key` starts; None for a folder's marker."""
    if key.endswith(_FOLDER_MARKER):
        return None
    for product in products:
        if key.endswith(tuple(spellings(product))):
            return product
    return next((product for product in products if not product.suffixes), None)


def spellings(product: Product) -> list[str]:
    """Return each suffix as people and devices write it: `.mp3`, `.MP3`, `.Mp3`.

    EventBridge cannot exclude a suffix in any case, and both sides of a route have to be equal.
    """
    return [
        spelled
        for suffix in product.suffixes
        for spelled in dict.fromkeys((suffix, suffix.upper(), f".{suffix[1:].capitalize()}"))
    ]


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
    rest = [product.name for product in products if not product.suffixes]
    if products and len(rest) != 1:
        raise ValueError(
            "exactly one product has no suffixes and takes all other keys, "
            f"not {len(rest)}: {', '.join(rest) or 'none'}"
        )
