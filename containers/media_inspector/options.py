"""Merges options: execution input over object metadata over profile over defaults."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from containers.media_inspector.request import describe
from pipeline.contracts.contract import Options
from pipeline.errors import InvalidOptions

Asked = TypeVar("Asked", bound=Options)

_METADATA_PREFIX: Final = "matteline-"
_BOOLEANS: Final = {"true": True, "false": False}


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


def merge_options(
    kind: type[Asked],
    *,
    typed: Mapping[str, Any],
    metadata: Mapping[str, str],
    profile: Profile | None,
    defaults: Mapping[str, Any],
) -> Asked:
    """Return one object's options: typed over metadata over profile over defaults.

    Raises InvalidOptions, which names every wrong field and where it came from.
    """
    merged = dict(defaults)
    if profile:
        origin = f"profile {profile.prefix!r}"
        merged |= _checked(kind, profile.options, origin, defaults)
    merged |= _checked(kind, _from_metadata(kind, metadata), "object metadata", defaults)
    merged |= _checked(kind, typed, "options", defaults)
    return kind.model_validate(merged)


def _checked(
    kind: type[Options], fields: Mapping[str, Any], origin: str, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the same fields once they are known to be valid, so that errors name their origin."""
    try:
        kind.model_validate({**defaults, **fields})
    except ValidationError as error:
        raise InvalidOptions(f"{origin}: {describe(error)}") from error
    return dict(fields)


def _from_metadata(kind: type[Options], metadata: Mapping[str, str]) -> dict[str, Any]:
    """`x-amz-meta-matteline-crop: true` → {"crop": True}; a list of words has commas."""
    texts = {
        name.removeprefix(_METADATA_PREFIX).replace("-", "_"): text
        for name, text in metadata.items()
        if name.startswith(_METADATA_PREFIX)
    }
    return {name: _read(kind, name, text) for name, text in texts.items()}


def _read(kind: type[Options], name: str, text: str) -> object:
    """Return a field's value from text: lists of objects are JSON, lists of words have commas."""
    field = kind.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not tuple:
        return _BOOLEANS.get(text.lower(), text)
    (item, *_) = get_args(field.annotation)
    if isinstance(item, type) and issubclass(item, BaseModel):
        return _read_json(name, text)
    return [part.strip() for part in text.split(",")]


def _read_json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidOptions(f"object metadata: {name}: not JSON, {error}") from error


def canonical(options: Options) -> str:
    """Return one spelling for equal options, for the job's identity."""
    return json.dumps(options.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
