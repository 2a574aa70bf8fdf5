"""An encoder and a decoder are what their row says, or are never published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from containers.model_downloader.working_network import require_working_network
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import WeightsMismatch
from tests import sam2_models
from tests.models import REMOVER, SAM, SAM2, brightness
from tests.sam_models import CANVAS, decoder, encoder

FILES = tuple(
    WeightsFile(name=f"{part}.onnx", digest=f"md5:{'0' * 32}") for part in ("encoder", "decoder")
)
ROW = ModelRow(
    name="pair",
    summary="For tests.",
    container=REMOVER,
    engine=SAM,
    licence="MIT",
    commercial=True,
    memory_mb=512,
    table={"canvas": CANVAS},
    files=FILES,
)
ROW_2 = ROW.model_copy(
    update={"engine": SAM2, "table": {"mean": sam2_models.MEAN, "std": sam2_models.STD}}
)


def saved(folder: Path, name: str, model: onnx.ModelProto) -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def renamed(model: onnx.ModelProto, name: str, new: str) -> onnx.ModelProto:
    """The same network with one input called something else."""
    (one,) = (value for value in model.graph.input if value.name == name)
    one.name = new
    for node in model.graph.node:
        node.input[:] = [new if value == name else value for value in node.input]
    return model


def check(
    tmp_path: Path, first: onnx.ModelProto, second: onnx.ModelProto, row: ModelRow = ROW
) -> None:
    paths = saved(tmp_path, "encoder", first), saved(tmp_path, "decoder", second)
    require_working_network(row, paths)


def test_a_pair_that_is_what_its_row_says_passes(tmp_path: Path) -> None:
    check(tmp_path, encoder(), decoder())


def test_an_encoder_of_any_size_passes(tmp_path: Path) -> None:
    free = encoder()
    for axis, name in zip(free.graph.input[0].type.tensor_type.shape.dim, "hw", strict=False):
        axis.dim_param = name

    check(tmp_path, free, decoder())


def test_an_encoder_of_another_canvas_is_refused(tmp_path: Path) -> None:
    paths = saved(tmp_path, "encoder", encoder()), saved(tmp_path, "decoder", decoder())

    with pytest.raises(
        WeightsMismatch, match=r"takes \[48, 64, 3\]; its row declares \[64, 48, 3\]"
    ):
        require_working_network(ROW.model_copy(update={"table": {"canvas": (64, 48)}}), paths)


def test_a_network_of_another_kind_is_no_decoder(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsMismatch,
        match=r"decoder\.onnx takes photo; its row declares has_mask_input, ",
    ):
        check(tmp_path, encoder(), brightness())


def test_a_decoder_with_other_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsMismatch,
        match=r"takes .*, point_text; its row declares .*, point_labels for a decoder\n",
    ):
        check(tmp_path, encoder(), renamed(decoder(), "point_labels", "point_text"))


def test_a_decoder_without_scores_is_refused(tmp_path: Path) -> None:
    silent = decoder()
    del silent.graph.output[1:]

    with pytest.raises(WeightsMismatch, match="has outputs: 1; its row declares 2 for a decoder"):
        check(tmp_path, encoder(), silent)


def filled(model: onnx.ModelProto, name: str, value: float) -> onnx.ModelProto:
    """The same network with one constant of another value."""
    (constant,) = (one for one in model.graph.initializer if one.name == name)
    constant.CopyFrom(numpy_helper.from_array(np.full(constant.dims, value, np.float32), name))
    return model


@pytest.mark.parametrize("constant", ["scores", "surely_not"])
def test_a_decoder_that_answers_with_no_numbers_is_refused(tmp_path: Path, constant: str) -> None:
    with pytest.raises(
        WeightsMismatch, match=r"decoder\.onnx returned NaN or infinity for its trial"
    ):
        check(tmp_path, encoder(), filled(decoder(), constant, float("nan")))


def test_a_decoder_of_another_size_is_refused(tmp_path: Path) -> None:
    small = decoder()
    small.graph.node[-2].output[0] = "full_size"
    wish = numpy_helper.from_array(np.array([1, 4, 64, 48]), "wish")
    small.graph.initializer.append(wish)
    small.graph.node.append(helper.make_node("Reshape", ["full_size", "wish"], ["masks"]))
    for output in small.graph.output[:1]:
        output.type.tensor_type.ClearField("shape")

    with pytest.raises(
        WeightsMismatch, match=r"output \[1, 4, 64, 48\]; its row declares \[1, 4, 48, 64\]"
    ):
        check(tmp_path, encoder(), small)


def test_a_decoder_with_other_scores_than_masks_is_refused(tmp_path: Path) -> None:
    few = decoder()
    (scores,) = (one for one in few.graph.initializer if one.name == "scores")
    scores.CopyFrom(numpy_helper.from_array(np.full((1, 3), 0.5, np.float32), "scores"))
    few.graph.output[1].type.tensor_type.ClearField("shape")

    with pytest.raises(WeightsMismatch, match=r"output \[1, 3\]; its row declares \[1, 4\]"):
        check(tmp_path, encoder(), few)


def test_an_encoder_that_answers_with_no_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsMismatch, match=r"encoder\.onnx returned NaN or infinity for its trial"
    ):
        check(tmp_path, filled(encoder(), "most", float("nan")), decoder())


def test_a_file_that_is_not_onnx_is_named(tmp_path: Path) -> None:
    whole, torn = saved(tmp_path, "encoder", encoder()), tmp_path / "torn.onnx"
    torn.write_bytes(b"<html>Too many requests</html>")

    with pytest.raises(WeightsMismatch, match=r"^torn\.onnx is not a loadable ONNX model"):
        require_working_network(ROW, (whole, torn))


def test_a_pair_of_2_1_that_is_what_its_row_says_passes(tmp_path: Path) -> None:
    check(tmp_path, sam2_models.encoder(), sam2_models.decoder(), ROW_2)


def test_an_encoder_with_its_features_in_another_order_is_refused(tmp_path: Path) -> None:
    turned = sam2_models.encoder()
    outputs = list(turned.graph.output)
    del turned.graph.output[:]
    turned.graph.output.extend([outputs[1], outputs[0], outputs[2]])

    with pytest.raises(
        WeightsMismatch,
        match=r"has the output \[1, 64, 128, 128\]; its row declares \[1, 32, 256, 256\]",
    ):
        check(tmp_path, turned, sam2_models.decoder(), ROW_2)


def test_a_decoder_that_is_asked_for_the_photos_size_is_refused(tmp_path: Path) -> None:
    asking = sam2_models.decoder()
    size = helper.make_tensor_value_info("orig_im_size", onnx.TensorProto.FLOAT, [2])
    asking.graph.input.append(size)

    with pytest.raises(WeightsMismatch, match=r"takes .*, orig_im_size, .*; its row declares"):
        check(tmp_path, sam2_models.encoder(), asking, ROW_2)


def test_a_decoder_that_takes_the_features_for_each_other_is_refused(tmp_path: Path) -> None:
    swapped = sam2_models.decoder()
    first, second = (
        next(each for each in swapped.graph.input if each.name == f"high_res_feats_{number}")
        for number in (0, 1)
    )
    first.name, second.name = second.name, first.name

    with pytest.raises(WeightsMismatch, match=r"decoder\.onnx (does not run|is not a loadable)"):
        check(tmp_path, sam2_models.encoder(), swapped, ROW_2)
