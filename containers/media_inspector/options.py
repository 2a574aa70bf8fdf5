"""Options from four places into one: execution input over metadata over profile over defaults."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from containers.media_inspector.request import describe
from pipeline.contracts.cutout import Options
from pipeline.errors import InvalidOptions

_METADATA_PREFIX: Final = "matteline-"
_BOOLEANS: Final = {"true": True, "false": False}


class Profile(BaseModel):
    """Options that every photo under a key prefix gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str
    options: dict[str, Any]


def load_profiles() -> tuple[Profile, ...]:
    """The container's own `profiles.toml`, longest prefix first."""
    text = (Path(__file__).parent / "profiles.toml").read_text(encoding="utf-8")
    profiles = [Profile.model_validate(row) for row in tomllib.loads(text)["profiles"]]
    return tuple(sorted(profiles, key=lambda profile: -len(profile.prefix)))


def merge_options(
    *,
    typed: Mapping[str, Any],
    metadata: Mapping[str, str],
    key: str,
    profiles: Sequence[Profile],
    default_model: str,
) -> Options:
    """The options of one photo; InvalidOptions names every field that is wrong, and its source."""
    merged: dict[str, Any] = {"model": default_model}
    matching = next((row for row in profiles if key.startswith(row.prefix)), None)
    if matching:
        merged |= _checked(matching.options, f"profile {matching.prefix!r}")
    merged |= _checked(_from_metadata(metadata), "object metadata")
    merged |= _checked(typed, "options")
    return Options.model_validate(merged)


def _checked(fields: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """The same fields once they are known to be valid, so that a mistake is named where it is."""
    try:
        Options.model_validate({"model": "unnamed", **fields})
    except ValidationError as error:
        raise InvalidOptions(f"{origin}: {describe(error)}") from error
    return dict(fields)


def _from_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """`x-amz-meta-matteline-crop: true` → {"crop": True}; a list of outputs has commas."""
    texts = {
        name.removeprefix(_METADATA_PREFIX).replace("-", "_"): text
        for name, text in metadata.items()
        if name.startswith(_METADATA_PREFIX)
    }
    return {name: _READERS.get(name, _read_word)(text) for name, text in texts.items()}


def _read_word(text: str) -> object:
    return _BOOLEANS.get(text.lower(), text)


def _read_list(text: str) -> object:
    return [part.strip() for part in text.split(",")]


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidOptions(f"object metadata: prompts: not JSON, {error}") from error


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "outputs": _read_list,
    "prompts": _read_json,
}


def canonical(options: Options) -> str:
    """One spelling for equal options, for the job's identity."""
    return json.dumps(options.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
