"""EmbedFaces, from a photo and its faces in a store to vectors in a store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load

from containers.face_embedder import embedding
from containers.face_embedder.handler import handler
from containers.face_embedder.network import Network, open_network
from containers.face_embedder.spec import Tensor
from pipeline import hardware
from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.contracts.faces import (
    EmbeddingsDocument,
    EmbedFaces,
    FacesDocument,
    FacesEmbedded,
    output_key,
)
from pipeline.errors import (
    InvalidOptions,
    OutOfMemory,
    SourceChanged,
    UnknownModel,
    WeightsMismatch,
    WeightsNotStaged,
)
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import combined_sha256
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests import embedding_models
from tests.conftest import ROOT
from tests.embedding_models import DIMENSION, Align, Square, analysed, draw, stock_embedder
from tests.pictures import png

MODEL = "squares"
WIDTH, HEIGHT = 330, 240
LARGE, OTHER = Square(20, 30, 100, mark=6), Square(150, 20, 90, mark=18)
SMALL, DULL = Square(265, 40, 40, mark=3), Square(200, 140, 88, score=0.8, mark=12)
ALL = (LARGE, OTHER, SMALL, DULL)


class Made(NamedTuple):
    result: FacesEmbedded
    document: EmbeddingsDocument
    vectors: npt.NDArray[np.float32]

    @property
    def rows(self) -> list[tuple[int | None, int | None, str | None]]:
        return [(each.face, each.row, each.rejected) for each in self.document.faces]


@dataclass
class Bench:
    context: TaskContext

    @property
    def store(self) -> LocalStore:
        store = self.context.store
        assert isinstance(store, LocalStore)
        return store

    def put(self, bucket: str, key: str, content: bytes) -> Artifact:
        return self.store.write(Location(bucket, key), content, media_type="")

    def stage(self) -> str:
        """Write the networks to the models bucket, as the downloader would."""
        row = catalogue_of(self.context.bench, "face-embedder").row(MODEL)
        (folder,) = (path.parent for path in self.context.settings.catalogue_overlays)
        files = []
        for file in row.files:
            artifact = self.put("models", f"m/{file.name}", (folder / file.name).read_bytes())
            files.append(
                StagedFile(name=file.name, digest=file.digest, source="test", artifact=artifact)
            )
        record = StagedWeights(model=MODEL, licence="MIT", files=tuple(files))
        self.put("models", row.weights_key, record.model_dump_json().encode())
        return row.weights_key

    def job(self, *drawn: Square, known: FacesDocument | None = None, **changes: Any) -> EmbedFaces:
        """Write a photo and its faces; return the job about them."""
        content = png(draw(WIDTH, HEIGHT, *drawn))
        photo = self.put("ingest", "people/a.png", content)
        known = known or analysed(WIDTH, HEIGHT, *drawn)
        faces = self.put("work", "faces/1/faces.json", known.model_dump_json().encode())
        source = {
            "bucket": "ingest", "key": "people/a.png", "version_id": None, "etag": "e",
            "sha256": photo.sha256, "bytes": photo.bytes, "media_type": "image/png",
            "width": WIDTH, "height": HEIGHT,
        }  # fmt: skip
        fields = {
            "schema": 1, "job_id": "1", "execution": "e", "source": source, "faces": faces,
            "model": MODEL, "models_bucket": "models", "weights_key": self.stage(),
            "work_bucket": "work", "work_prefix": "faces/1", "output_stem": "people/a",
        }  # fmt: skip
        return EmbedFaces.model_validate(fields | changes)

    def run(self, *drawn: Square, known: FacesDocument | None = None) -> Made:
        result = self.perform(self.job(*drawn, known=known))
        vectors, document = (self.read(file.artifact) for file in result.files)
        return Made(
            result, EmbeddingsDocument.model_validate_json(document), load(vectors)["embeddings"]
        )

    def perform(self, job: EmbedFaces) -> FacesEmbedded:
        result = handler.__wrapped__(job, self.context)  # type: ignore[attr-defined]
        assert isinstance(result, FacesEmbedded)
        return result

    def read(self, artifact: Artifact) -> bytes:
        return self.store.read(Location.parse(artifact.uri))


def bench_with(folder: Path, align: Align, **settings: Any) -> Bench:
    overlay = folder / "catalogue.toml"
    overlay.write_text(stock_embedder(folder, MODEL, align))
    given = Settings(catalogue_overlays=(overlay,), scratch=folder / "scratch", **settings)
    store = LocalStore(folder / "store")
    return Bench(TaskContext(Workbench(root=ROOT, settings=given, store=store)))


@pytest.fixture(params=["box", "points", "landmarks"])
def any_bench(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    return bench_with(tmp_path, request.param)


@pytest.fixture
def boxes(tmp_path: Path) -> Bench:
    return bench_with(tmp_path, "box")


@pytest.fixture
def with_landmarks(tmp_path: Path) -> Bench:
    return bench_with(tmp_path, "landmarks")


def test_large_and_clear_faces_get_vectors(any_bench: Bench) -> None:
    """The others are listed with the reason, however the row aligns."""
    made = any_bench.run(*ALL)

    assert sorted(made.rows, key=str) == [
        (0, 0, None),
        (1, 1, None),
        (2, None, "a side is shorter than 60 pixels"),
        (3, None, "its score is below 0.95"),
    ]
    assert (made.result.count, made.result.rejected, made.result.dimension) == (2, 2, DIMENSION)
    assert made.vectors.shape == (2, DIMENSION)


def test_vectors_have_length_1_and_tell_faces_apart(any_bench: Bench) -> None:
    """The same drawn face elsewhere and larger is nearer than another one in the same place."""
    lengths = np.linalg.norm(any_bench.run(LARGE, OTHER).vectors, axis=1)
    (one, other) = any_bench.run(LARGE, OTHER).vectors
    (again,) = any_bench.run(Square(100, 60, 110, mark=LARGE.mark)).vectors

    assert lengths == pytest.approx([1, 1])
    assert one @ again > one @ other


def test_the_files_are_named_and_say_whose_they_are(boxes: Bench) -> None:
    """Keys, kinds and media types are the contract's; the files name photo and model."""
    made = boxes.run(LARGE)
    vectors, document = made.result.files

    assert (vectors.kind, document.kind) == ("embeddings", "embedded")
    assert vectors.work_key == "faces/1/faces.embeddings.safetensors"
    assert document.work_key == "faces/1/faces.embeddings.json"
    assert vectors.output_key == output_key("people/a", "embeddings")
    assert document.output_key == "people/a_faces.embeddings.json"
    assert document.media_type == "application/json"
    photo = hashlib.sha256(png(draw(WIDTH, HEIGHT, LARGE))).hexdigest()
    assert photo.encode() in boxes.read(vectors.artifact)
    assert made.document.model == MODEL
    assert made.document.weights_sha256 == made.result.weights_sha256
    assert made.document.same_above == 0.9


