"""What one object takes of a stage, as its state machines are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.operations.volume_costs import Requests

# A small photo with default options, counted by `make bench-volume` in the local cloud. A PUT is
# any request that writes; other products take about as many.
EACH: Final = Requests(puts=6, gets=12, writes=3, events=3, logged=6_000)


def most_transitions(definition: Mapping[str, Any]) -> int:
    """Return the number of states on the longest error-free path through a state machine.

    `definition` is a whole machine, or the ItemProcessor of a Map. A Map counts one item, a
    Parallel all its branches. AWS bills an execution for these states and one more, its start.
    """
    states: Mapping[str, Any] = definition["States"]

    def longest_from(name: str, passed: frozenset[str]) -> int:
        state, passed = states[name], passed | {name}
        inner = [state.get("ItemProcessor"), *state.get("Branches", ())]
        rules = [state, *state.get("Choices", ())]
        ahead = {rule[link] for rule in rules for link in ("Next", "Default") if link in rule}
        rest = (longest_from(each, passed) for each in ahead - passed)
        return 1 + sum(most_transitions(each) for each in inner if each) + max(rest, default=0)

    return longest_from(definition["StartAt"], frozenset())
