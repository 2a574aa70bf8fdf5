"""Engines: what the models of one kind have in common, declared in their container's `models.toml`.

An engine is data, so that a container can bring its own. The platform reads from it which files and
which table a row has, and how staging tries the files. Only the container knows what they mean.
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
        bounded = {self.minimum, self.maximum, self.above} != {None}
        if bounded and self.type not in {"integer", "number"}:
            raise ValueError("only numbers have bounds")
        return self

    @property
    def annotation(self) -> Any:  # noqa: ANN401 - a type, made here
        """The field's type, for pydantic."""
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
        """A value of the field's type, whatever its bounds."""
        value = _EXAMPLES[self.type] if self.type else self.choices[0]
        return (value,) * self.length if self.length else value


class FilledInput(Declaration):
    """An input that staging fills: an array of `shape` with one number, or a list on its last axis.

    An axis is a number, or a field of the row's table, such as `"{canvas[0]}"`. Without axes, the
    input is one number. With `sound_hz`, the input is mono sound at this rate, 1×samples of any
    number, with a mean of 0 and a variance of 1: staging draws sounds to compare networks on.
    """

    name: str | None = None
    dtype: Literal["float32", "float16", "int64", "int32", "bool"] = "float32"
    shape: tuple[Axis, ...]
    fill: float | tuple[float | str, ...]
    sound_hz: int | None = Field(default=None, ge=8000, le=192_000)

    @model_validator(mode="after")
    def _is_mono_sound(self) -> Self:
        mono = len(self.shape) == 2 and self.shape[0] == 1 and self.dtype == "float32"
        if self.sound_hz is not None and not mono:
            raise ValueError("sound is float32 of the shape 1 × samples")
        return self

    def sizes(self, table: Table) -> tuple[int, ...]:
        """Return the shape for a row with this table."""
        return tuple(int(_filled(axis, table)) for axis in self.shape)

    def values(self, table: Table) -> float | tuple[float, ...]:
        """Return the number, or the numbers, that fill the array."""
        if isinstance(self.fill, tuple):
            return tuple(float(_filled(value, table)) for value in self.fill)
        return self.fill


class ChainedInput(Declaration):
    """An input that staging feeds with an output of the row's earlier file `output_of`.

    `output` is that output's place among those that the file declares, from 0.
    """

    name: str | None = None
    output_of: KebabName
    output: int = Field(default=0, ge=0)


NetworkInput = FilledInput | ChainedInput


class NetworkOutput(Declaration):
    """An output that a network must have: finite numbers of this shape.

    In addition to numbers and fields, the shape may start with `"..."`, for any number of axes, and
    may have names: a named axis has any size, the same in all outputs of the file. `activation`,
    `none`, `sigmoid` or `softmax` (over the last axis), turns the output into probabilities.
    """

    shape: Shape
    activation: str = "none"

    def sizes(self, table: Table) -> tuple[int | str, ...]:
        """Return the shape for a row with this table; names stay."""
        return tuple(_sized(axis, table) for axis in self.shape)

    def activation_of(self, table: Table) -> str:
        return str(_filled(self.activation, table))


class NetworkCut(Declaration):
    """Where staging also ends a network: at maps that it only enlarges into its first output.

    `name` is what exporters call this output. Its maps, of `shape`, are squares whose side is the
    longer side of the first output's maps, which are their top left part. If it is the first
    output itself, the network enlarges nothing, and serves as it is.
    """

    name: str
    shape: Shape

    def sizes(self, table: Table) -> tuple[int | str, ...]:
        """Return the shape for a row with this table; names stay."""
        return tuple(_sized(axis, table) for axis in self.shape)


class EngineFile(Declaration):
    """One of a row's files, in the order of the row.

    A file with `inputs` and `outputs` is an ONNX network: staging runs it once before publishing
    it. Inputs are fed by name, or, if none has a name, in the network's own order. Of any other
    file, only the digest is verified. With `cut`, staging publishes a second network, which ends
    there. With `stream`, it publishes one whose runs continue each other; then every input has one
    axis of any size, which is time.
    """

    role: KebabName
    inputs: tuple[NetworkInput, ...] = ()
    outputs: tuple[NetworkOutput, ...] = ()
    cut: NetworkCut | None = None
    stream: bool = False

    @model_validator(mode="after")
    def _is_a_network_or_not(self) -> Self:
        if bool(self.inputs) != bool(self.outputs):
            raise ValueError("a network has inputs and outputs; another file has neither")
        if len({one.name is None for one in self.inputs}) > 1:
            raise ValueError("either all inputs have names or none has")
        if (self.cut or self.stream) and not self.outputs:
            raise ValueError("only a network can be cut or streamed")
        return self


class Engine(Declaration):
    """One kind of model: its rows have a table with `fields`, and `files` in this order.

    A hosted model has no files: `hosted` is the model or inference profile of Amazon Bedrock that
    its function invokes. With `prompts`, the model must be shown its subject.
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
        outputs: dict[str, int] = {}
        for file in self.files:
            chained = [one for one in file.inputs if isinstance(one, ChainedInput)]
            if lost := sorted({one.output_of for one in chained} - outputs.keys()):
                raise ValueError(f"{file.role} follows no earlier network called {', '.join(lost)}")
            for one in chained:
                if one.output >= outputs[one.output_of]:
                    raise ValueError(f"{one.output_of} declares no output {one.output}")
            if file.inputs:
                outputs[file.role] = len(file.outputs)
        return self

    @model_validator(mode="after")
    def _names_its_own_fields(self) -> Self:
        """Fill in every text with an example table, so that no row of the engine fails later."""
        table = {field.name: field.example for field in self.fields}
        try:
            for one in self._filled_inputs():
                one.sizes(table), one.values(table)
            for output in (output for file in self.files for output in file.outputs):
                output.sizes(table), output.activation_of(table)
            for cut in (file.cut for file in self.files if file.cut):
                cut.sizes(table)
            _filled(self.hosted or "", table)
        except (KeyError, IndexError) as error:
            raise ValueError(f"engine {self.name} has no such field: {error}") from error
        return self

    @property
    def table_type(self) -> Any:  # noqa: ANN401 - a type, made here
        """The type of a row's table, for pydantic: validated by field, then dumped to a dict."""
        fields: dict[str, Any] = {field.name: (field.annotation, ...) for field in self.fields}
        model = create_model(self.name, __base__=Declaration, **fields)
        return Annotated[model, AfterValidator(BaseModel.model_dump)]

    def hosted_model(self, table: Table) -> str | None:
        """Return the Bedrock model of a row with this table, or None."""
        return None if self.hosted is None else str(_filled(self.hosted, table))

    def _filled_inputs(self) -> Iterator[FilledInput]:
        for file in self.files:
            yield from (one for one in file.inputs if isinstance(one, FilledInput))


def _sized(axis: int | str, table: Table) -> int | str:
    return int(_filled(axis, table)) if isinstance(axis, int) or "{" in axis else axis


def _filled(value: float | str, table: Table) -> float | str:
    """Replace `{field}` and `{field[0]}` in a text by the table's values; return numbers as is."""
    return value.format(**table) if isinstance(value, str) else value
