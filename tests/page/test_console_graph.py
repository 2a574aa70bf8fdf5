"""Each state machine is drawn whole: nothing overlaps, and no transition is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.declared.page import page_folder
from tests.conftest import ROOT

MACHINES: Final = sorted(
    path.name.removesuffix(".asl.json") for path in (ROOT / "state_machines").glob("*.asl.json")
)
NODE: Final = shutil.which("node")
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="no node"),
    pytest.mark.parametrize("machine", MACHINES),
]


@cache
def drawn() -> dict[str, Any]:
    script = Path(__file__).parent / "drawn.mjs"
    done = subprocess.run(
        [str(NODE), str(script), str(page_folder(ROOT)), str(ROOT / "state_machines")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def declared(scope: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each transition of a definition: from, to, and whether it is `catch` or `flow`."""
    for name, state in scope["States"].items():
        ways = [rule["Next"] for rule in state.get("Choices", [])]
        ways += [state[field] for field in ("Default", "Next") if field in state]
        yield from ((name, to, "flow") for to in ways)
        yield from ((name, rule["Next"], "catch") for rule in state.get("Catch", []))
        parts = state.get("Branches", [state.get("ItemProcessor") or state.get("Iterator")])
        for part in filter(None, parts):
            yield from declared(part)


def names(scope: dict[str, Any]) -> Iterator[str]:
    for name, state in scope["States"].items():
        yield name
        parts = state.get("Branches", [state.get("ItemProcessor") or state.get("Iterator")])
        for part in filter(None, parts):
            yield from names(part)


def definition(machine: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / f"state_machines/{machine}.asl.json").read_text())
    return read


def rectangle(node: dict[str, Any], *, whole: bool = False) -> Rectangle:
    """Return where a node is; `whole`: with what is in it."""
    height = node["box"]["height"] if whole and node.get("box") else node["height"]
    return node["x"], node["y"], node["x"] + node["width"], node["y"] + height


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    )  # fmt: skip


def within(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1]
        and inner[2] <= outer[2] and inner[3] <= outer[3]
    )  # fmt: skip


def points(path: str) -> list[tuple[float, float]]:
    """Return points along a path of M, V and C, about 16 a piece."""
    found: list[tuple[float, float]] = []
    for letter, rest in re.findall(r"([MVC])([^MVC]*)", path):
        numbers = [float(each) for each in rest.split()]
        if letter == "M":
            found.append((numbers[0], numbers[1]))
            continue
        x, y = found[-1]
        if letter == "V":
            found += [(x, y + (numbers[0] - y) * step / 16) for step in range(1, 17)]
            continue
        ends = [(x, y), *zip(numbers[::2], numbers[1::2], strict=True)]
        found += [_curve(ends, step / 16) for step in range(1, 17)]
    return found


def _curve(ends: list[tuple[float, float]], at: float) -> tuple[float, float]:
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    x, y = (sum(weight * end[axis] for weight, end in zip(weights, ends, strict=True))
            for axis in (0, 1))  # fmt: skip
    return x, y


def test_every_state_is_drawn_once(machine: str) -> None:
    nodes = drawn()[machine]["drawing"]["nodes"]
    shown = [node["id"] for node in nodes if node.get("state")]

    assert sorted(shown) == sorted(names(definition(machine)))


def test_every_transition_is_drawn_and_errors_are_told_apart(machine: str) -> None:
    lines = drawn()[machine]["drawing"]["lines"]
    shown = [
        (line["from"], line["to"], "catch" if line["kind"] == "catch" else "flow")
        for line in lines
        if line["kind"] != "start"
        for _ in line["whys"]
    ]

    assert sorted(shown) == sorted(declared(definition(machine)))
    assert all(line["path"] for line in lines)


def test_states_and_labels_do_not_overlap(machine: str) -> None:
    drawing = drawn()[machine]["drawing"]
    nodes = {node["id"]: rectangle(node) for node in drawing["nodes"]}
    labels = {
        f"label {line['from']} {line['to']}": rectangle(line["label"])
        for line in drawing["lines"]
        if line.get("label")
    }

    assert [
        pair for pair in combinations(nodes | labels, 2)
        if overlap((nodes | labels)[pair[0]], (nodes | labels)[pair[1]])
    ] == []  # fmt: skip


def test_a_box_has_its_own_states_in_it_and_no_others(machine: str) -> None:
    nodes = drawn()[machine]["drawing"]["nodes"]
    boxes = {node["id"]: rectangle(node, whole=True) for node in nodes if node.get("box")}
    inside = {node["id"]: (node.get("state") or {}).get("inside", "") for node in nodes}

    def around(name: str) -> set[str]:
        return {name, *around(inside[name])} if name else set()

    for node in nodes:
        if not node.get("state"):
            continue
        for name, box in boxes.items():
            if name in around(node["id"]):
                assert within(rectangle(node, whole=True), box), (node["id"], name)
            elif node["id"] not in around(name):
                assert not overlap(rectangle(node, whole=True), box), (node["id"], name)


def test_no_line_touches_a_state_that_it_does_not_join(machine: str) -> None:
    drawing = drawn()[machine]["drawing"]
    states = {node["id"]: rectangle(node, whole=True)
              for node in drawing["nodes"] if node.get("state")}  # fmt: skip
    inside = {node["id"]: node["state"]["inside"] for node in drawing["nodes"] if node.get("state")}

    def around(name: str) -> set[str]:
        return {name, *around(inside.get(name, ""))} if name else set()

    for line in drawing["lines"]:
        allowed = {line["from"], line["to"]} | around(line["to"])
        passed = points(line["path"])
        for name in states.keys() - allowed:
            left, top, right, bottom = states[name]
            inner = [each for each in passed
                     if left < each[0] < right and top < each[1] < bottom]  # fmt: skip
            assert inner == [], (line["from"], line["to"], name)


def test_a_line_begins_and_ends_at_its_states(machine: str) -> None:
    drawing = drawn()[machine]["drawing"]
    nodes = {node["id"]: rectangle(node, whole=True) for node in drawing["nodes"]}

    for line in drawing["lines"]:
        first, last = points(line["path"])[0], points(line["path"])[-1]
        begins, ends = (last, first) if line["back"] else (first, last)
        for (x, y), name in ((begins, line["from"]), (ends, line["to"])):
            left, top, right, bottom = nodes[name]
            assert left - 1 <= x <= right + 1, (line["from"], line["to"])
            assert top - 1 <= y <= bottom + 1, (line["from"], line["to"])


def test_all_is_within_the_drawing_and_always_at_the_same_place(machine: str) -> None:
    found = drawn()[machine]
    whole = (0, 0, found["drawing"]["width"], found["drawing"]["height"])

    assert all(within(rectangle(each, whole=True), whole) for each in found["drawing"]["nodes"])
    assert found["drawing"] == found["again"]


def test_arrow_keys_reach_every_state_along_the_lines(machine: str) -> None:
    found = drawn()[machine]["moves"]

    assert {each["id"] for each in found} == set(names(definition(machine)))
    assert all(each["next"]["Home"]["id"] == found[0]["next"]["Home"]["id"] for each in found)
