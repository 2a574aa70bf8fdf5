"""Read options from text, write them as text, and describe what is wrong with what people write.

Object metadata and the command line share these rules, so that both accept the same words.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel, JsonValue, ValidationError

from pipeline.contracts.contract import Options
from pipeline.spelling import did_you_mean

MOST_PROBLEMS: Final = 8
_QUOTED: Final = re.compile(r"'([^']+)'")


class Problem(NamedTuple):
    """One wrong field, such as `outputs.1`, and a sentence without a full stop."""

    field: str
    sentence: str


def read_text(kind: type[Options], name: str, text: str) -> object:
    """Return an option's value from text, still to be validated.

    Spaces around words do not count. Commas separate a list of words; a list of objects is JSON.
    Raises ValueError for text that is not JSON.
    """
    field = kind.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not tuple:
        return text.strip()
    (item, *_) = get_args(field.annotation)
    if not _is_model(item):
        return [part.strip() for part in text.split(",")]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON, {error}") from error


def write_text(value: JsonValue) -> str:
    """Return an option's value, as JSON has it, as text from which `read_text` reads it."""
    match value:
        case bool():
            return str(value).lower()
        case [dict(), *_]:
            return json.dumps(value, separators=(",", ":"))
        case list():
            return ",".join(map(str, value))
        case _:
            return str(value)


def problems(error: ValidationError, kind: type[BaseModel]) -> Iterator[Problem]:
    """Yield every problem of a validation as `kind`, with the nearest name for a misspelt one."""
    found = [(tuple(each["loc"]), each) for each in error.errors(include_url=False)]
    for place, problem in found:
        if problem["type"] == "too_short" and any(
            len(other) > len(place) and other[: len(place)] == place for other, _ in found
        ):
            continue  # the list lacks only its wrong items, which are named
        yield Problem(".".join(map(str, place)) or "it", _sentence(problem, place, kind))


def describe(error: ValidationError, kind: type[BaseModel]) -> str:
    """Return the problems of a validation on one line: `field: what is wrong; field: …`."""
    found = list(problems(error, kind))
    told = [f"{problem.field}: {problem.sentence}" for problem in found[:MOST_PROBLEMS]]
    if len(found) > MOST_PROBLEMS:
        told.append(f"and {len(found) - MOST_PROBLEMS} more")
    return "; ".join(told)


def _sentence(
    problem: Any,  # noqa: ANN401 - pydantic's ErrorDetails, a TypedDict
    place: tuple[int | str, ...],
    kind: type[BaseModel],
) -> str:
    match problem["type"]:
        case "extra_forbidden":
            near = did_you_mean(str(place[-1]), _fields(kind, place[:-1]))
            return f"there is no such field{near}"
        case "missing":
            return "field required"
        case "model_type" | "dict_type":
            wrong = "should be an object"
        case "int_parsing" | "int_type" | "int_from_float":
            wrong = "should be a whole number"
        case "too_short":
            wrong = "should name at least one"
        case "value_error":
            wrong = str(problem["ctx"]["error"])
        case _:
            wrong = f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"
    sentence = f"{wrong}, got {problem['input']!r:.80}"
    if problem["type"] == "literal_error" and isinstance(problem["input"], str):
        words = _QUOTED.findall(problem["ctx"]["expected"])
        return f"{sentence}{did_you_mean(problem['input'], words)}"
    return sentence


def _fields(kind: type[BaseModel], place: tuple[int | str, ...]) -> Mapping[str, Any]:
    """Return the fields of `kind`, or those of the object at `place` inside it."""
    for part in place:
        if not isinstance(part, str) or part not in kind.model_fields:
            continue
        annotation = kind.model_fields[part].annotation
        inside = [each for each in (annotation, *get_args(annotation)) if _is_model(each)]
        if not inside:
            return {}
        kind = inside[0]
    return kind.model_fields


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
