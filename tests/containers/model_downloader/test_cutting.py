"""A decoder is cut where it begins to enlarge, and only if both networks say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from containers.model_downloader.cutting import Cut, NotCut, cut_network, enlarged
from containers.model_downloader.networks import Array
from containers.model_downloader.working_network import Answers
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.engines import EngineFile
from pipeline.weights.staged import StagedWeights
from tests import sam2_models
from tests.containers.model_downloader.desks import Bench, stage
from tests.models import SAM, SAM2
from tests.sam_models import CANVAS, LOW, decoder

TABLE: Final = {"canvas": CANVAS}
DECODER: Final[EngineFile] = SAM.files[1]
EARLIER: Final[Answers] = {"encoder": [np.full((1, 1, *CANVAS), 0.5, np.float32)]}


def cut(folder: Path, model: onnx.ModelProto) -> Cut:
    path = folder / "decoder.onnx"
    onnx.save(model, path)
    return cut_network(path, DECODER, TABLE, EARLIER)


def feed() -> dict[str, Array]:
    dice = np.random.default_rng(3)
    return {
        "image_embeddings": dice.random((1, 1, *CANVAS), dtype=np.float32),
        "point_coords": np.array([[[30, 20], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, LOW, LOW), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
        "orig_im_size": np.array(CANVAS, np.float32),
    }


def without_low_output(model: onnx.ModelProto) -> onnx.ModelProto:
    del model.graph.output[2:]
    return model


@pytest.mark.parametrize("named", [True, False])
def test_the_cut_network_answers_with_the_small_maps_and_the_scores(
    tmp_path: Path, *, named: bool
) -> None:
    model = decoder() if named else without_low_output(decoder())

    made = cut(tmp_path, model)

    whole = ort.InferenceSession(decoder().SerializeToString()).run(None, feed())
    short = ort.InferenceSession(made.path)
    maps, scores = short.run(None, feed())
    np.testing.assert_array_equal(maps, whole[2])
    np.testing.assert_array_equal(scores, whole[1])
    operators = {node.op_type for node in onnx.load(made.path).graph.node}
    assert "Slice" not in operators
    assert made.proof.max_difference == 0
    assert made.proof.pictures == 3


def test_enlarging_is_what_onnx_calls_linear() -> None:
    maps = np.random.default_rng(5).normal(size=(1, 2, 16, 16)).astype(np.float32)
    sizes = numpy_helper.from_array(np.array([1, 2, 64, 64]), "sizes")
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode="linear",
        coordinate_transformation_mode="half_pixel",
    )  # fmt: skip
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", float32, [1, 2, 16, 16])],
        [helper.make_tensor_value_info("y", float32, [1, 2, 64, 64])],
        [sizes],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (expected,) = ort.InferenceSession(model.SerializeToString()).run(None, {"x": maps})

    np.testing.assert_allclose(enlarged(maps, 64, 48), expected[..., :48], atol=1e-5)
    np.testing.assert_allclose(enlarged(maps, 40, 64), expected[..., :40, :], atol=1e-5)


def test_maps_that_are_not_what_is_enlarged_are_refused(tmp_path: Path) -> None:
    model = decoder()
    for node in model.graph.node:
        if node.output[0] == "masks":
            node.output[0] = "cropped"
    model.graph.node.append(helper.make_node("Neg", ["cropped"], ["masks"]))

    with pytest.raises(NotCut, match="is not the maps, enlarged"):
        cut(tmp_path, model)


def test_a_network_that_enlarges_nothing_is_refused(tmp_path: Path) -> None:
    model = without_low_output(decoder())
    for node in model.graph.node:
        if node.output[0] == "large":
            node.op_type = "Sqrt"
            del node.input[1:], node.attribute[:]

    with pytest.raises(NotCut, match="is not an enlargement"):
        cut(tmp_path, model)


def test_maps_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotCut, match=r"its maps have the shape \[1, 4, 128, 128\]"):
        cut(tmp_path, decoder(low=128))


def test_a_network_with_a_branch_is_refused(tmp_path: Path) -> None:
    model = decoder()
    body = helper.make_graph(
        [helper.make_node("Identity", ["scores"], ["same"])],
        "body",
        [],
        [helper.make_tensor_value_info("same", onnx.TensorProto.FLOAT, [1, 4])],
    )
    yes = numpy_helper.from_array(np.array(1, bool), "yes")
    model.graph.initializer.append(yes)
    branch = helper.make_node("If", ["yes"], ["unused"], then_branch=body, else_branch=body)
    model.graph.node.append(branch)

    with pytest.raises(NotCut, match="a loop or a branch"):
        cut(tmp_path, model)


def features() -> Answers:
    shapes = ((1, 32, 256, 256), (1, 64, 128, 128), (1, 256, 64, 64))
    return {"encoder": [np.full(shape, 0.7, np.float32) for shape in shapes]}


def test_a_network_whose_first_output_is_the_maps_is_its_own_cut_network(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    onnx.save(sam2_models.decoder(), path)

    made = cut_network(path, SAM2.files[1], {}, features())

    assert made.path == path
    assert made.proof.pictures == 3
    assert made.proof.holds("float32")
    assert [each.name for each in tmp_path.iterdir()] == ["decoder.onnx"]


def test_a_first_output_of_another_size_is_refused(tmp_path: Path) -> None:
    model = sam2_models.decoder()
    model.graph.node[-2].output[0] = "small_masks"
    sizes = numpy_helper.from_array(np.array([1, 3, 512, 512]), "sizes")
    model.graph.initializer.append(sizes)
    model.graph.node.append(helper.make_node("Resize", ["small_masks", "", "", "sizes"], ["masks"]))
    for axis in model.graph.output[0].type.tensor_type.shape.dim[2:]:
        axis.dim_value = 512
    path = tmp_path / "decoder.onnx"
    onnx.save(model, path)

    with pytest.raises(NotCut, match=r"its maps have the shape \[1, 3, 512, 512\]"):
        cut_network(path, SAM2.files[1], {}, features())


def test_staging_publishes_the_cut_decoder_and_its_proof(store: LocalStore, bench: Bench) -> None:
    uri = stage(bench(), "pointer").manifest.uri
    staged = StagedWeights.parse(store.read(Location.parse(uri)), uri=uri)
    encoder, second = staged.files

    assert (encoder.cut, encoder.not_cut, second.not_cut) == (None, None, None)
    assert second.cut is not None
    assert second.cut.source_sha256 == second.artifact.sha256
    assert second.cut.proof.holds("float32")
    content = store.read(Location.parse(second.cut.file.artifact.uri))
    outputs = [each.name for each in ort.InferenceSession(content).get_outputs()]
    assert outputs == ["low_res_masks", "iou_predictions"]


def test_a_record_of_another_model_says_nothing_of_cuts(store: LocalStore, bench: Bench) -> None:
    """An older background remover refuses fields that it does not know."""
    told = stage(bench(), "brightness")

    assert b"cut" not in store.read(Location.parse(told.manifest.uri))
