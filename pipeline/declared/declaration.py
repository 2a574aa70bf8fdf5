"""Define the base, the names and the reading of TOML declarations."""

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_MEMORY_MB: Final = 10_240  # Lambda's ceiling
MOST_BATCH_MEMORY_MB: Final = 245_760  # of a job that has the largest machine of a queue
MemoryMb = Annotated[int, Field(ge=128, le=MOST_MEMORY_MB)]
BatchMemoryMb = Annotated[int, Field(ge=512, le=MOST_BATCH_MEMORY_MB)]
KebabName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]


class Declaration(BaseModel):
    """A value that a TOML file declares: frozen; unknown fields are rejected by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def beside_handlers(root: Path, name: str) -> Iterable[Path]:
    """Return every `root/containers/*/name`, in order."""
    return sorted((root / "containers").glob(f"*/{name}"))


def read_toml(path: Path) -> dict[str, list[dict[str, object]]]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Prefix validation errors with the file's path."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def pascal_case(kebab: str) -> str:
    return "".join(word.capitalize() for word in kebab.split("-"))