def test_the_checksum_is_of_all_files_of_the_row(boxes: Bench) -> None:
    """MTCNN decides what a vector is of, so its networks count."""
    row = catalogue_of(boxes.context.bench, "face-embedder").row(MODEL)
    digests = [str(file.digest).removeprefix("sha256:") for file in row.files]

    assert len(digests) == 4
    assert boxes.run(LARGE).result.weights_sha256 == combined_sha256(digests)


def test_the_same_photo_makes_the_same_bytes(boxes: Bench) -> None:
    """A task that is done again replaces its files by equal ones."""
    first, again = (boxes.run(*ALL).result.files for _ in range(2))

    assert [file.artifact.sha256 for file in first] == [file.artifact.sha256 for file in again]


@pytest.mark.parametrize("drawn", [(), (SMALL, DULL)])
def test_no_face_is_a_success(any_bench: Bench, drawn: tuple[Square, ...]) -> None:
    """Zero rows, of the model's dimension."""
    made = any_bench.run(*drawn)

    assert made.vectors.shape == (0, DIMENSION)
    assert (made.result.count, made.result.rejected) == (0, len(drawn))


def test_a_face_that_only_the_embedder_finds_has_no_index(boxes: Bench) -> None:
    """It gets a vector, and the analyzer's unfound face gets a reason."""
    elsewhere = Square(220, 130, 100)
    made = boxes.run(LARGE, known=analysed(WIDTH, HEIGHT, elsewhere))

    assert made.rows == [
        (None, 0, None),
        (0, None, "the detector of the embedder does not find it"),
    ]


