"""The rows of the face embedder: engines, limits and licences."""

from __future__ import annotations

import pytest

from containers.face_embedder.engines import LOADERS
from containers.face_embedder.spec import CONTAINER, DlibSpec, EmbedderSpec, FacenetSpec
from pipeline.declared.catalogue import load_catalogue
from pipeline.errors import LicenseNotAccepted
from tests.conftest import ROOT

CATALOGUE = load_catalogue(ROOT)
ROWS = CATALOGUE.rows_of(CONTAINER)


def test_every_engine_has_a_loader() -> None:
    """And every row can be read by it."""
    assert set(LOADERS) == set(CATALOGUE.engines[CONTAINER])
    for row in ROWS:
        kind = FacenetSpec if row.engine.name == "facenet" else DlibSpec
        assert row.spec(kind).dimension


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_rejects_what_is_small_or_uncertain(row: object) -> None:
    """The limits are those that were measured to matter."""
    spec = row.spec(EmbedderSpec)  # type: ignore[attr-defined]

    assert spec.least_score == 0.95
    assert spec.least_side == 60
    assert 0 < spec.same_above < 1


def test_the_default_needs_no_consent_to_a_licence() -> None:
    """Whoever asks for vectors and names no model gets one that is free to use."""
    assert CATALOGUE.row(CATALOGUE.defaults[CONTAINER]).commercial


def test_landmarks_are_those_of_a_row_of_the_analyzer() -> None:
    """The error about missing landmarks names a row that exists."""
    for row in ROWS:
        if row.engine.name == "dlib-resnet":
            assert CATALOGUE.row(row.spec(DlibSpec).detector).container == "face-analyzer"


@pytest.mark.parametrize("name", ["facenet-vggface2", "facenet-casia-webface"])
def test_weights_of_unclear_terms_are_used_by_consent_only(name: str) -> None:
    """Without it, the error names the model and the licence to accept."""
    row = CATALOGUE.row(name)

    with pytest.raises(LicenseNotAccepted, match=f"{name} are under {row.licence}"):
        CATALOGUE.usable(name)

    accepted = load_catalogue(ROOT, accepted_licences=[row.licence])
    assert accepted.usable(name) == row


def test_consent_to_one_licence_is_no_consent_to_another() -> None:
    """Each row has its own."""
    accepted = load_catalogue(ROOT, accepted_licences=[CATALOGUE.row("facenet-vggface2").licence])

    with pytest.raises(LicenseNotAccepted):
        accepted.usable("facenet-casia-webface")
