"""Convert Resemblyzer's speaker encoder, trained with the GE2E loss (Wan et al., 2018)."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx

from containers.model_downloader.conversion.checkpoint import Checkpoint
from containers.model_downloader.conversion.network import Network
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.weights import Weights

_OF_TRAINING: Final = {"similarity_weight", "similarity_bias"}
_LEAST_LENGTH: Final = 1e-12


def ge2e(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network from log-mel features to a speaker's embedding.

    It takes batch × frames × bands, and returns batch × size of unit length: the last state of an
    LSTM, through a linear layer and a ReLU. Raises NotConverted for another architecture.
    """
    weights = Weights(checkpoint.tensors("model_state"))
    layers = weights.count("lstm.weight_ih_l{}")
    if not layers or "lstm.weight_ih_l0_reverse" in weights:
        raise NotConverted("it has no LSTM that runs forwards")
    net = Network()
    value = net.node("Transpose", ["features"], "frames", perm=[1, 0, 2])
    bands = width = weights.take("lstm.weight_ih_l0", None, None).shape[1]
    last = ""
    for layer in range(layers):
        value, last, width = net.lstm(value, weights, layer=layer, width=width)
    size = len(weights.take("linear.bias", None))
    state = net.node("Squeeze", [last, net.constant("first", np.array([0], np.int64))], "state")
    raw = net.node("Relu", [net.linear(state, weights, "linear", width=width)], "raw")
    length = net.node("ReduceL2", [raw], "length", axes=[1], keepdims=1)
    least = net.constant("least", np.array([_LEAST_LENGTH], np.float32))
    net.node("Div", [raw, net.node("Max", [length, least], "divisor")], "embedding")
    weights.require_all_taken(but=_OF_TRAINING)
    return net.model(
        ("features", ["batch", "frames", bands]), ("embedding", ["batch", size])
    )  # fmt: skip