def test_rows_follow_the_analyzer_s_order_with_landmarks(with_landmarks: Bench) -> None:
    """That detector is the analyzer's own."""
    made = with_landmarks.run(SMALL, OTHER, LARGE)

    assert [(face, row) for face, row, _ in made.rows] == [(0, None), (1, 0), (2, 1)]


def test_a_face_beside_the_photo_is_rejected(with_landmarks: Bench) -> None:
    """Its landmarks are outside, so there is nothing to look at."""
    made = with_landmarks.run(LARGE, known=analysed(WIDTH, HEIGHT, Square(5000, 30, 100)))

    assert made.rows == [(0, None, "the photo shows too little of it")]


def test_faces_without_68_landmarks_need_another_choice(with_landmarks: Bench) -> None:
    """The error names both options that help."""
    known = analysed(WIDTH, HEIGHT, LARGE, points=5, model="yunet")

    with pytest.raises(InvalidOptions, match=r"needs 68 landmarks.*yunet.*model = face-api-ssd"):
        with_landmarks.run(LARGE, known=known)


def test_mtcnn_needs_no_landmarks(boxes: Bench) -> None:
    """It finds points of its own."""
    assert boxes.run(LARGE, known=analysed(WIDTH, HEIGHT, LARGE, points=5)).result.count == 1


