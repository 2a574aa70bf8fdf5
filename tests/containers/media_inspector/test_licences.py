"""A model that may not be used commercially waits until its licence is accepted by name."""

from __future__ import annotations

from typing import Any

import pytest

from containers.media_inspector.options import Profile
from pipeline.artifacts import LocalStore
from pipeline.declared.catalogue import Catalogue
from pipeline.errors import LicenseNotAccepted
from tests.containers.media_inspector.inspecting import inspect

WISHES: dict[str, dict[str, Any]] = {
    "an option": {"options": {"model": "lab"}},
    "a prefix profile": {
        "profiles": (Profile(product="cutout", prefix="trips/", options={"model": "lab"}),)
    },
    "the default": {"default_model": "lab"},
    "a fallback": {"options": {"model": "leaning", "allow_fallback": True}},
}
EACH_WISH = pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)


def accepting(catalogue: Catalogue, *licences: str) -> Catalogue:
    return catalogue.model_copy(update={"accepted_licences": frozenset(licences)})


@EACH_WISH
def test_it_is_refused_however_it_is_asked_for(
    store: LocalStore, catalogue: Catalogue, wish: dict[str, Any]
) -> None:
    with pytest.raises(LicenseNotAccepted) as refused:
        inspect(store, catalogue, **wish)

    assert refused.value.message == (
        "the weights of lab are under CC-BY-NC-4.0, which does not allow commercial use"
    )
    assert "MATTELINE_ACCEPTED_LICENCES" in refused.value.hint


@EACH_WISH
def test_it_serves_where_its_licence_is_accepted(
    store: LocalStore, catalogue: Catalogue, wish: dict[str, Any]
) -> None:
    plan = inspect(store, accepting(catalogue, "CC-BY-NC-4.0"), **wish).plan.mask

    assert "lab" in {plan.model, plan.fallback and plan.fallback.model}


@pytest.mark.parametrize("licence", ["MIT", "cc-by-nc-4.0", "CC-BY-NC-3.0", "CC-BY-NC", ""])
def test_accepting_another_licence_does_not_help(
    store: LocalStore, catalogue: Catalogue, licence: str
) -> None:
    with pytest.raises(LicenseNotAccepted):
        inspect(store, accepting(catalogue, licence), options={"model": "lab"})


def test_a_fallback_nobody_allowed_needs_no_licence(
    store: LocalStore, catalogue: Catalogue
) -> None:
    assert inspect(store, catalogue, options={"model": "leaning"}).plan.mask.model == "leaning"
