"""The catalogue: engines, model rows and defaults of every container's `models.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from pipeline.declared.costs import Measured
from pipeline.declared.declaration import (
    Declaration,
    KebabName,
    beside_handlers,
    naming,
    read_toml,
)
from pipeline.declared.engines import Engine
from pipeline.declared.models import ModelRow, Written, read_row
from pipeline.declared.products import Role
from pipeline.errors import LicenseNotAccepted, UnknownModel
from pipeline.spelling import did_you_mean


class ModelsFile(Declaration):
    """`containers/<folder>/models.toml`: a container's default model, engines and rows.

    `groups` say what users want, as titles by name, in the order in which models are listed.
    `measured` are the networks that were measured, by name. Rows name both.
    """

    default: KebabName
    groups: dict[KebabName, str] = Field(default_factory=dict)
    measured: dict[KebabName, Measured] = Field(default_factory=dict)
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
    """Model rows of all containers, or of one.

    By container: engines, default model, groups and measured networks. `accepted_licences` are the
    non-commercial licences that the operator accepted.
    """

    rows: tuple[ModelRow, ...]
    engines: Mapping[str, Mapping[str, Engine]]
    defaults: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Measured]] = Field(default_factory=dict)
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

    @model_validator(mode="after")
    def _rows_name_what_their_container_declares(self) -> Self:
        for row in self.rows:
            groups, measured = (
                declared.get(row.container, {}) for declared in (self.groups, self.measured)
            )
            if row.suits not in {None, *groups}:
                raise ValueError(f"{row.name}: there is no group {row.suits}, but {list(groups)}")
            if row.measured not in {None, *measured}:
                raise ValueError(
                    f"{row.name}: nothing measured is called {row.measured}, but {list(measured)}"
                )
        return self

    def row(self, name: str) -> ModelRow:
        """Return the row called `name`. Raises UnknownModel, with the known names."""
        for row in self.rows:
            if row.name == name:
                return row
        names = [row.name for row in self.rows]
        near = did_you_mean(name, names)
        known = f"{' There' if near else '; there'} are {', '.join(names)}"
        raise UnknownModel(f"no model is called {name!r}{near}{known}")

    def accepts(self, row: ModelRow) -> bool:
        """Return True if the row's licence allows this deployment to use it."""
        return row.commercial or row.licence in self.accepted_licences

    def usable(self, name: str) -> ModelRow:
        """Return the row called `name`. Raises UnknownModel or LicenseNotAccepted."""
        row = self.row(name)
        if not self.accepts(row):
            raise LicenseNotAccepted(
                f"the weights of {name} are under {row.licence}, which does not allow commercial "
                "use"
            )
        return row

    def measured_of(self, row: ModelRow) -> Measured | None:
        """Return what the row's network takes, None if that was not measured."""
        return self.measured[row.container][row.measured] if row.measured else None

    def grouped(self) -> list[tuple[str, list[ModelRow]]]:
        """Return the groups' titles with their rows; rows of no group come last, without a title.

        A group that several containers declare in the same words is one.
        """
        grouped: dict[str, list[ModelRow]] = {
            title: [] for groups in self.groups.values() for title in groups.values()
        }
        rest: list[ModelRow] = []
        for row in self.rows:
            rows = grouped[self.groups[row.container][row.suits]] if row.suits else rest
            rows.append(row)
        titled = [(title, rows) for title, rows in grouped.items() if rows]
        return [*titled, ("", rest)] if rest else titled

    def rows_of(self, container: str) -> tuple[ModelRow, ...]:
        """Return the container's rows in the order of its file, then those that overlays add."""
        return tuple(row for row in self.rows if row.container == container)

    def of(self, *containers: str) -> Self:
        """Return the catalogue without the rows of other containers."""
        rows = tuple(row for each in containers for row in self.rows_of(each))
        groups = {each: self.groups.get(each, {}) for each in containers}
        return self.model_copy(update={"rows": rows, "groups": groups})

    def fitting(self, role: Role) -> Self:
        """Return the catalogue with the rows that may fill a role, and no other."""
        rows = self.rows_of(role.container)
        fit = tuple(row for row in rows if role.engine in {None, row.engine.name})
        return self.model_copy(update={"rows": fit})

    def row_for(self, role: Role, name: str) -> ModelRow:
        """Return the row called `name`. Raises UnknownModel if it cannot fill the role."""
        fitting = self.fitting(role)
        known, fit = ([row.name for row in each.rows] for each in (self, fitting))
        if name in known and name not in fit:
            raise UnknownModel(f"the model {name} is for another task; there are {', '.join(fit)}")
        return fitting.row(name)

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
            row = read_row(fields, container, self.engines[container], folder)
            rows[row.name] = row
        return self.__class__(
            rows=tuple(rows.values()),
            engines=self.engines,
            defaults=self.defaults,
            groups=self.groups,
            measured=self.measured,
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
    rows, files = [], {}
    for path in beside_handlers(root, "models.toml"):
        owner = path.parent.name.replace("_", "-")
        if container not in {None, owner}:
            continue
        with naming(path):
            declared = files[owner] = ModelsFile.model_validate(read_toml(path))
            for fields in declared.models:
                row = read_row(fields, owner, declared.engines, path.absolute().parent)
                if row.name in places:
                    raise ValueError(f"{places[row.name]} has a row called {row.name}, too")
                rows.append(row)
                places[row.name] = path
    catalogue = Catalogue(
        rows=tuple(rows),
        engines={owner: file.engines for owner, file in files.items()},
        defaults={owner: file.default for owner, file in files.items()},
        groups={owner: file.groups for owner, file in files.items()},
        measured={owner: file.measured for owner, file in files.items()},
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