def test_faces_are_embedded_eight_at_a_time(boxes: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """More at once would take more memory, not less time."""
    sizes: list[int] = []
    whole = Network.__call__

    def watched(network: Network, pixels: Tensor) -> list[Tensor]:
        if pixels.shape[-1] == 160:
            sizes.append(len(pixels))
        return whole(network, pixels)

    monkeypatch.setattr(Network, "__call__", watched)
    network = _opened(boxes)
    crops = [np.full((160, 160, 3), shade, np.float32) for shade in range(100, 119)]
    vectors = embedding._embedded(crops, network, DIMENSION)

    assert sizes == [8, 8, 3]
    assert len(vectors) == 19


def test_a_network_of_one_picture_gets_them_one_by_one() -> None:
    """SFace's published network takes no batches."""
    sizes: list[int] = []
    single = embedding_models.embedding(112, batch=1)

    class One(Network):
        def __call__(self, pixels: Tensor) -> list[Tensor]:
            sizes.append(len(pixels))
            return super().__call__(pixels)

    session = ort.InferenceSession(single.SerializeToString())
    crops = [np.full((112, 112, 3), 10, np.float32)] * 3

    assert len(embedding._embedded(crops, One(session, "one"), DIMENSION)) == 3
    assert sizes == [1, 1, 1]


def _opened(bench: Bench) -> Network:
    (overlay,) = bench.context.settings.catalogue_overlays
    path = overlay.parent / f"{MODEL}.embedding.onnx"
    return open_network(path, optimised=False, memory="returned", threads=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_network_without_an_answer_has_wrong_weights(tmp_path: Path, value: float) -> None:
    """NaN, infinity, and a vector without a direction."""
    bench = bench_with(tmp_path, "landmarks")
    replace_network(bench, tmp_path / f"{MODEL}.embedding.onnx", always(value))

    with pytest.raises(WeightsMismatch, match=r"NaN or infinity|length 0"):
        bench.run(LARGE)


@pytest.mark.parametrize("value", [1e30, 1e-30])
def test_vectors_have_length_1_whatever_their_numbers_are(tmp_path: Path, value: float) -> None:
    """The squares of these are infinite, or zero, in the precision of a network."""
    bench = bench_with(tmp_path, "landmarks")
    replace_network(bench, tmp_path / f"{MODEL}.embedding.onnx", always(value))

    (vector,) = bench.run(LARGE).vectors

    assert np.linalg.norm(vector) == pytest.approx(1)


@pytest.mark.parametrize(
    ("align", "network", "said"),
    [
        ("landmarks", "embedding", rf"returned 1×1×1, not 1×{DIMENSION}"),
        ("box", "embedding", rf"returned 1×1×1, not 1×{DIMENSION}"),
        ("box", "pnet", r"returned 1×1×1 and 1×\d+×\d+, not 1×4×\d+×\d+ and 1×\d+×\d+"),
        ("box", "rnet", r"returned 1×1×1 and \d+, not \d+×4 and \d+"),
        ("box", "onet", r"returned 1×1×1 and \d+ and \d+×10, not \d+×4 and \d+ and \d+×10"),
    ],
)
def test_a_network_with_outputs_of_other_shapes_has_wrong_weights(
    tmp_path: Path, align: Align, network: str, said: str
) -> None:
    bench = bench_with(tmp_path, align)
    path = tmp_path / f"{MODEL}.{network}.onnx"
    replace_network(bench, path, cut_short(onnx.load(path)))

    with pytest.raises(WeightsMismatch, match=said):
        bench.run(LARGE)


def replace_network(bench: Bench, path: Path, model: onnx.ModelProto) -> None:
    """Replace a row's network by another one, with its checksum in the row."""
    (overlay,) = bench.context.settings.catalogue_overlays
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(model.SerializeToString())
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    overlay.write_text(overlay.read_text().replace(before, after))


def cut_short(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep one number of what a network returns first, and give it other axes."""
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.arange(3), "three_axes"))
    graph.node.append(helper.make_node("ReduceMax", [graph.output[0].name], ["most"], keepdims=0))
    graph.node.append(helper.make_node("Unsqueeze", ["most", "three_axes"], ["short"]))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("short", TensorProto.FLOAT, None))
    return model


def always(value: float) -> onnx.ModelProto:
    """Return a network that always answers with the same number."""
    answer = helper.make_tensor("answer", TensorProto.FLOAT, [DIMENSION], [value] * DIMENSION)
    nodes = [
        helper.make_node("Shape", ["pixels"], ["shape"], end=1),
        helper.make_node("Constant", [], ["answer"], value=answer),
        helper.make_node("Constant", [], ["width"], value_ints=[DIMENSION]),
        helper.make_node("Concat", ["shape", "width"], ["whole"], axis=0),
        helper.make_node("Expand", ["answer", "whole"], ["embedding"]),
    ]
    source = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 150, 150])
    target = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSION])
    graph = helper.make_graph(nodes, "always", [source], [target])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_unstaged_weights_and_unknown_models_have_their_names(boxes: Bench) -> None:
    """Each is another thing to do."""
    job = boxes.job(LARGE)

    with pytest.raises(WeightsNotStaged):
        boxes.perform(job.model_copy(update={"weights_key": "nothing/manifest.json"}))
    with pytest.raises(UnknownModel, match="facenet"):
        boxes.perform(job.model_copy(update={"model": "facenet-vggface"}))


def test_a_replaced_photo_is_not_embedded(boxes: Bench) -> None:
    """Its faces are another photo's."""
    job = boxes.job(LARGE)
    boxes.put("ingest", "people/a.png", png(draw(WIDTH, HEIGHT, OTHER)))

    with pytest.raises(SourceChanged):
        boxes.perform(job)


def test_a_photo_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """Memory is reserved before it is used."""
    bench = bench_with(tmp_path, "box", memory_mb=1)

    with pytest.raises(OutOfMemory):
        bench.run(LARGE)


def test_neither_vectors_nor_boxes_are_logged_or_returned(
    boxes: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """The result and the notes have counts; what is in the photo stays in its files."""
    made = boxes.run(*ALL)
    told = made.result.model_dump_json() + json.dumps(boxes.context.notes)
    printed = capsys.readouterr()

    numbers = [str(each) for each in made.vectors.ravel() if each]
    numbers += [str(face.detection.box.x) for face in made.document.faces]
    numbers += [str(face.detection.score) for face in made.document.faces]
    assert not [each for each in numbers if len(each) > 4 and each in told]
    assert printed.out + printed.err == ""
    assert made.result.metrics == {}


def test_memory_of_the_table_of_areas_is_reserved(
    boxes: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that decodes may still be too large to be searched."""
    wanted: list[int] = []
    monkeypatch.setattr(hardware, "require_free", lambda count, **_: wanted.append(count))

    boxes.run(LARGE)

    assert 8 * (WIDTH + 1) * (HEIGHT + 1) in wanted
