"""The model catalogue: every `models.toml` as frozen rows. A row more is a model more."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, get_args

from pydantic import Field, StringConstraints, field_validator, model_validator

from pipeline.declared.addresses import Address, rooted
from pipeline.declared.declaration import (
    Declaration,
    KebabName,
    MemoryMb,
    beside_handlers,
    naming,
    read_toml,
)
from pipeline.declared.engines import BedrockSpec, Engine, SaliencySpec, SamSpec
from pipeline.declared.revisions import MANIFEST, weights_prefix
from pipeline.errors import LicenseNotAccepted, UnknownModel

LicenceName = Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$")]  # as SPDX spells it
Digest = Annotated[str, StringConstraints(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Spec = TypeVar("Spec", SaliencySpec, SamSpec, BedrockSpec)

_FILES: Final[dict[Engine, int]] = {"saliency": 1, "sam": 2, "bedrock": 0}
_CLAIM: Final = "claim.json"


class WeightsFile(Declaration):
    """One file of a model. `digest` is what the publisher states; it names the staged copy.

    A `file:` address without a leading slash is relative to the catalogue file that states it.
    `token` names the secret that opens a gated source. It is the first address's: no other host
    is ever shown what the secret holds.
    """

    name: str = Field(pattern=r"^\w[\w. -]*$")  # a plain file name: it may not leave its folder
    urls: tuple[Address, ...] = ()
    digest: Digest
    bytes: int | None = None
    token: str | None = Field(default=None, min_length=1)

    @field_validator("name")
    @classmethod
    def _is_not_taken(cls, name: str) -> str:
        if name in {MANIFEST, _CLAIM}:
            raise ValueError(f"{name} is written by staging itself")
        return name

    @model_validator(mode="after")
    def _tokens_travel_encrypted(self) -> Self:
        if self.token and not (self.urls and self.urls[0].startswith(("https:", "hf:"))):
            raise ValueError("a token needs a first address that is https:// or hf://")
        return self


class ModelRow(Declaration):
    """One model of the catalogue: a row, not a class. It has the table its engine is named after.

    A hosted model (`bedrock`) has no files: there is nothing to stage.

    `quantise` asks for matrix products in 8 bits, where the masks stay as they were.
    """

    name: KebabName
    summary: str
    engine: Engine
    licence: LicenceName
    commercial: bool
    memory_mb: MemoryMb
    fallback: KebabName | None = None
    saliency: SaliencySpec | None = None
    sam: SamSpec | None = None
    bedrock: BedrockSpec | None = None
    files: tuple[WeightsFile, ...] = ()
    quantise: Literal["int8-matmul"] | None = None

    @model_validator(mode="after")
    def _has_what_its_engine_needs(self) -> Self:
        tables = [name for name in get_args(Engine) if getattr(self, name) is not None]
        if tables != [self.engine]:
            given = " and ".join(tables) or "none"
            raise ValueError(f"engine {self.engine} needs its table {self.engine}, not {given}")
        files = _FILES[self.engine]
        if len(self.files) != files:
            raise ValueError(f"engine {self.engine} needs files: {files}, not {len(self.files)}")
        return self

    @model_validator(mode="after")
    def _has_files_of_different_names(self) -> Self:
        names = [file.name for file in self.files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two files are called {', '.join(twice)}")
        return self

    def spec(self, kind: type[Spec]) -> Spec:
        """The engine's own table; TypeError if the row is for another engine."""
        table = getattr(self, self.engine)
        if not isinstance(table, kind):
            raise TypeError(f"{self.name} has a {type(table).__name__}, no {kind.__name__}")
        return table

    @property
    def hosted(self) -> bool:
        """Whether somebody else runs it, so that it has no weights to stage."""
        return not self.files

    @property
    def takes_prompts(self) -> bool:
        """Whether it has to be shown its subject with points and boxes."""
        return self.engine == "sam"

    @property
    def weights_prefix(self) -> str:
        return weights_prefix(self.name, [file.digest for file in self.files], self.quantise)

    @property
    def weights_key(self) -> str:
        """The staged manifest: written last, so that its presence means the model is complete."""
        return f"{self.weights_prefix}/{MANIFEST}"

    @property
    def claim_key(self) -> str:
        """Held by whoever is staging the model."""
        return f"{self.weights_prefix}/{_CLAIM}"


class Catalogue(Declaration):
    """Every model row, later files overriding earlier rows of the same name.

    `accepted_licences` are the non-commercial ones that whoever runs the deployment agreed to.
    """

    rows: tuple[ModelRow, ...]
    accepted_licences: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _fallbacks_can_take_over(self) -> Self:
        rows = {row.name: row for row in self.rows}
        wanted = {row: row.fallback for row in self.rows if row.fallback}
        lost = sorted(row.name for row, fallback in wanted.items() if fallback not in rows)
        if lost:
            raise ValueError(f"fallback names no row of the catalogue: {', '.join(lost)}")
        deaf = sorted(
            row.name
            for row, fallback in wanted.items()
            if rows[fallback].takes_prompts != row.takes_prompts
        )
        if deaf:
            raise ValueError(f"only one of row and fallback takes prompts: {', '.join(deaf)}")
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


def load_catalogue(
    root: Path, overlays: Sequence[Path] = (), *, accepted_licences: Iterable[str] = ()
) -> Catalogue:
    """The model rows of every container, with `overlays` layered over them."""
    rows: dict[str, ModelRow] = {}
    for path in [*beside_handlers(root, "models.toml"), *overlays]:
        with naming(path):
            for fields in read_toml(path).get("models", []):
                row = ModelRow.model_validate(fields)
                rows[row.name] = _rooted(row, path.absolute().parent)
    return Catalogue(rows=tuple(rows.values()), accepted_licences=frozenset(accepted_licences))


def _rooted(row: ModelRow, folder: Path) -> ModelRow:
    """The row with its relative `file:` addresses made absolute."""
    files = tuple(
        file.model_copy(update={"urls": tuple(rooted(url, folder) for url in file.urls)})
        for file in row.files
    )
    return row.model_copy(update={"files": files})
