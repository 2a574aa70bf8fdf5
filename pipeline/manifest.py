"""What the TOML files declare, as frozen values: containers and resources.

These files, with the model catalogue, are the single source of truth. The state machines'
placeholders, the local cloud, the infrastructure and the tests are all derived from them.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.access import Access
from pipeline.declaration import (
    Declaration,
    KebabName,
    MemoryMb,
    beside_handlers,
    naming,
    read_toml,
)

SemanticVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


FindingsLimit = Literal["max_critical", "max_high", "max_medium"]


class ContainerManifest(Declaration):
    """`containers/<folder>/container.toml`; the limits are Lambda's own.

    `environment` is what its process needs before it starts; a deployment adds its settings.
    `access` is what its role may do, and nothing more; with `reads_sources` also what the `s3://`
    addresses and the tokens of catalogue rows name. `gate` is how many findings of a severity an
    image may be released with, where that differs from the release gate's own limits.
    `image_mb` is the most its image may add to its base, unpacked. `data` are patterns, relative to
    the repository, of the files beside its code that it reads: see `pipeline.shipping`.
    """

    name: KebabName
    version: SemanticVersion
    summary: str
    job: str
    memory_mb: MemoryMb
    timeout_s: int = Field(ge=1, le=900)
    storage_mb: int = Field(default=512, ge=512, le=10_240)
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    image_mb: int = Field(ge=1, le=10_240)
    data: tuple[str, ...] = ()
    function_per_model: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    access: tuple[Access, ...] = ()
    gate: dict[FindingsLimit, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    reads_sources: bool = False

    @model_validator(mode="after")
    def _gives_models_access_only_where_functions_have_one(self) -> Self:
        if not self.function_per_model and any(access.is_of_a_model for access in self.access):
            raise ValueError("access by model or engine needs function_per_model = true")
        return self

    @property
    def folder(self) -> str:
        return self.name.replace("-", "_")

    @property
    def handler(self) -> str:
        """What its image serves, and the same for the local cloud."""
        return f"containers.{self.folder}.handler.handler"

    @property
    def placeholder(self) -> str:
        """The name its function's ARN has in a state machine: `EdgeRefinerArn`."""
        return f"{pascal_case(self.name)}Arn"


class Bucket(Declaration):
    """`retained` buckets outlive their deployment; so do, for so many days, `locked` objects.

    Of a versioned bucket, versions that were replaced or deleted stay for `noncurrent_days`.
    """

    summary: str
    versioned: bool = False
    events: bool = False
    retained: bool = False
    expires_days: int | None = Field(default=None, ge=1)
    noncurrent_days: int = Field(default=90, ge=1)
    locked_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _locks_versions(self) -> Self:
        if self.locked_days is not None and not self.versioned:
            raise ValueError("only versions can be locked: locked_days needs versioned = true")
        return self


class Index(Declaration):
    """Another way to find a row's key: by `attribute`. What is `copied` is found along with it."""

    attribute: str
    copied: tuple[str, ...] = ()


class Table(Declaration):
    """One row for each `key`."""

    summary: str
    key: str
    indexes: dict[KebabName, Index] = Field(default_factory=dict)


class Operation(Declaration):
    """A small function of the platform's own, in a zip: `infra/functions/<snake_name>`.

    It needs no image, so it is there before the first one is built. CodeDeploy invokes a `hook`.
    """

    summary: str
    timeout_s: int = Field(ge=1, le=900)
    memory_mb: MemoryMb = 256
    hook: bool = False
    environment: dict[str, str] = Field(default_factory=dict)


class Resources(Declaration):
    """`state_machines/resources.toml`: what the state machines name besides the containers."""

    buckets: dict[str, Bucket]
    tables: dict[str, Table]
    functions: dict[KebabName, Operation] = Field(default_factory=dict)


def pascal_case(kebab: str) -> str:
    return "".join(word.capitalize() for word in kebab.split("-"))


def load_container(folder: Path) -> ContainerManifest:
    """Read one container's manifest; its name must be the folder's, in kebab-case."""
    path = folder / "container.toml"
    with naming(path):
        manifest = ContainerManifest.model_validate(read_toml(path))
        if manifest.folder != folder.name:
            raise ValueError(f"name {manifest.name!r} is not the folder's")
    return manifest


def load_containers(root: Path) -> tuple[ContainerManifest, ...]:
    """Every container under `root/containers`, by name."""
    return tuple(load_container(path.parent) for path in beside_handlers(root, "container.toml"))


def load_resources(root: Path) -> Resources:
    path = root / "state_machines" / "resources.toml"
    with naming(path):
        return Resources.model_validate(read_toml(path))
