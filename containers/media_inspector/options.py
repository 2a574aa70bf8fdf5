"""Merges options: execution input over object metadata over profile over defaults."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from email.errors import MessageError
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.contracts.contract import PRODUCT, Options, metadata_name, option_texts
from pipeline.contracts.written import describe, read_text
from pipeline.declared.products import Product
from pipeline.errors import InvalidOptions
from pipeline.spelling import did_you_mean

Asked = TypeVar("Asked", bound=Options)

_METADATA: Final = "object metadata"
_DEFAULT: Final = "default"


class Profile(BaseModel):
    """Options that a product uses for every key under a prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: str
    prefix: str
    options: dict[str, Any]


def load_profiles() -> tuple[Profile, ...]:
    """Read the container's own `profiles.toml`, longest prefix first."""
    text = (Path(__file__).parent / "profiles.toml").read_text(encoding="utf-8")
    profiles = [Profile.model_validate(row) for row in tomllib.loads(text)["profiles"]]
    return tuple(sorted(profiles, key=lambda profile: -len(profile.prefix)))


def profile_of(product: str, key: str, profiles: Sequence[Profile]) -> Profile | None:
    """Return the first of a product's profiles whose prefix the key has."""
    mine = (profile for profile in profiles if profile.product == product)
    return next((profile for profile in mine if key.startswith(profile.prefix)), None)


def product_asked(metadata: Mapping[str, str], products: Sequence[Product]) -> Product | None:
    """Return the product that an object's metadata asks for, if it asks for one.

    Raises InvalidOptions for two names, and for a name that no product has.
    """
    names = [_decoded(text).strip() for option, text in option_texts(metadata) if option == PRODUCT]
    if not names:
        return None
    if len(names) > 1:
        raise InvalidOptions(f"{_METADATA}: {PRODUCT}: there are two values")
    known = {product.name: product for product in products}
    if names[0] not in known:
        hint = did_you_mean(names[0], known) or f"; there is {', '.join(known)}"
        raise InvalidOptions(f"{_METADATA}: {PRODUCT}: there is no product {names[0]!r}{hint}")
    return known[names[0]]


def without_product(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return an object's metadata without the name of a product, which is no option."""
    name = metadata_name(PRODUCT)
    return {
        written: text
        for written, text in metadata.items()
        if written.lower().replace("_", "-") != name
    }


def merge_options(
    kind: type[Asked],
    *,
    typed: Mapping[str, Any],
    metadata: Mapping[str, str],
    profile: Profile | None,
    defaults: Mapping[str, Any],
) -> Asked:
    """Return one object's options: typed over metadata over profile over defaults.

    Raises InvalidOptions, which names every wrong field and where it came from, or both options
    of every contradiction.
    """
    places: dict[str, Mapping[str, Any]] = {_DEFAULT: {}}  # the strongest last
    if profile:
        places[f"profile {profile.prefix!r}"] = profile.options
    places[_METADATA] = _from_metadata(kind, metadata)
    places["options"] = typed
    merged, origins = dict(defaults), dict.fromkeys(kind.model_fields, _DEFAULT)
    for origin, fields in places.items():
        _require_valid(kind, {**defaults, **fields}, origin)
        merged |= fields
        origins |= dict.fromkeys(fields, origin)
    options = kind.model_validate(merged)
    if found := list(_contradictions(options, origins, list(places))):
        raise InvalidOptions("; ".join(found))
    return options


def _require_valid(kind: type[Options], fields: Mapping[str, Any], origin: str) -> None:
    """Raise InvalidOptions, which names the origin, unless the fields of one place are valid."""
    try:
        kind.model_validate(fields)
    except ValidationError as error:
        raise InvalidOptions(f"{origin}: {describe(error, kind)}") from error


def _contradictions(
    options: Options, origins: Mapping[str, str], places: Sequence[str]
) -> Iterator[str]:
    """Yield a sentence for every contradiction that a stronger place does not resolve.

    A profile's margin ends with the crop that an upload's metadata switches off, for example.
    `places` are in the order of their strength, the strongest last.
    """
    for found in options.contradictions():
        option, other = origins[found.option], origins[found.other]
        if found.impossible or places.index(option) >= places.index(other):
            yield (f"{found.option} ({option}) contradicts {found.other} ({other}): {found.why}")


def _from_metadata(kind: type[Options], metadata: Mapping[str, str]) -> dict[str, Any]:
    """`x-amz-meta-matteline-crop: true` → {"crop": "true"}; a list of words has commas."""
    fields: dict[str, Any] = {}
    for name, text in option_texts(metadata):
        if name in fields:
            raise InvalidOptions(f"{_METADATA}: {name}: there are two values")
        try:
            fields[name] = read_text(kind, name, _decoded(text))
        except ValueError as error:
            raise InvalidOptions(f"{_METADATA}: {name}: {error}") from error
    return fields


def _decoded(text: str) -> str:
    """Return the text that S3 returns in RFC 2047's words (`=?UTF-8?…?=`) if it is not ASCII."""
    try:
        return str(make_header(decode_header(text)))
    except (MessageError, LookupError, ValueError):
        return text


def canonical(options: Options) -> str:
    """Return one spelling for equal options, for the job's identity."""
    told = options.model_dump(mode="json", exclude=set(options.without_effect))
    return json.dumps(told, sort_keys=True, separators=(",", ":"))
