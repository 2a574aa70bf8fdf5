"""What is read, and what is written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.numpy import load

from containers.face_embedder.documents import read_faces, store_embeddings
from containers.face_embedder.spec import Vectors
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.faces import EmbeddingsDocument, EmbedFaces
from tests.embedding_models import Square, analysed

DOCUMENT = analysed(300, 200, Square(10, 20, 100)).model_dump(
    mode="json", by_alias=True, exclude_none=True
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def job_of(faces: Artifact) -> EmbedFaces:
    source = {
        "bucket": "ingest", "key": "a.png", "version_id": None, "etag": "e", "sha256": "0" * 64,
        "bytes": 1, "media_type": "image/png", "width": 300, "height": 200,
    }  # fmt: skip
    fields = {
        "schema": 1, "job_id": "1", "execution": "e", "source": source, "faces": faces,
        "model": "m", "models_bucket": "models", "weights_key": "k", "work_bucket": "work",
        "work_prefix": "faces/1", "output_stem": "a",
    }  # fmt: skip
    return EmbedFaces.model_validate(fields)


def put(store: LocalStore, content: bytes) -> Artifact:
    return store.write(Location("work", "faces/1/faces.json"), content, media_type="")


def changed(**fields: Any) -> bytes:
    return json.dumps(DOCUMENT | fields).encode()


def with_face(**fields: Any) -> bytes:
    return changed(faces=[DOCUMENT["faces"][0] | fields])


def test_a_document_is_read(store: LocalStore) -> None:
    """As the analyzer wrote it."""
    document = read_faces(job_of(put(store, changed())), store)

    assert document.faces[0].detection.box.width == 100


BOX = DOCUMENT["faces"][0]["detection"]["box"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "Field required"),
        (b"not json", "Invalid JSON"),
        (changed(more=1), "Extra inputs"),
        (changed(width=301), "another size"),
        (changed(height=199), "another size"),
        (changed(faces=DOCUMENT["faces"] * 501), "more than 500 faces"),
        (with_face(landmarks=[[1, 2]] * 69), "impossible face"),
        (with_face(landmarks=[[1, float("nan")]] * 68), "impossible face"),
        (with_face(detection={"box": BOX | {"x": float("inf")}, "score": 1}), "impossible face"),
        (with_face(detection={"box": BOX, "score": float("nan")}), "impossible face"),
        (b" " * (8 * 2**20) + changed(), "more than 8,388,608 bytes"),
    ],
)
def test_any_other_content_is_a_fault(store: LocalStore, content: bytes, why: str) -> None:
    """It is our own file: whatever else is in its place is no input of a user."""
    with pytest.raises((ValueError, ValidationError), match=why):
        read_faces(job_of(put(store, content)), store)


def test_an_error_does_not_repeat_what_is_in_a_face(store: LocalStore) -> None:
    """It is logged, and kept in the job's row."""
    told = with_face(detection={"box": BOX | {"x": "31.4159"}, "score": 1}, more=27.1828)

    with pytest.raises(ValidationError) as raised:
        read_faces(job_of(put(store, told)), store)

    assert "faces.0.more" in str(raised.value)
    assert "31.4159" not in str(raised.value)
    assert "27.1828" not in str(raised.value)


def test_a_document_that_is_gone_says_why(store: LocalStore) -> None:
    """A failed execution was redriven too late, or after its photo was deleted."""
    job = job_of(Artifact(uri=Location("work", "faces/1/faces.json").uri, sha256="0" * 64, bytes=1))

    with pytest.raises(ValueError, match="expires after a day"):
        read_faces(job, store)


def test_other_bytes_than_were_written_are_a_fault(store: LocalStore) -> None:
    """The job has their checksum."""
    written = put(store, changed())
    put(store, changed(model="other"))

    with pytest.raises(ValueError, match="not what was written"):
        read_faces(job_of(written), store)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_safetensors_file_has_the_vectors(store: LocalStore, tmp_path: Path, rows: int) -> None:
    """The library reads them back, and which photo they are of."""
    vectors = np.arange(rows * 5, dtype=np.float32).reshape(rows, 5)

    content = stored(store, vectors)

    tensors = load(content)
    assert list(tensors) == ["embeddings"]
    assert tensors["embeddings"].dtype == np.float32
    assert tensors["embeddings"].tolist() == vectors.tolist()
    (tmp_path / "vectors").write_bytes(content)
    with safe_open(tmp_path / "vectors", framework="numpy") as file:
        assert file.metadata() == {"source": "0" * 64}


def test_the_same_vectors_are_the_same_bytes(store: LocalStore) -> None:
    """A job that is done again, in another process, writes the same checksum."""
    digest = hashlib.sha256(stored(store, np.ones((2, 3), np.float32))).hexdigest()

    assert digest == "8094a1e75e6760616a28dc56a5cc17d6e386d3f05bebccfef52f47936afc0319"


def stored(store: LocalStore, vectors: Vectors) -> bytes:
    job = job_of(put(store, changed()))
    document = EmbeddingsDocument(
        dimension=vectors.shape[1], same_above=0.9, faces=(), model="m", weights_sha256="1" * 64
    )
    written, _ = store_embeddings(vectors, document, job, store)
    return store.read(Location.parse(written.artifact.uri))
