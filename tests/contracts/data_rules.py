"""Rules on the data between tasks: a path into a result is a path its contract has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.contracts.contract import Contract
from tests.contracts.asl import Body, Machine, Scope, State, expressions, fields, paths
from tests.contracts.declared import Declared, wire_fields

Types = dict[str, Any]

# JSON that is stored or announced as it is: a null in it says that there is none.
_DOCUMENTS: Final = frozenset({"Body", "Entries"})
# What a job of AWS Batch is given, in place of a payload: it is that of a Lambda task beside it.
_OF_JOBS: Final = "payload"
_ITEM: Final = "$$.Map.Item.Value"
_READ_BY: Final = (
    "InputPath",
    "ItemsPath",
    "MaxConcurrencyPath",
    "Variable",
    "StringEqualsPath",
    "ErrorPath",
    "CausePath",
)


def paths_lead_somewhere(machine: Machine, declared: Declared) -> Iterator[str]:
    """Every path a state reads is one that some state before wrote, with a field of that name."""
    for scope, types in _typed_scopes(machine, declared):
        for state in scope.states.values():
            for path in _reads(state):
                if _type_at(types, path, default=None) is None:
                    yield f"{state.name}: reads {path}, which nothing writes"


def nothing_replaced_is_read(machine: Machine, _declared: Declared) -> Iterator[str]:
    """After a Pass that replaces all data, only what it leaves or what is written since is read."""
    for scope in machine.scopes:
        for state in scope.states.values():
            if _replaces_all(state):
                yield from _reads_what_is_gone(scope, state)


def _reads_what_is_gone(scope: Scope, state: State) -> Iterator[str]:
    others = {one.name for one in scope.states.values() if _replaces_all(one)} - {state.name}
    until = scope.reachable(state.name, avoiding=others)
    last = others & {name for each in until for name in scope.states[each].targets}
    after = [scope.states[name] for name in sorted((until | last) - {state.name})]
    left = _flat(state.parameters, "$") | {path: Any for one in after for path in _places(one)}
    for reader in after:
        for path in _reads(reader):
            if _type_at(left, path, default=None) is None:
                yield f"{reader.name}: reads {path}, which {state.name} does not pass on"


def _replaces_all(state: State) -> bool:
    return state.type == "Pass" and "Parameters" in state.body and _replaces(state.body)


def payloads_have_the_right_type(machine: Machine, declared: Declared) -> Iterator[str]:
    """What a task is given from an earlier result is what its own contract calls for.

    What may be null is given to a task that calls for a value only behind a Choice that asks.
    """
    for scope, types in _typed_scopes(machine, declared):
        for state in scope.states.values():
            pair = declared.task_of(state)
            known = wire_fields(pair.job) if pair else {}
            for name, expression in state.payload.items():
                field = known.get(name.removesuffix(".$"))
                if not field or not name.endswith(".$") or paths(expression) != (expression,):
                    continue
                given = _type_at(types, expression)
                if _may_be_null(given) and not _reached_unasked(scope, state, expression):
                    given = _without_none(given)
                if given is not Any and not _accepts(field.annotation, given):
                    yield f"{state.name}: {name.removesuffix('.$')!r} is given a {given}"


def nulls_are_asked_about(machine: Machine, declared: Declared) -> Iterator[str]:
    """What may be null is sent to a service only behind a Choice that asks whether it is."""
    for scope, types in _typed_scopes(machine, declared):
        for task in scope.states.values():
            if task.type != "Task" or task.service == "lambda":
                continue
            for path in {path for each in expressions(_sent(task)) for path in paths(each)}:
                if _may_be_null(_type_at(types, path)) and _reached_unasked(scope, task, path):
                    yield f"{task.name}: is sent {path}, which may be null"


def _sent(task: State) -> dict[str, Any]:
    """The parameters of a task without what is JSON of its own."""
    values = {key: value for key, value in task.parameters.items() if key not in _DOCUMENTS}
    started = values.get("Input")
    if isinstance(started, Mapping):
        values["Input"] = {key: value for key, value in started.items() if key != _OF_JOBS}
    return values


def what_is_put_is_json(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Step Functions writes a Body as JSON: text would arrive in quotes, an object as itself."""
    for task in machine.tasks:
        if task.resource.endswith("aws-sdk:s3:putObject"):
            given = task.parameters.get("Body.$") == f"$.{_OF_JOBS}"
            if not given and not isinstance(task.parameters.get("Body"), dict):
                yield f"{task.name}: a Body that is no object"
            if task.parameters.get("ContentType") != "application/json":
                yield f"{task.name}: JSON that does not say so"


def _reached_unasked(scope: Scope, task: State, path: str) -> bool:
    null = {"Variable": path, "IsNull": True}
    questions = {
        state.name: rule["Next"]
        for state in scope.states.values()
        for rule in state.body.get("Choices", ())
        if null.items() <= rule.items()
    }
    return any(
        task.name in scope.reachable(start, avoiding=questions)
        for start in (scope.start, *questions.values())
    )


