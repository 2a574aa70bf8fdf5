"""Slips: one mistake in a state machine each, with what a rule has to say about it."""

from __future__ import annotations

from typing import NamedTuple

from tests.contracts.declared import Rule
from tests.contracts.mutations import Edit


class Slip(NamedTuple):
    """An edit of the machine that brings the slip, and the report of the rule that finds it."""

    rule: Rule
    edit: Edit
    report: str
