"""Every failure has a name a state machine can match and a hint a person can act on."""

from __future__ import annotations

import pytest

from pipeline import errors
from pipeline.errors import (
    CapacityError,
    NoSubject,
    PermanentError,
    PipelineError,
    TransientError,
    WeightsError,
    leaf_names,
)

LEAVES = {
    PermanentError: {
        "CorruptMedia",
        "InvalidOptions",
        "InvalidPrompt",
        "LicenseNotAccepted",
        "MediaTooLarge",
        "NoSubject",
        "PhotoRefused",
        "SourceChanged",
        "SourceForbidden",
        "SourceMissing",
        "UnknownModel",
        "UnsupportedMedia",
    },
    CapacityError: {"OutOfMemory", "OutOfStorage"},
    TransientError: {
        "ModelUnavailable",
        "StoreUnavailable",
        "WeightsClaimed",
        "WeightsUnavailable",
    },
    WeightsError: {"ModelNotOffered", "WeightsForbidden", "WeightsMismatch", "WeightsNotStaged"},
}
NAMES = sorted(set().union(*LEAVES.values()))


@pytest.mark.parametrize("base", LEAVES, ids=lambda base: base.__name__)
def test_each_group_has_exactly_these_names(base: type[PipelineError]) -> None:
    assert leaf_names(base) == LEAVES[base]


def test_there_are_no_other_names() -> None:
    assert leaf_names() == set(NAMES)


def test_the_groups_are_all_there_is_below_the_root() -> None:
    assert set(PipelineError.__subclasses__()) == set(LEAVES)


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_says_what_happened_and_what_to_do(name: str) -> None:
    kind = getattr(errors, name)

    assert str(kind("It happened.")) == f"It happened.\n{kind.hint}"
    assert kind.hint.endswith(".")
    assert "\n" not in kind.hint


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert NoSubject("a\n  b\tc ").message == "a b c"
    assert str(NoSubject("a\n  b\tc ")) == f"a b c\n{NoSubject.hint}"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_drawn_in_the_module(name: str) -> None:
    assert name in errors.__doc__
    assert name in errors.__all__


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented(name: str) -> None:
    assert getattr(errors, name).__doc__


def test_all_public_names_exist() -> None:
    assert all(hasattr(errors, name) for name in errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)
