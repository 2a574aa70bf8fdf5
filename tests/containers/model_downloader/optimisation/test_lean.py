"""A published network becomes a lean one with its weights beside it, or there is a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.optimisation import passes
from containers.model_downloader.optimisation.deform_conv import fuse
from containers.model_downloader.optimisation.graph import Graph, Node, require
from containers.model_downloader.optimisation.lean import make_lean
from containers.model_downloader.optimisation.order import Lean, Order
from containers.model_downloader.optimisation.pictures import Tensor
from containers.model_downloader.optimisation.proof import answers
from containers.model_downloader.optimisation.rewriting import Replacement
from tests.bench.standins.layers import conv, linear, relu, reshape
from tests.bench.standins.net import Net
from tests.containers.model_downloader.optimisation.networks import small_birefnet
from tests.models import brightness


def order(folder: Path, model: onnx.ModelProto, **changes: Any) -> Order:
    path = folder / "published.onnx"
    onnx.save(model, path)
    axes = model.graph.input[0].type.tensor_type.shape.dim
    shape = [axis.dim_value for axis in axes]
    plain = {"shape": shape, "activation": "sigmoid", "memory_mb": 4096}
    return Order.model_validate({"network": path, "folder": folder} | plain | changes)


def answer(network: Path, photo: Any, *, level: Any) -> Any:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    session = ort.InferenceSession(network, options)
    return session.run(None, {session.get_inputs()[0].name: photo})[0]


def classifier(width: int = 64, *, gain: float = 1.0) -> onnx.ModelProto:
    """Two matrix products of all pixels."""
    net = Net()
    flat = reshape(net, net.input("photo", 1, 3, 8, 8), 1, 192)
    hidden = relu(net, linear(net, flat, "first", width))
    return net.model(linear(net, hidden, "second", 64, gain=gain))


def test_lean_networks_answer_alike_from_weights_that_lie_beside_them(tmp_path: Path) -> None:
    wanted = order(tmp_path, small_birefnet())

    lean = make_lean(wanted)

    exact, portable = lean.networks
    assert [path.name for path in exact.files] == [
        "published.exact.onnx",
        "published.exact.onnx.data",
    ]
    assert (exact.any_cpu, portable.any_cpu) == (False, True)
    assert (lean.refused, lean.onnxruntime) == (None, ort.__version__)
    photo = np.random.default_rng(5).standard_normal((1, 3, 64, 64), dtype=np.float32)
    levels = ort.GraphOptimizationLevel
    expected = answer(wanted.network, photo, level=levels.ORT_ENABLE_ALL)
    for network, level in ((exact, levels.ORT_DISABLE_ALL), (portable, levels.ORT_ENABLE_ALL)):
        file, weights = network.files
        assert weights.stat().st_size > 10 * file.stat().st_size
        assert (network.proof.pictures, network.proven) == (3, True)
        assert (network.precision, network.rewrites["deform_conv"]) == ("float32", 20)
        np.testing.assert_allclose(answer(file, photo, level=level), expected, atol=1e-4)


def test_only_the_one_laid_out_for_a_cpu_has_operators_of_onnxruntimes_own(tmp_path: Path) -> None:
    exact, portable = make_lean(order(tmp_path, small_birefnet())).networks

    domains = [
        {node.domain for node in onnx.load(each.files[0], load_external_data=False).graph.node}
        for each in (exact, portable)
    ]
    assert len(domains[0]) > 1
    assert domains[1] == {""}


def test_a_network_without_a_pattern_is_laid_out_and_no_more(tmp_path: Path) -> None:
    (exact,) = make_lean(order(tmp_path, classifier())).networks

    assert not exact.any_cpu
    assert set(exact.rewrites.values()) == {0}


def test_a_rewrite_that_changes_the_answer_is_not_let_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(graph: Graph, node: Node) -> Replacement:
        """Forgets the mask."""
        (bent,) = fuse(graph, node).nodes
        return Replacement((replace(bent, inputs=bent.inputs[:4]),))

    monkeypatch.setattr(passes, "DEFORMABLE", {"deform_conv": wrong})

    lean = make_lean(order(tmp_path, small_birefnet()))

    assert lean.networks == ()
    assert lean.refused is not None
    assert lean.refused.startswith("its results differ from the published network's")


@pytest.mark.parametrize(("outputs", "refused"), [(1, False), (2, True)])
def test_a_network_whose_later_output_changes_is_refused_if_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: int, *, refused: bool
) -> None:
    def rectified_otherwise(_graph: Graph, node: Node) -> Replacement:
        require(node.op == "Relu", "not a rectifier")
        return Replacement((Node.make("Abs", node.inputs, node.outputs[0]),))

    monkeypatch.setattr(passes, "LINEAR", {"wrong": rectified_otherwise})
    net = Net()
    photo = net.input("photo", 1, 3, 8, 8)
    model = net.model(conv(net, photo, "first", 2, 3), relu(net, conv(net, photo, "second", 2, 3)))

    lean = make_lean(order(tmp_path, model, outputs=outputs))

    assert (lean.networks == ()) is refused


def test_8_bits_are_best_where_the_masks_stay(tmp_path: Path) -> None:
    lean = make_lean(order(tmp_path, classifier(gain=0.01), quantise=True))

    coarse, portable, exact = lean.networks
    assert [each.precision for each in lean.networks] == ["int8-matmul", "int8-matmul", "float32"]
    assert [each.any_cpu for each in lean.networks] == [False, True, False]
    for each in (coarse, portable):
        assert each.rewrites["int8"] == 2
        assert 0 < each.proof.mask_error <= each.proof.mask_error_allowed == 0.003
        assert each.files[1].stat().st_size < exact.files[1].stat().st_size / 3


def test_8_bits_that_move_the_masks_are_refused_and_32_serve(tmp_path: Path) -> None:
    lean = make_lean(order(tmp_path, classifier(gain=1.5), quantise=True))

    assert [network.precision for network in lean.networks] == ["float32"]
    assert lean.not_quantised is not None
    assert "answers differ" in lean.not_quantised


def test_a_network_without_products_has_nothing_to_quantise(tmp_path: Path) -> None:
    lean = make_lean(order(tmp_path, brightness(), quantise=True))

    assert [network.precision for network in lean.networks] == ["float32"]
    assert lean.not_quantised == "it has no matrix products"


@pytest.mark.parametrize("picture", [0, 1, 2])
def test_a_network_that_comes_to_answer_no_number_is_not_let_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: int
) -> None:
    def overflowing(
        network: Path, photos: list[Tensor], *, outputs: int = 1, as_it_is: bool = False
    ) -> list[Tensor]:
        given = answers(network, photos, outputs=outputs, as_it_is=as_it_is)
        if as_it_is:
            given[picture].flat[0] = np.nan
        return given

    monkeypatch.setattr("containers.model_downloader.optimisation.lean.answers", overflowing)

    told = make_lean(order(tmp_path, classifier(), quantise=True)).model_dump_json()

    assert Lean.model_validate_json(told).networks == ()


def test_a_network_that_takes_no_picture_is_left_as_it_is(tmp_path: Path) -> None:
    net = Net()
    decoder = net.model(conv(net, net.input("embedding", 1, 16, 8, 8), "plain", 2, 3))

    lean = make_lean(order(tmp_path, decoder))

    assert lean.refused == "its input is neither image nor sound, so results cannot be compared"
    assert lean.networks == ()


def test_a_network_that_answers_no_numbers_is_left_as_it_is(tmp_path: Path) -> None:
    zero = numpy_helper.from_array(np.zeros(1, np.float32), "zero")
    graph = helper.make_graph(
        [helper.make_node("Sub", ["photo", "photo"], ["nothing"]),
         helper.make_node("Div", ["nothing", "zero"], ["answer"])],
        "undefined",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 3, 8, 8))],
        [zero],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    assert make_lean(order(tmp_path, model)).refused == "it returns NaN or infinity"
