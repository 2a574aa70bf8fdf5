"""What an engine may declare of its table and its files, and what that means for a row."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.declared.engines import ChainedInput, Engine, FilledInput

FIELDS: Final[dict[str, Any]] = {
    "side": {"type": "integer", "minimum": 32, "maximum": 4096},
    "scale": {"type": "number", "above": 0, "choices": ["max"]},
    "mean": {"type": "number", "length": 2},
    "activation": {"choices": ["none", "sigmoid"]},
    "prompt": {"type": "text"},
    "causal": {"type": "boolean"},
}
TABLE: Final[dict[str, Any]] = {
    "side": 64, "scale": "max", "mean": [0, 1.5], "activation": "sigmoid", "prompt": "hello",
    "causal": True,
}  # fmt: skip
NETWORK: Final[dict[str, Any]] = {
    "role": "network",
    "inputs": [{"shape": [1, "{side}"], "fill": ["{mean[1]}", 2]}],
    "outputs": [{"shape": ["...", "words", "{side}"], "activation": "{activation}"}],
}


def engine(**fields: Any) -> Engine:
    plain: dict[str, Any] = {"name": "echo", "fields": FIELDS, "files": [NETWORK]}
    return Engine.model_validate(plain | fields)


def table(**fields: Any) -> Any:
    return TypeAdapter(engine().table_type).validate_python(TABLE | fields)


def test_a_table_is_read_by_its_fields_types() -> None:
    assert table() == TABLE | {"mean": (0.0, 1.5)}
    assert table(scale=255)["scale"] == 255.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", 31),
        ("side", 4097),
        ("side", 64.5),
        ("scale", 0),
        ("scale", "min"),
        ("scale", float("inf")),
        ("mean", [0]),
        ("mean", [0, 1, 2]),
        ("mean", [0, float("nan")]),
        ("activation", "relu"),
        ("prompt", 3),
        ("causal", "perhaps"),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=rf"(?m)^{field}(\..*)?$"):
        table(**{field: value})


def test_a_network_is_sized_by_the_rows_table() -> None:
    (network,) = engine().files
    (one,), (output,) = network.inputs, network.outputs

    assert isinstance(one, FilledInput)
    assert (one.sizes(TABLE), one.values(TABLE)) == ((1, 64), (1.5, 2.0))
    assert output.sizes(TABLE) == ("...", "words", 64)
    assert output.activation_of(TABLE) == "sigmoid"


def test_a_network_may_take_what_an_earlier_one_answers() -> None:
    second = NETWORK | {"role": "decoder", "inputs": [{"output_of": "network"}]}

    assert engine(files=[NETWORK, second]).files[1].inputs == (ChainedInput(output_of="network"),)


def test_a_network_may_take_a_later_output_of_an_earlier_one() -> None:
    first = NETWORK | {"outputs": [{"shape": [1]}, {"shape": [2]}]}
    second = NETWORK | {"role": "decoder", "inputs": [{"output_of": "network", "output": 1}]}

    made = engine(files=[first, second])

    assert made.files[1].inputs == (ChainedInput(output_of="network", output=1),)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"files": []}, "has files, or is hosted"),
        ({"hosted": "{prompt}"}, "has files, or is hosted"),
        ({"files": [], "hosted": "{model}"}, "no such field: 'model'"),
        ({"files": [NETWORK | {"outputs": []}]}, "a network has inputs and outputs"),
        (
            {"files": [NETWORK | {"inputs": [{"shape": ["{size}"], "fill": 0}]}]},
            "no such field: 'size'",
        ),
        (
            {"files": [NETWORK | {"inputs": [{"shape": ["{mean[2]}"], "fill": 0}]}]},
            "no such field: .*index out of range",
        ),
        (
            {"files": [NETWORK | {"inputs": [{"shape": ["{scale}"], "fill": 0}]}]},
            "invalid literal for int",
        ),
        ({"files": [NETWORK | {"inputs": [{"shape": ["words"], "fill": 0}]}]}, "invalid literal"),
        (
            {"files": [NETWORK | {"inputs": [{"output_of": "network"}]}]},
            "network follows no earlier network called network",
        ),
        (
            {"files": [{"role": "words"}, NETWORK | {"inputs": [{"output_of": "words"}]}]},
            "network follows no earlier network called words",
        ),
        (
            {
                "files": [
                    NETWORK,
                    NETWORK | {"role": "second", "inputs": [{"output_of": "network", "output": 1}]},
                ]
            },
            "network declares no output 1",
        ),
        (
            {
                "files": [
                    NETWORK
                    | {
                        "inputs": [
                            {"name": "a", "shape": [1], "fill": 0},
                            {"shape": [1], "fill": 0},
                        ]
                    }
                ]
            },
            "either all inputs have names or none has",
        ),
        ({"fields": {"side": {"minimum": 3}}}, "a field has a type, or choices, or both"),
        ({"fields": {"side": {"type": "text", "minimum": 3}}}, "only numbers have bounds"),
        ({"fields": {"side": {"choices": ["a"], "above": 3}}}, "only numbers have bounds"),
        ({"fields": {"Side": {"type": "text"}}}, r"fields\.0\.name"),
    ],
)
def test_an_engine_that_could_not_be_tried_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        engine(**fields)
