"""Count the transitions and requests of one object, from its product's state machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.operations.backfill.costs import Requests

# A small photo with default options, counted in the local cloud. A row of the jobs table takes two
# writes of 1 KB. Other products take about as many.
EACH: Final = Requests(puts=4, gets=7, writes=4, events=1, logged=5_200)
# What a job of AWS Batch adds: its input and its outcome, each written once and read once.
A_JOB: Final = Requests(puts=2, gets=2)
# The execution itself, and the one of `notify-webhooks` that its end starts.
EXECUTIONS: Final = 2
_ON_BATCH: Final = "OnBatch"  # how the names of states end that run a job of AWS Batch
_TOLD: Final = 4  # transitions of `notify-webhooks` without any webhook, its start included


def transitions(
    definition: Mapping[str, Any],
    child: Mapping[str, Any],
    job: Mapping[str, Any] | None = None,
) -> int:
    """Return the most that is billed for one object of a product.

    `definition` is its state machine, and `child` what the backfill's Map does for each object.
    With `job`, the state machine that runs a job of AWS Batch, tasks that can be jobs are.
    """
    return most_transitions(definition, job) + 1 + most_transitions(child) + 1 + _TOLD


def most_transitions(definition: Mapping[str, Any], job: Mapping[str, Any] | None = None) -> int:
    """Return the number of states on the longest error-free path through a state machine.

    `definition` is a whole machine, or the ItemProcessor of a Map. A Map counts one item, a
    Parallel all its branches. A task that could run as a job of AWS Batch counts as a function's
    call or, with `job`, as a job: with the states of that machine, and its start. AWS bills an
    execution for these states and one more, its start.
    """
    a_job = most_transitions(job) + 1 if job else 0
    states: Mapping[str, Any] = definition["States"]

    def longest_from(name: str, passed: frozenset[str]) -> int:
        state, passed = states[name], passed | {name}
        inner = [state.get("ItemProcessor"), *state.get("Branches", ())]
        rules = [state, *state.get("Choices", ())]
        ahead = {rule[link] for rule in rules for link in ("Next", "Default") if link in rule}
        ahead = {each for each in ahead - passed if job or not each.endswith(_ON_BATCH)}
        on_batch = a_job if name.endswith(_ON_BATCH) else 0
        rest = (longest_from(each, passed) for each in ahead)
        within = sum(most_transitions(each, job) for each in inner if each)
        return 1 + on_batch + within + max(rest, default=0)

    return longest_from(definition["StartAt"], frozenset())