def _accepts(wanted: Any, given: Any) -> bool:
    wanted, given = _plain(wanted), _plain(given)
    return given == wanted or (_may_be_null(wanted) and given == _without_none(wanted))


def _plain(kind: Any) -> Any:
    """The type without limits to its values, which a contract checks when it is read."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _plain(arguments[0])
    if origin in {Union, UnionType}:
        return Union[tuple(map(_plain, arguments))]  # noqa: UP007 - of a computed tuple
    return origin[tuple(map(_plain, arguments))] if origin is tuple else kind


def _may_be_null(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def _typed_scopes(machine: Machine, declared: Declared) -> Iterator[tuple[Scope, Types]]:
    """Each scope with the types of what its states write; input from outside has none."""
    around: dict[str, Types] = {}  # by the name of a state, those of the scope that it is in
    for scope in machine.scopes:
        mapped = next((state for state in machine.states if state.name == scope.owner), None)
        inherited = _inherited(mapped, around[mapped.name]) if mapped else {}
        types = inherited | _written(scope, declared)
        first = declared.task_of(scope.states[scope.start]) if scope.start in scope.states else None
        whole = first and "$" in scope.states[scope.start].payload.values()
        if not mapped and not whole:
            types["$"] = Any
        around |= dict.fromkeys(scope.states, types)
        yield scope, types


def _written(scope: Scope, declared: Declared) -> Types:
    types: Types = {}
    for state in scope.states.values():
        pair = declared.task_of(state)
        place = state.body.get("ResultPath", "$")
        if pair and place is not None:
            types |= _flat(state.body.get("ResultSelector") or {}, place, result=pair.result)
    places = {place for state in scope.states.values() for place in _places(state)}
    places |= {
        place
        for state in scope.states.values()
        if _replaces_all(state)
        for place in _flat(state.parameters, "$")
    }
    places |= {
        place
        for state in scope.states.values()
        if state.type == "Task" and _replaces(state.body)
        for place in _flat(state.body.get("ResultSelector") or {}, "$")
    }
    return types | {place: Any for place in places if _type_at(types, place, default=None) is None}


def _places(state: State) -> Iterator[str]:
    """Where a state or its catchers put something, the whole data of a state aside."""
    for body in (state.body, *state.catchers):
        if body.get("ResultPath") and not _replaces(body):
            yield body["ResultPath"]
    if any(_replaces(catcher) for catcher in state.catchers):
        yield from ("$.Error", "$.Cause")


def _replaces(body: Body) -> bool:
    return bool(body.get("ResultPath", "$") == "$")


def _flat(template: Body, place: str, *, result: type[Contract] | None = None) -> Types:
    """The type of each field a template makes under `place`; known if it comes from a result."""
    types: Types = {}
    for name, value in template.items():
        path = f"{place}.{name.removesuffix('.$')}"
        if name.endswith(".$") and result:
            types[path] = _type_at({"$.Payload": result}, value)
        elif isinstance(value, Mapping):
            types |= _flat(value, path, result=result)
        else:
            types[path] = Any
    return types


def _inherited(owner: State, outer: Types) -> Types:
    """What states inside another are given: all data in a Parallel, one item in a Map.

    A Map's ItemSelector may make something else of the item.
    """
    if owner.type == "Parallel":
        return outer
    selector: Mapping[str, str] | None = owner.body.get("ItemSelector")
    (item, *_) = get_args(_type_at(outer, owner.body.get("ItemsPath", "$"))) or (Any,)
    if selector is not None:
        return _flat(selector, "$") | {
            f"$.{name.removesuffix('.$')}": item if path == _ITEM else _type_at(outer, path)
            for name, path in selector.items()
            if name.endswith(".$") and paths(path) == (path,)
        }
    return {"$": item}


def _reads(state: State) -> Iterator[str]:
    """Every path into the state's data; `$$` is the engine's own and no data."""
    own = {name: value for name, value in state.own.items() if name != "ResultSelector"}
    for name, value in fields(own):
        if isinstance(value, str) and (name.endswith(".$") or name in _READ_BY):
            yield from (path for path in paths(value) if not path.startswith("$$") and path != "$")


def _type_at(types: Types, path: str, *, default: Any = Any) -> Any:
    """The type at a path: of the longest known path it begins with, and then field by field."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        known = ".".join(parts[:length])
        if known in types:
            return _descend(types[known], parts[length:], default)
    return Any if any(known.startswith(f"{path}.") for known in types) else default


def _descend(kind: Any, names: list[str], default: Any) -> Any:
    for name in names:
        kind = _without_none(kind)
        if kind is Any:
            return Any
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        declared: dict[str, FieldInfo] = wire_fields(kind) if is_model else {}
        if name not in declared:
            return default
        kind = declared[name].annotation
    return kind


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        (kind, *_) = (option for option in get_args(kind) if option is not NoneType)
    return kind


RULES: Final = (
    paths_lead_somewhere,
    nothing_replaced_is_read,
    payloads_have_the_right_type,
    nulls_are_asked_about,
    what_is_put_is_json,
)
