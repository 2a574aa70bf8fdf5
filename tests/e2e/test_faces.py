"""The faces of real photos, through the command line, the cloud and every container.

Boxes, scores and landmarks are next to those that face-api finds (`face_api_faces.json`, stored by
tests/bench/faces/stored.py). The photo is scikit-image's astronaut: Eileen Collins, by NASA, in the
public domain. The others are the samples of face-api's own package, where `make bench-faces` has
installed it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from safetensors.numpy import load_file

from containers.face_embedder.aligning import squeezed
from containers.face_embedder.documents import VECTORS
from containers.face_embedder.embedding import _embedded
from containers.face_embedder.engines import Embedder, load_embedder
from containers.face_embedder.spec import Points, Vectors
from pipeline.contracts.faces import EmbedFaces
from pipeline.declared.catalogue import load_catalogue
from pipeline.session.choice import cache_folder
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.faces.compared import pairs
from tests.bench.faces.photos import ASTRONAUT, samples
from tests.bench.figures import Missing
from tests.bench.one_task import StreamingStore
from tests.bench.tasks import stage
from tests.conftest import ROOT
from tests.e2e.conftest import kept
from tests.packages import OFFLINE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SSD, TINY, EMBEDDER = "face-api-ssd", "face-api-tiny", "face-api-resnet34"
STORED: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("face_api_faces.json").read_text()
)
BOX_PX, LANDMARK_PX, SCORE = 0.01, 0.05, 1e-4
SAME_ABOVE: Final = 0.92  # of the row
STRANGERS: Final = 0.89  # of 22 faces of the photos that were measured, nine pairs in ten are below
REDACTIONS: Final = ("blur", "pixelate", "cover")


class Made(NamedTuple):
    """The results of a run, and the pictures that it was given, by name."""

    out: Path
    photos: dict[str, Path]

    def faces(self, name: str) -> list[dict[str, Any]]:
        """Return the faces as the oracle has them: by `box`, `score` and `landmarks`."""
        found = read(self.out / f"{name}_faces.json")["faces"]
        return [
            {
                "box": [face["detection"]["box"][side] for side in ("x", "y", "width", "height")],
                "score": face["detection"]["score"],
                "landmarks": face["landmarks"],
            }
            for face in found
        ]

    def vectors(self, name: str) -> Vectors:
        vectors: Vectors = load_file(self.out / f"{name}_faces.embeddings.safetensors")[VECTORS]
        return vectors


def finished(
    folder: Path, photos: Sequence[Path], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, with kept weights alone; results are in `folder`/out."""
    for model in (SSD, TINY, EMBEDDER):
        kept(model)
    kept_settings = {
        name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")
    }
    return subprocess.run(
        [
            sys.executable, "-m", "pipeline", "faces", *map(str, photos),
            "-o", str(folder / "out"), "--mirror", str(cache_folder()), *options,
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=kept_settings | OFFLINE | {"XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip


def run(folder: Path, photos: Sequence[Path], *options: str) -> Path:
    """Do that; return the folder of results."""
    done = finished(folder, photos, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the faces and vectors of all photos, of one run.

    `other` is the astronaut in another picture: mirrored, darker, enlarged, and a JPEG.
    """
    folder = tmp_path_factory.mktemp("faces")
    other = folder / "other.jpg"
    with Image.open(ASTRONAUT) as image:
        mirrored = ImageOps.mirror(image.convert("RGB")).resize((800, 800))
        ImageEnhance.Brightness(mirrored).enhance(0.7).save(other, quality=80)
    try:
        more = samples()
    except Missing:
        more = []
    photos = {path.stem: path for path in (ASTRONAUT, other, *more)}
    return Made(run(folder, list(photos.values()), "--model", SSD, "--embed"), photos)


@pytest.fixture(scope="module")
def tiny(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the faces that the tiny model finds, with no option but the model."""
    photos = {name: path for name, path in made.photos.items() if name in STORED}
    out = run(tmp_path_factory.mktemp("tiny"), list(photos.values()), "--model", TINY)
    return Made(out, photos)


@pytest.fixture(scope="module")
def samples_of_face_api(made: Made) -> list[str]:
    if len(made.photos) < 3:
        pytest.skip("face-api's samples are not here; `make bench-faces` installs them")
    return [name for name in made.photos if name.startswith("sample")]


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def require_same(found: Sequence[Any], stored: Sequence[Any]) -> None:
    assert len(found) == len(stored)
    matched = pairs(found, stored)
    assert len(matched) == len(stored)
    for ours, theirs in matched:
        assert ours["box"] == pytest.approx(theirs["box"], abs=BOX_PX)
        assert ours["score"] == pytest.approx(theirs["score"], abs=SCORE)
        if "landmarks" in theirs:
            apart = np.abs(np.subtract(ours["landmarks"], theirs["landmarks"]))
            assert apart.max() <= LANDMARK_PX


def test_the_astronauts_face_is_where_face_api_finds_it(made: Made) -> None:
    require_same(made.faces("astronaut"), STORED["astronaut"]["ssd"])


def test_every_face_of_the_samples_is_where_face_api_finds_it(
    made: Made, samples_of_face_api: list[str]
) -> None:
    for name in samples_of_face_api:
        require_same(made.faces(name), STORED[name]["ssd"])


def test_the_tiny_model_finds_the_faces_that_face_apis_finds(tiny: Made) -> None:
    for name in tiny.photos:
        require_same(tiny.faces(name), STORED[name]["tiny"])


def test_a_run_without_options_writes_no_attributes_vectors_or_pictures(tiny: Made) -> None:
    names = {path.name for path in tiny.out.iterdir()}
    assert names == {
        f"{name}_faces{ending}" for name in tiny.photos for ending in (".json", ".record.json")
    }
    (face,) = read(tiny.out / "astronaut_faces.json")["faces"]
    assert set(face) == {"detection", "landmarks", "pose"}


def test_vectors_of_one_person_are_closer_than_those_of_two(
    made: Made, samples_of_face_api: list[str]
) -> None:
    """Faces in one photo are of different people."""
    (one,), (same,) = made.vectors("astronaut"), made.vectors("other")
    others = [vector for name in samples_of_face_api for vector in made.vectors(name)]

    assert len(others) >= 8
    assert one @ same >= SAME_ABOVE
    assert one @ same > max(one @ other for other in others)


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what is found in the astronaut's redacted copies, with low scores too."""
    folder = tmp_path_factory.mktemp("redacted")
    pictures = {}
    for redaction in REDACTIONS:
        out = run(folder / redaction, [ASTRONAUT], "--model", SSD, "--redact", redaction)
        # Under another name: the command skips what it has written itself.
        pictures[redaction] = folder / f"{redaction}.png"
        (out / "astronaut_faces_redacted.png").rename(pictures[redaction])
    again = run(folder, list(pictures.values()), "--model", SSD, "--min-score", "0.2")
    return Made(again, pictures)


@pytest.mark.parametrize("redaction", REDACTIONS)
def test_a_redacted_face_is_neither_found_nor_recognised(
    redaction: str, redacted: Made, made: Made, embedder: Embedder
) -> None:
    assert redacted.faces(redaction) == []
    (vector,) = made.vectors("astronaut")
    landmarks = np.array(made.faces("astronaut")[0]["landmarks"])
    assert vector @ embedded(ASTRONAUT, landmarks, embedder) > 0.999
    assert vector @ embedded(redacted.photos[redaction], landmarks, embedder) < STRANGERS


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    kept(EMBEDDER)
    folder = tmp_path_factory.mktemp("embedder")
    store = StreamingStore(folder / "store")
    stage(store, folder, (EMBEDDER,))
    settings = Settings(scratch=folder / "scratch", threads=1)
    context = TaskContext(Workbench(root=ROOT, settings=settings, store=store))
    row = load_catalogue(ROOT).row(EMBEDDER)
    fields: dict[str, Any] = {
        "model": EMBEDDER, "models_bucket": "models", "weights_key": row.weights_key,
    }  # fmt: skip
    return load_embedder(row, EmbedFaces.model_construct(**fields), context)


def embedded(path: Path, landmarks: Points, embedder: Embedder) -> Vectors:
    """Return the vector of what is where a face was: nobody finds it, so nobody embeds it."""
    with Image.open(path) as image:
        crop = squeezed(np.asarray(image.convert("RGB")), landmarks)
    assert crop is not None
    vector: Vectors = _embedded([crop], embedder.network, embedder.spec.dimension)[0]
    return vector
