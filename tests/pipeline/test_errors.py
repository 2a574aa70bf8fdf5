"""Every error has a name that state machines match, and a hint that a user can act on."""

from __future__ import annotations

import pytest

from pipeline import errors
from pipeline.errors import (
    CapacityError,
    DeploymentError,
    HandedOver,
    NoSubject,
    PermanentError,
    PipelineError,
    TransientError,
    WeightsError,
    leaf_names,
)

LEAVES = {
    PermanentError: {
        "BatchNotEnabled",
        "CollectionExists",
        "CollectionMissing",
        "CollectionTooLarge",
        "ConsentMissing",
        "CorruptMedia",
        "EmbeddingMismatch",
        "InvalidOptions",
        "InvalidPrompt",
        "LicenseNotAccepted",
        "MediaTooLarge",
        "MediaTooLong",
        "NoAudio",
        "NoSubject",
        "PhotoRefused",
        "SourceArchived",
        "SourceChanged",
        "SourceForbidden",
        "SourceMissing",
        "UnknownModel",
        "UnsupportedLanguage",
        "UnsupportedMedia",
    },
    CapacityError: {"OutOfMemory", "OutOfStorage"},
    TransientError: {
        "CollectionBusy",
        "ModelUnavailable",
        "StoreUnavailable",
        "WeightsClaimed",
        "WeightsUnavailable",
    },
    DeploymentError: {"KeyUnusable", "SegmentMismatch"},
    HandedOver: {"OtherMedia", "OtherProduct"},
    WeightsError: {"ModelNotOffered", "WeightsForbidden", "WeightsMismatch", "WeightsNotStaged"},
}
NAMES = sorted(set().union(*LEAVES.values()))


@pytest.mark.parametrize("base", LEAVES, ids=lambda base: base.__name__)
def test_each_group_has_exactly_these_errors(base: type[PipelineError]) -> None:
    assert leaf_names(base) == LEAVES[base]


def test_there_are_no_other_errors() -> None:
    assert leaf_names() == set(NAMES)


def test_every_error_belongs_to_a_group() -> None:
    assert set(PipelineError.__subclasses__()) == set(LEAVES)


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_its_message_and_its_hint_on_two_lines(name: str) -> None:
    kind = getattr(errors, name)

    assert str(kind("it broke")) == f"it broke\n{kind.hint}"
    assert kind.hint.endswith(".")
    assert "\n" not in kind.hint


def test_a_message_is_one_line_even_if_it_quotes_several() -> None:
    assert NoSubject("a\n  b\tc ").message == "a b c"
    assert str(NoSubject("a\n  b\tc ")) == f"a b c\n{NoSubject.hint}"


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_in_the_modules_tree_and_exported(name: str) -> None:
    assert name in errors.__doc__
    assert name in errors.__all__


@pytest.mark.parametrize("name", NAMES)
def test_every_error_has_a_docstring(name: str) -> None:
    assert getattr(errors, name).__doc__


def test_all_public_names_exist() -> None:
    assert all(hasattr(errors, name) for name in errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)
