"""What the TOML files declare, as frozen values: containers and resources.

These files, with the model catalogue, are the single source of truth. The state machines'
placeholders, the local cloud, the infrastructure and the tests are all derived from them.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.declaration import (
    Declaration,
    KebabName,
    MemoryMb,
    beside_handlers,
    naming,
    read_toml,
)

SemanticVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class ContainerManifest(Declaration):
    """`containers/<folder>/container.toml`; the limits are Lambda's own.

    `environment` is what its process needs before it starts; a deployment adds its settings.
    """

    name: KebabName
    version: SemanticVersion
    summary: str
    job: str
    memory_mb: MemoryMb
    timeout_s: int = Field(ge=1, le=900)
    storage_mb: int = Field(default=512, ge=512, le=10_240)
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    function_per_model: bool = False
    environment: dict[str, str] = Field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.name.replace("-", "_")

    @property
    def handler(self) -> str:
        """The image's command, and the same for the local cloud."""
        return f"containers.{self.folder}.handler.handler"

    @property
    def placeholder(self) -> str:
        """The name its function's ARN has in a state machine: `EdgeRefinerArn`."""
        return f"{pascal_case(self.name)}Arn"


class Bucket(Declaration):
    summary: str
    versioned: bool = False
    events: bool = False
    expires_days: int | None = None


class Table(Declaration):
    summary: str
    key: str


class Operation(Declaration):
    """A small function of the platform's own, in a zip: `infra/functions/<snake_name>`.

    It needs no image, so it is there before the first one is built.
    """

    summary: str
    timeout_s: int = Field(ge=1, le=900)
    memory_mb: MemoryMb = 256


class Resources(Declaration):
    """`state_machines/resources.toml`: what the state machines name besides the containers."""

    buckets: dict[str, Bucket]
    tables: dict[str, Table]
    functions: dict[KebabName, Operation] = Field(default_factory=dict)


def operation_handler(name: str) -> str:
    """Where an operation's code is, in its zip and for the local cloud."""
    return f"infra.functions.{name.replace('-', '_')}.handler.handler"


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
