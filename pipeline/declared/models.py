"""The model catalogue: rows and engines of every container's `models.toml`, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from pipeline.declared.addresses import Address, rooted
from pipeline.declared.declaration import (
    Declaration,
    KebabName,
    MemoryMb,
    beside_handlers,
    naming,
    read_toml,
)
from pipeline.declared.engines import Engine, EngineFile
from pipeline.declared.revisions import MANIFEST, weights_prefix
from pipeline.errors import LicenseNotAccepted, UnknownModel

LicenceName = Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$")]  # as SPDX spells it
Digest = Annotated[str, StringConstraints(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Written = Mapping[str, Any]  # a row as its file has it
Spec = TypeVar("Spec", bound=BaseModel)

_CLAIM: Final = "claim.json"


class WeightsFile(Declaration):
    """One file of a model. `digest` is the publisher's; it names the staged copy.

    A `file:` address without a leading slash is relative to the catalogue file that states it.
    `token` names the secret that opens a gated source. It belongs to the first address: no other
    host is sent the secret.
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
    """One model of the catalogue: a row, not a class. It belongs to one container.

    `container` is the name of the file's folder; only an overlay's row may state it. `table` has
    the engine's fields; the file names it after the engine. `quantise` asks for matrix products in
    8 bits, if the answers stay the same.
    """

    name: KebabName
    container: KebabName
    summary: str
    engine: Engine
    table: Mapping[str, Any]
    licence: LicenceName
    commercial: bool
    memory_mb: MemoryMb
    fallback: KebabName | None = None
    files: tuple[WeightsFile, ...] = ()
    quantise: Literal["int8-matmul"] | None = None

    @model_validator(mode="after")
    def _has_the_files_its_engine_needs(self) -> Self:
        wanted = len(self.engine.files)
        if len(self.files) != wanted:
            raise ValueError(
                f"engine {self.engine.name} needs files: {wanted}, not {len(self.files)}"
            )
        return self

    @model_validator(mode="after")
    def _has_files_of_different_names(self) -> Self:
        names = [file.name for file in self.files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two files are called {', '.join(twice)}")
        return self

    def spec(self, kind: type[Spec]) -> Spec:
        """Return the table as the container's own type.

        Raises ValidationError if the table is another engine's.
        """
        return kind.model_validate(self.table)

    def role(self, name: str) -> EngineFile:
        """Return what the engine declares for the row's file `name`."""
        return next(
            role
            for file, role in zip(self.files, self.engine.files, strict=True)
            if file.name == name
        )

    @property
    def hosted(self) -> bool:
        """True if Amazon Bedrock runs the model: it has no weights to stage."""
        return self.engine.hosted is not None

    @property
    def hosted_model(self) -> str | None:
        """The model or inference profile of Amazon Bedrock that the model's function invokes."""
        return self.engine.hosted_model(self.table)

    @property
    def takes_prompts(self) -> bool:
        """True if the model must be shown its subject with points and boxes."""
        return self.engine.prompts

    @property
    def weights_prefix(self) -> str:
        return weights_prefix(self.name, [file.digest for file in self.files], self.quantise)

    @property
    def weights_key(self) -> str:
        """The key of the staged weights record, which is written last: with it, all is there."""
        return f"{self.weights_prefix}/{MANIFEST}"

    @property
    def claim_key(self) -> str:
        """The key of the claim that one execution holds while it stages the model."""
        return f"{self.weights_prefix}/{_CLAIM}"


class ModelsFile(Declaration):
    """`containers/<folder>/models.toml`: a container's default model, engines and rows."""

    default: KebabName
    engines: dict[KebabName, Engine]
    models: tuple[dict[str, Any], ...]

    @field_validator("engines", mode="before")
    @classmethod
    def _named(cls, engines: Mapping[str, Written]) -> dict[str, Written]:
        return {name: {"name": name, **fields} for name, fields in engines.items()}


class Overlay(Declaration):
    """A user's own catalogue file: its rows are added, or replace rows of the same name."""

    models: tuple[dict[str, Any], ...] = ()


class Catalogue(Declaration):
    """Model rows of all containers, or of one; engines and default model by container.

    `accepted_licences` are the non-commercial licences that the operator accepted.
    """

    rows: tuple[ModelRow, ...]
    engines: Mapping[str, Mapping[str, Engine]]
    defaults: Mapping[str, str]
    accepted_licences: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _fallbacks_can_take_over(self) -> Self:
        rows = {row.name: row for row in self.rows}
        falling = [row for row in self.rows if row.fallback]
        if lost := [row.name for row in falling if row.fallback not in rows]:
            raise ValueError(f"fallback names no row of the catalogue: {', '.join(lost)}")
        pairs = [(row, rows[str(row.fallback)]) for row in falling]
        if strays := [row.name for row, other in pairs if row.container != other.container]:
            raise ValueError(f"fallback names a row of another container: {', '.join(strays)}")
        if deaf := [row.name for row, other in pairs if row.takes_prompts != other.takes_prompts]:
            raise ValueError(f"only one of row and fallback takes prompts: {', '.join(deaf)}")
        return self

    @model_validator(mode="after")
    def _defaults_are_rows(self) -> Self:
        for container, name in self.defaults.items():
            if name not in {row.name for row in self.rows_of(container)}:
                raise ValueError(f"{container} has no row called {name}, which is its default")
        return self

    def row(self, name: str) -> ModelRow:
        """Return the row called `name`. Raises UnknownModel, with the known names."""
        for row in self.rows:
            if row.name == name:
                return row
        known = ", ".join(row.name for row in self.rows)
        raise UnknownModel(f"no model is called {name!r}; there are {known}")

    def accepts(self, row: ModelRow) -> bool:
        """Return True if the row's licence allows this deployment to use it."""
        return row.commercial or row.licence in self.accepted_licences

    def usable(self, name: str) -> ModelRow:
        """Return the row called `name`. Raises UnknownModel or LicenseNotAccepted."""
        row = self.row(name)
        if not self.accepts(row):
            raise LicenseNotAccepted(
                f"the weights of {name} are under {row.licence}, which forbids commercial use"
            )
        return row

    def rows_of(self, container: str) -> tuple[ModelRow, ...]:
        """Return the container's rows in the order of its file, then those that overlays add."""
        return tuple(row for row in self.rows if row.container == container)

    def of(self, container: str) -> Self:
        """Return the catalogue without the rows of other containers."""
        return self.model_copy(update={"rows": self.rows_of(container)})

    def with_defaults(self, names: Iterable[str]) -> Self:
        """Return the catalogue with these models as defaults, each of its own container.

        Raises UnknownModel, or ValueError for two models of one container.
        """
        chosen: dict[str, str] = {}
        for name in names:
            container = self.row(name).container
            if container in chosen:
                raise ValueError(f"{container} has one default, not {chosen[container]} and {name}")
            chosen[container] = name
        return self.model_copy(update={"defaults": {**self.defaults, **chosen}})

    def with_rows(self, written: Iterable[Written], folder: Path) -> Self:
        """Return the catalogue with an overlay's rows, which replace rows of the same name.

        `folder` is the overlay's, for relative `file:` addresses. Raises ValueError if a row is
        invalid.
        """
        rows = {row.name: row for row in self.rows}
        for fields in written:
            container = self._owner(fields)
            row = _read_row(fields, container, self.engines[container], folder)
            rows[row.name] = row
        return self.__class__(
            rows=tuple(rows.values()),
            engines=self.engines,
            defaults=self.defaults,
            accepted_licences=self.accepted_licences,
        )

    def _owner(self, fields: Written) -> str:
        """Return the container that an overlay's row belongs to.

        That is the one it states, or that of the row it replaces, or the only one with its engine.
        """
        name, engine = fields.get("name"), fields.get("engine")
        if stated := fields.get("container"):
            if stated not in self.engines:
                raise ValueError(f"{name}: no container with models is called {stated}")
            return str(stated)
        for row in self.rows:
            if row.name == name:
                return row.container
        offering = [each for each, engines in self.engines.items() if engine in engines]
        if len(offering) == 1:
            return offering[0]
        if offering:
            raise ValueError(
                f"{name}: {' and '.join(offering)} have an engine {engine}; "
                f'say which is meant: container = "{offering[0]}"'
            )
        known = "; ".join(f"{each} has {', '.join(self.engines[each])}" for each in self.engines)
        raise ValueError(f"{name}: no container has an engine {engine}; {known}")


def load_catalogue(
    root: Path,
    overlays: Sequence[Path] = (),
    *,
    container: str | None = None,
    accepted_licences: Iterable[str] = (),
) -> Catalogue:
    """Read the model rows of all containers below `root`, with `overlays` over them.

    With `container`, read its rows only: its image holds no others. Raises ValueError, with the
    path of the invalid file, or of both files that have a row of one name.
    """
    places: dict[str, Path] = {}
    rows, engines, defaults = [], {}, {}
    for path in beside_handlers(root, "models.toml"):
        owner = path.parent.name.replace("_", "-")
        if container not in {None, owner}:
            continue
        with naming(path):
            declared = ModelsFile.model_validate(read_toml(path))
            engines[owner], defaults[owner] = declared.engines, declared.default
            for fields in declared.models:
                row = _read_row(fields, owner, declared.engines, path.absolute().parent)
                if row.name in places:
                    raise ValueError(f"{places[row.name]} has a row called {row.name}, too")
                rows.append(row)
                places[row.name] = path
    catalogue = Catalogue(
        rows=tuple(rows),
        engines=engines,
        defaults=defaults,
        accepted_licences=frozenset(accepted_licences),
    )
    for path in overlays:
        with naming(path):
            added = Overlay.model_validate(read_toml(path)).models
            if container is not None:
                added = tuple(row for row in added if _is_of(container, row, catalogue))
            catalogue = catalogue.with_rows(added, path.absolute().parent)
    return catalogue


def _is_of(container: str, fields: Written, catalogue: Catalogue) -> bool:
    """Return True if an overlay's row belongs to `container`, the only one of the catalogue."""
    if fields.get("container", container) != container:
        return False
    return fields.get("engine") in catalogue.engines.get(container, {})


def _read_row(
    fields: Written, container: str, engines: Mapping[str, Engine], folder: Path
) -> ModelRow:
    """Parse a row of `container`; make its relative `file:` addresses absolute."""
    name, engine = fields.get("name"), engines.get(str(fields.get("engine")))
    if engine is None:
        known = ", ".join(engines)
        raise ValueError(f"{name}: {container} has no engine {fields.get('engine')}, but {known}")
    if fields.get("container", container) != container:
        raise ValueError(f"{name}: its container is that of its folder, {container}")
    row = _row_type(engine).model_validate({**fields, "container": container, "engine": engine})
    files = tuple(
        file.model_copy(update={"urls": tuple(rooted(url, folder) for url in file.urls)})
        for file in row.files
    )
    return row.model_copy(update={"files": files})


@cache
def _row_type(engine: Engine) -> type[ModelRow]:
    """Make the type of an engine's rows: its table has the engine's name, for errors by field."""
    default: Any = ... if engine.fields else {}
    table: Any = (engine.table_type, Field(default, alias=engine.name))
    return create_model("ModelRow", __base__=ModelRow, table=table)
