"""What the TOML files declare, as frozen values: containers, the model catalogue, resources.

These files are the single source of truth. The state machines' placeholders, the local cloud, the
infrastructure and the tests are all derived from them.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pipeline.errors import LicenseNotAccepted, UnknownModel

KebabName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
SemanticVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
LicenceName = Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$")]  # as SPDX spells it
Digest = Annotated[str, StringConstraints(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Triple = tuple[float, float, float]


class Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ContainerManifest(Declaration):
    """`containers/<folder>/container.toml`; the limits are Lambda's own.

    `environment` is what its process needs before it starts; a deployment adds its settings.
    """

    name: KebabName
    version: SemanticVersion
    summary: str
    job: str
    memory_mb: int = Field(ge=128, le=10_240)
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


class WeightsFile(Declaration):
    """One file of a model. `digest` is what the publisher states; it names the staged copy.

    A `file:` address without a leading slash is relative to the catalogue file that states it.
    """

    name: str = Field(pattern=r"^\w[\w. -]*$")  # a plain file name: it may not leave its folder
    urls: tuple[str, ...] = ()
    digest: Digest
    bytes: int | None = None


class SaliencySpec(Declaration):
    """How a photo becomes a saliency network's input, and its output a probability.

    The photo is stretched to `input_size`² RGB, divided by `scale` (a number, or the largest value
    in the photo itself), then normalised with `mean` and `std`. Output 0, channel 0 is the mask,
    through a sigmoid first if `activation` says so.
    """

    input_size: int = Field(ge=32, le=4096)
    scale: float | Literal["max"]
    mean: Triple
    std: Triple
    activation: Literal["none", "sigmoid"]


class ModelRow(Declaration):
    """One model of the catalogue: a row, not a class."""

    name: KebabName
    summary: str
    engine: Literal["saliency"]
    licence: LicenceName
    commercial: bool
    memory_mb: int = Field(ge=128, le=10_240)
    fallback: KebabName | None = None
    saliency: SaliencySpec
    files: tuple[WeightsFile, ...] = Field(min_length=1)

    @property
    def revision(self) -> str:
        """12 hexadecimal digits that change whenever any file of the model does."""
        digests = "\n".join(file.digest for file in self.files)
        return hashlib.sha256(digests.encode()).hexdigest()[:12]

    @property
    def weights_prefix(self) -> str:
        return f"{self.name}/{self.revision}"

    @property
    def weights_key(self) -> str:
        """The staged manifest: written last, so that its presence means the model is complete."""
        return f"{self.weights_prefix}/manifest.json"


class Catalogue(Declaration):
    """Every model row, later files overriding earlier rows of the same name.

    `accepted_licences` are the non-commercial ones that whoever runs the deployment agreed to.
    """

    rows: tuple[ModelRow, ...]
    accepted_licences: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _fallbacks_exist(self) -> Self:
        names = {row.name for row in self.rows}
        lost = sorted(row.name for row in self.rows if row.fallback and row.fallback not in names)
        if lost:
            raise ValueError(f"fallback names no row of the catalogue: {', '.join(lost)}")
        return self

    def row(self, name: str) -> ModelRow:
        """The row called `name`, or UnknownModel with the names there are."""
        for row in self.rows:
            if row.name == name:
                return row
        known = ", ".join(row.name for row in self.rows)
        raise UnknownModel(f"no model is called {name!r}; there are {known}")

    def accepts(self, row: ModelRow) -> bool:
        """Whether the row's licence lets this deployment use it."""
        return row.commercial or row.licence in self.accepted_licences

    def usable(self, name: str) -> ModelRow:
        """The row called `name`; UnknownModel, or LicenseNotAccepted for a row nobody accepted."""
        row = self.row(name)
        if not self.accepts(row):
            raise LicenseNotAccepted(
                f"the weights of {name} are under {row.licence}, which forbids commercial use"
            )
        return row


class Bucket(Declaration):
    summary: str
    versioned: bool = False
    events: bool = False
    expires_days: int | None = None


class Table(Declaration):
    summary: str
    key: str


class Resources(Declaration):
    """`state_machines/resources.toml`: the buckets and tables the state machines name."""

    buckets: dict[str, Bucket]
    tables: dict[str, Table]


def pascal_case(kebab: str) -> str:
    return "".join(word.capitalize() for word in kebab.split("-"))


def load_container(folder: Path) -> ContainerManifest:
    """Read one container's manifest; its name must be the folder's, in kebab-case."""
    path = folder / "container.toml"
    with _naming(path):
        manifest = ContainerManifest.model_validate(_read_toml(path))
        if manifest.folder != folder.name:
            raise ValueError(f"name {manifest.name!r} is not the folder's")
    return manifest


def load_containers(root: Path) -> tuple[ContainerManifest, ...]:
    """Every container under `root/containers`, by name."""
    return tuple(load_container(path.parent) for path in _each(root, "container.toml"))


def load_catalogue(
    root: Path, overlays: Sequence[Path] = (), *, accepted_licences: Iterable[str] = ()
) -> Catalogue:
    """The model rows of every container, with `overlays` layered over them."""
    rows: dict[str, ModelRow] = {}
    for path in [*_each(root, "models.toml"), *overlays]:
        with _naming(path):
            for fields in _read_toml(path).get("models", []):
                row = ModelRow.model_validate(fields)
                rows[row.name] = _rooted(row, path.absolute().parent)
    return Catalogue(rows=tuple(rows.values()), accepted_licences=frozenset(accepted_licences))


def load_resources(root: Path) -> Resources:
    path = root / "state_machines" / "resources.toml"
    with _naming(path):
        return Resources.model_validate(_read_toml(path))


def _rooted(row: ModelRow, folder: Path) -> ModelRow:
    """The row with its relative `file:` addresses made absolute."""
    files = tuple(
        file.model_copy(update={"urls": tuple(_address(url, folder) for url in file.urls)})
        for file in row.files
    )
    return row.model_copy(update={"files": files})


def _address(url: str, folder: Path) -> str:
    scheme, _, path = url.partition(":")
    return (folder / path).as_uri() if scheme == "file" and not path.startswith("/") else url


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file in front of whatever is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _each(root: Path, name: str) -> Iterable[Path]:
    return sorted((root / "containers").glob(f"*/{name}"))


def _read_toml(path: Path) -> dict[str, list[dict[str, object]]]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
