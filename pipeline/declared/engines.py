"""Engines: what the models of one kind have in common, as their container's `models.toml` says.

An engine is data, so that a container brings its own: from it, the platform reads which files and
which table a row has, and how staging tries the files. The container knows what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from pipeline.declared.declaration import Declaration, KebabName

Table = Mapping[str, Any]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
FieldType = Literal["integer", "number", "text", "boolean"]
Axis = Annotated[int, Field(ge=1)] | Annotated[str, StringConstraints(min_length=1)]
Shape = Annotated[tuple[Axis, ...], Field(min_length=1)]

ANY_AXES: Final = "..."
_EXAMPLES: Final[dict[FieldType, object]] = {
    "integer": 1, "number": 0.5, "text": "x", "boolean": True,
}  # fmt: skip


class EngineField(Declaration):
    """One field of an engine's table: a value of `type`, or one of `choices`.

    `minimum` and `maximum` are inclusive bounds, `above` is an exclusive one; numbers are finite.
    With `length`, the field is a list of so many values.
    """

    name: FieldName
    type: FieldType | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    length: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _allows_a_value(self) -> Self:
        if self.type is None and not self.choices:
            raise ValueError("a field has a type, or choices, or both")
        return self

    @property
    def annotation(self) -> Any:  # noqa: ANN401 - a type, made here
        """The field's type, as pydantic takes it."""
        kinds: list[Any] = [Literal[self.choices]] if self.choices else []
        if self.type:
            kind: Any = type(_EXAMPLES[self.type])
            finite = False if self.type == "number" else None
            bounds: Any = Field(
                ge=self.minimum, le=self.maximum, gt=self.above, allow_inf_nan=finite
            )
            kinds.append(Annotated[kind, bounds])
        value = reduce(or_, kinds)
        return tuple[(value,) * self.length] if self.length else value  # type: ignore[misc]

    @property
    def example(self) -> object:
        """A value of the field's type; its bounds do not matter."""
        value = _EXAMPLES[self.type] if self.type else self.choices[0]
        return (value,) * self.length if self.length else value


class FilledInput(Declaration):
    """A network's input that staging fills: an array of `shape`; a list fills each last axis.

    An axis is a number, or a field of the row's table: `"{canvas[0]}"`.
    """

    name: str | None = None
    dtype: Literal["float32", "float16", "int64", "int32", "bool"] = "float32"
    shape: Shape
    fill: float | tuple[float | str, ...]

    def sizes(self, table: Table) -> tuple[int, ...]:
        """The shape for a row with this table. ValueError for an axis of no size."""
        return tuple(int(_filled(axis, table)) for axis in self.shape)

    def values(self, table: Table) -> float | tuple[float, ...]:
        """What the array is filled with."""
        if isinstance(self.fill, tuple):
            return tuple(float(_filled(value, table)) for value in self.fill)
        return self.fill


class ChainedInput(Declaration):
    """A network's input that is the first output of the row's earlier file `output_of`."""

    name: str | None = None
    output_of: KebabName


NetworkInput = FilledInput | ChainedInput


class NetworkOutput(Declaration):
    """What a network must answer: finite numbers in this shape.

    Beside numbers and fields, the shape may have `"..."` in front, for any axes, and names: a named
    axis may have any size, the same wherever the file's outputs name it. `activation` makes
    probabilities of the output: `none` or `sigmoid`.
    """

    shape: Shape
    activation: str = "none"

    def sizes(self, table: Table) -> tuple[int | str, ...]:
        """The shape for a row with this table."""
        return tuple(_sized(axis, table) for axis in self.shape)

    def activation_of(self, table: Table) -> str:
        return str(_filled(self.activation, table))


class EngineFile(Declaration):
    """One of a row's files, by its place in the row.

    A file with `inputs` and `outputs` is an ONNX network, which staging runs once before it is
    published. Inputs are fed by their names, or all without names in the network's own order. Of
    any other file, only the digest is verified.
    """

    role: KebabName
    inputs: tuple[NetworkInput, ...] = ()
    outputs: tuple[NetworkOutput, ...] = ()

    @model_validator(mode="after")
    def _is_a_network_or_not(self) -> Self:
        if bool(self.inputs) != bool(self.outputs):
            raise ValueError("a network has inputs and outputs; another file has neither")
        if len({one.name is None for one in self.inputs}) > 1:
            raise ValueError("either all inputs have names or none has")
        return self


class Engine(Declaration):
    """What the rows of one kind of model have: a table with `fields`, and `files` in this order.

    A hosted model has no files: `hosted` is the ID of the model, or inference profile, of Amazon
    Bedrock that its function invokes. With `prompts`, a model must be shown its subject.
    """

    name: KebabName
    prompts: bool = False
    hosted: str | None = None
    fields: tuple[EngineField, ...] = ()
    files: tuple[EngineFile, ...] = ()

    @field_validator("fields", mode="before")
    @classmethod
    def _named(cls, fields: Mapping[str, Table]) -> list[Table]:
        return [{"name": name, **field} for name, field in fields.items()]

    @model_validator(mode="after")
    def _has_files_or_is_hosted(self) -> Self:
        if bool(self.files) == (self.hosted is not None):
            raise ValueError("an engine has files, or is hosted, and never both")
        return self

    @model_validator(mode="after")
    def _chains_earlier_networks(self) -> Self:
        networks: list[str] = []
        for file in self.files:
            chained = [one.output_of for one in file.inputs if isinstance(one, ChainedInput)]
            if lost := sorted(set(chained) - set(networks)):
                raise ValueError(f"{file.role} follows no earlier network called {', '.join(lost)}")
            if file.inputs:
                networks.append(file.role)
        return self

    @model_validator(mode="after")
    def _names_its_own_fields(self) -> Self:
        """Fill in every text with an example, so that no row of the engine fails later."""
        table = {field.name: field.example for field in self.fields}
        try:
            for one in self._filled_inputs():
                one.sizes(table), one.values(table)
            for output in (output for file in self.files for output in file.outputs):
                output.sizes(table), output.activation_of(table)
            _filled(self.hosted or "", table)
        except (KeyError, IndexError) as error:
            raise ValueError(f"engine {self.name} has no such field: {error}") from error
        return self

    @property
    def table_type(self) -> Any:  # noqa: ANN401 - a type, made here
        """The type of a row's table, as pydantic takes it: validated by field, then a mapping."""
        fields: dict[str, Any] = {field.name: (field.annotation, ...) for field in self.fields}
        model = create_model(self.name, __base__=Declaration, **fields)
        return Annotated[model, AfterValidator(BaseModel.model_dump)]

    def hosted_model(self, table: Table) -> str | None:
        """The model of Amazon Bedrock that a function with this table invokes."""
        return None if self.hosted is None else str(_filled(self.hosted, table))

    def _filled_inputs(self) -> Iterator[FilledInput]:
        for file in self.files:
            yield from (one for one in file.inputs if isinstance(one, FilledInput))


def _sized(axis: int | str, table: Table) -> int | str:
    return int(_filled(axis, table)) if isinstance(axis, int) or "{" in axis else axis


def _filled(value: float | str, table: Table) -> float | str:
    """The value; in a text, `{field}` or `{field[0]}` is replaced by what the table has there."""
    return value.format(**table) if isinstance(value, str) else value
