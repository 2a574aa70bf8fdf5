"""What a person chose of models, before any cloud is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.models import Catalogue, load_catalogue
from pipeline.errors import InvalidOptions
from pipeline.session.kept_weights import cache_folder


@dataclass(frozen=True)
class ModelChoice:
    """What a person said about models: a name or None for any, a mirror, extra catalogues.

    And which non-commercial licences they accept, by name; and whether functions are to run inside
    their built images.
    """

    name: str | None = None
    mirror: str | None = None
    overlays: tuple[Path, ...] = ()
    accepted_licences: tuple[str, ...] = ()
    images: bool = False


def mirror_of(choice: ModelChoice) -> str | None:
    """The person's mirror, else the weights that an earlier session kept, if there are any."""
    cache = cache_folder()
    return choice.mirror or (str(cache) if cache.is_dir() else None)


def read_catalogue(root: Path, choice: ModelChoice) -> Catalogue:
    """The catalogue with the person's own files over it; InvalidOptions if one is wrong."""
    try:
        return load_catalogue(root, choice.overlays, accepted_licences=choice.accepted_licences)
    except ValueError as error:
        raise InvalidOptions(f"catalogue: {error}") from error
