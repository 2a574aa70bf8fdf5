"""The rows of the face embedder: engines, limits and licences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from containers.face_embedder.engines import LOADERS
from containers.face_embedder.spec import CONTAINER, DlibSpec, EmbedderSpec, FacenetSpec
from containers.media_inspector.inspection import inspect_media
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import InspectMedia
from pipeline.contracts.faces import FacesInspected
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.products import load_products
from pipeline.errors import LicenseNotAccepted
from tests.conftest import ROOT
from tests.embedding_models import Square, draw
from tests.pictures import png

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


def inspected(folder: Path, catalogue: Catalogue, **options: Any) -> FacesInspected:
    """Inspect a photo as the state machine of faces does, before any weights are staged."""
    store = LocalStore(folder)
    store.write(Location("ingest", "a.png"), png(draw(64, 64, Square(8, 8, 40))), media_type="")
    task = InspectMedia(
        schema_version=1,
        product="faces",
        input={"bucket": "ingest", "key": "a.png", "options": options},
        execution="e",
        default_models={"detector": "face-api-ssd", "embedder": CATALOGUE.defaults[CONTAINER]},
        ingest_bucket=None,
        lease_s=600,
    )
    answer = inspect_media(task, store, catalogue, load_products(ROOT), ())
    assert isinstance(answer, FacesInspected)
    return answer


def test_a_job_that_names_such_weights_ends_before_they_are_staged(tmp_path: Path) -> None:
    """Unless the operator has accepted their licence."""
    name = "facenet-vggface2"

    with pytest.raises(LicenseNotAccepted, match=name):
        inspected(tmp_path, CATALOGUE, embed=True, embedder=name)

    accepted = load_catalogue(ROOT, accepted_licences=[CATALOGUE.row(name).licence])
    planned = inspected(tmp_path, accepted, embed=True, embedder=name).plan.embedder
    assert planned
    assert planned.model == name


def test_vectors_are_made_only_if_asked_for(tmp_path: Path) -> None:
    """By default there is no embedder; with `embed`, it is the default row."""
    assert inspected(tmp_path, CATALOGUE).plan.embedder is None
    planned = inspected(tmp_path, CATALOGUE, embed=True).plan.embedder
    assert planned
    assert planned.model == "face-api-resnet34"
