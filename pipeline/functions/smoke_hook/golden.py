"""A container's golden event: `containers/*/golden.toml`, parsed and filled in.

`[payload]` is the job that its function is given. `${Name}` alone stands for a value of any kind,
within a text for its text. Then, in any number:

- `[[expect]]`: the result's field at `path` is `value`
- `[[exists]]`: the object that the result's field `uri` names is there
- `[[pixels]]`: the picture at the result's field `uri` is `near` at a place, `within` so much
- `[[untried]]`: an `error` with which a good version may refuse this job, and `because` of what

Each may be for some `models` only, or for all but `not_models`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_WHOLE: Final = re.compile(r"\$\{(\w+)\}")

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Expectation:
    path: str
    value: object


@dataclass(frozen=True)
class Pixels:
    """`at` are fractions of width and height, `near` one value for each channel."""

    uri: str
    at: tuple[float, float]
    near: tuple[int, ...]
    within: int


@dataclass(frozen=True)
class Golden:
    payload: Mapping[str, Any]
    expect: Sequence[Expectation]
    exists: Sequence[str]
    pixels: Sequence[Pixels]
    untried: Mapping[str, str]


def read_golden(document: Mapping[str, Any], *, model: str | None, values: Values) -> Golden:
    """KeyError for a placeholder that nothing fills, or a field that is missing."""
    entries = {
        kind: list(_for_model(document.get(kind, []), model))
        for kind in ("expect", "exists", "pixels", "untried")
    }
    return Golden(
        payload=_filled(document["payload"], values),
        expect=[
            Expectation(each["path"], _filled(each["value"], values)) for each in entries["expect"]
        ],
        exists=[each["uri"] for each in entries["exists"]],
        pixels=[
            Pixels(each["uri"], tuple(each["at"]), tuple(each["near"]), each["within"])
            for each in entries["pixels"]
        ],
        untried={each["error"]: each["because"] for each in entries["untried"]},
    )


def _for_model(
    entries: Sequence[Mapping[str, Any]], model: str | None
) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        wanted, unwanted = entry.get("models"), entry.get("not_models", ())
        if model not in unwanted and (wanted is None or model in wanted):
            yield entry


def _filled(template: Any, values: Values) -> Any:  # noqa: ANN401 - JSON in, JSON out
    if isinstance(template, Mapping):
        return {name: _filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    if not isinstance(template, str):
        return template
    whole = _WHOLE.fullmatch(template)
    if whole:
        return values[whole[1]]
    return _WHOLE.sub(lambda match: str(values[match[1]]), template)
