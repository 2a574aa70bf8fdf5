"""Evaluate alarms and metric math as CloudWatch does, over made-up metrics."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

Point = float | None
Series = list[Point]
# The values of a metric over the last periods, by its name; None where it has none.
Values = Callable[[str], Sequence[Point]]
State = Literal["ALARM", "OK"]

_OPERATORS: Final[Mapping[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.And: lambda one, other: bool(one and other),
}
_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_CHILD: Final = re.compile(r'ALARM\("([^"]+)"\)')


def state(alarm: Mapping[str, Any], values: Values) -> State:
    """Return the state of an alarm's properties, with M of N periods and missing data."""
    periods = alarm["EvaluationPeriods"]
    series = _watched(alarm, values, periods)[-periods:]
    breaches = [_breaches(alarm, point) for point in series]
    return "ALARM" if sum(breaches) >= alarm["DatapointsToAlarm"] else "OK"


def composite_state(rule: str, alarms: Mapping[str, State]) -> State:
    """Return the state of a composite alarm whose rule is `ALARM("…") OR ALARM("…")`."""
    children = _CHILD.findall(rule)
    if " OR ".join(f'ALARM("{child}")' for child in children) != rule:
        raise ValueError(f"cannot evaluate {rule}")
    return "ALARM" if any(alarms[child] == "ALARM" for child in children) else "OK"


def computed(metrics: Sequence[Mapping[str, Any]], values: Values, periods: int) -> Series:
    """Return the series of the one metric of a list that is shown. An alarm's `Metrics` are one."""
    series = {
        each["Id"]: _points(values(each["MetricStat"]["Metric"]["MetricName"]), periods)
        for each in metrics
        if "MetricStat" in each
    }
    (shown,) = (each for each in metrics if each.get("ReturnData", True))
    expressions = {each["Id"]: each["Expression"] for each in metrics if "Expression" in each}
    return evaluate(expressions[shown["Id"]], series, expressions, periods)


def evaluate(
    expression: str, series: Mapping[str, Series], expressions: Mapping[str, str], periods: int
) -> Series:
    """Compute an expression, period by period; others of `expressions` may be named in it."""
    text = re.sub(r"\bAND\b", "and", expression).replace("IF(", "IF_(")
    tree = ast.parse(text, mode="eval").body
    whole = dict(series)
    for named in {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}:
        if named in expressions and named not in whole:
            whole[named] = evaluate(expressions[named], series, expressions, periods)
    return [
        _compute(tree, {name: each[at] for name, each in whole.items()}) for at in range(periods)
    ]


def _compute(node: ast.AST, at: Mapping[str, Point]) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return at[name]
        case ast.Call(func=ast.Name("FILL"), args=[filled, ast.Constant(instead)]):
            found = _compute(filled, at)
            return instead if found is None else found
        case ast.Call(func=ast.Name("IF_"), args=[condition, then, otherwise]):
            holds = _compute(condition, at)
            return None if holds is None else _compute(then if holds else otherwise, at)
        case (
            ast.BinOp(left, kind, right)
            | ast.Compare(left, [kind], [right])
            | ast.BoolOp(kind, [left, right])
        ):
            return _of(kind, _compute(left, at), _compute(right, at))
    raise ValueError(f"cannot evaluate {ast.unparse(node)}")


def _of(kind: ast.AST, one: Point, other: Point) -> Any:
    """Combine two points. A missing one makes a missing one; so does a division by zero."""
    if one is None or other is None or (isinstance(kind, ast.Div) and other == 0):
        return None
    return _OPERATORS[type(kind)](one, other)


def _watched(alarm: Mapping[str, Any], values: Values, periods: int) -> Series:
    if "Metrics" in alarm:
        return computed(alarm["Metrics"], values, periods)
    return _points(values(alarm["MetricName"]), periods)


def _points(values: Sequence[Point], periods: int) -> Series:
    """Return the last periods; a single value is that of every period."""
    return list(values) * periods if len(values) == 1 else list(values)[-periods:]


def _breaches(alarm: Mapping[str, Any], point: Point) -> bool:
    if point is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return _COMPARED[alarm["ComparisonOperator"]](point, alarm["Threshold"])
