"""The two networks in numpy and double precision, written down plainly from their publications."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tests.checkpoints import Tensors

Doubles = npt.NDArray[Any]  # of float64


def pyannet(tensors: Tensors, sound: Any, *, stride: int = 10, rate: int = 16_000) -> Doubles:
    """Return frames × classes for a sound of one channel."""
    get = {key: each.astype(np.float64) for key, each in tensors.items()}
    value = _normalised(np.asarray(sound, np.float64)[None], get, "wav_norm1d")
    for layer in range(3):
        if layer == 0:
            value = np.abs(_convolved(value, _filters(get, rate), np.zeros(1), stride))
        else:
            kernel, bias = (get[f"sincnet.conv1d.{layer}.{what}"] for what in ("weight", "bias"))
            value = _convolved(value, kernel, bias, 1)
        frames = value.shape[1] // 3
        value = value[:, : 3 * frames].reshape(len(value), frames, 3).max(axis=2)
        value = _leaky(_normalised(value, get, f"norm1d.{layer}"))
    rows = value.T
    for layer in range(2):
        there = _lstm(rows, get, f"l{layer}")
        back = _lstm(rows[::-1], get, f"l{layer}_reverse")[::-1]
        rows = np.concatenate([there, back], axis=1)
    for name in ("linear.0", "linear.1"):
        rows = _leaky(rows @ get[f"{name}.weight"].T + get[f"{name}.bias"])
    return _sigmoid(np.asarray(rows @ get["classifier.weight"].T + get["classifier.bias"]))


def ge2e(tensors: Tensors, features: Any) -> Doubles:
    """Return the embedding of frames × bands."""
    get = {key: each.astype(np.float64) for key, each in tensors.items()}
    rows = np.asarray(features, np.float64)
    for layer in range(3):
        rows = _lstm(rows, get, f"l{layer}")
    raw = np.maximum(get["linear.weight"] @ rows[-1] + get["linear.bias"], 0)
    return np.asarray(raw / np.sqrt((raw**2).sum()))


def _filters(get: dict[str, Doubles], rate: int) -> Doubles:
    low, band, window, angle = (
        get[f"sincnet.conv1d.0.filterbank.{what}"]
        for what in ("low_hz_", "band_hz_", "window_", "n_")
    )
    made = []
    for first, wide in zip(low[:, 0], band[:, 0], strict=True):
        start = 50 + abs(first)
        end = min(max(start + 50 + abs(wide), 50), rate / 2)
        time = angle[0]
        cosine = (np.sin(end * time) - np.sin(start * time)) / (time / 2) * window
        sine = (np.cos(start * time) - np.cos(end * time)) / (time / 2) * window
        width = 2 * (end - start)
        made.append(
            (
                np.concatenate([cosine, [width], cosine[::-1]]) / width,
                np.concatenate([sine, [0], -sine[::-1]]) / width,
            )
        )
    return np.array([*(even for even, _ in made), *(odd for _, odd in made)])[:, None]


def _convolved(value: Doubles, kernel: Doubles, bias: Doubles, stride: int) -> Doubles:
    windows = np.lib.stride_tricks.sliding_window_view(value, kernel.shape[2], axis=1)[:, ::stride]
    summed = np.einsum("oik,itk->ot", kernel, windows)
    return np.asarray(summed + np.broadcast_to(bias, len(kernel))[:, None])


def _normalised(value: Doubles, get: dict[str, Doubles], name: str) -> Doubles:
    mean, variance = value.mean(axis=1, keepdims=True), value.var(axis=1, keepdims=True)
    scale, shift = (get[f"sincnet.{name}.{what}"][:, None] for what in ("weight", "bias"))
    return np.asarray((value - mean) / np.sqrt(variance + 1e-5) * scale + shift)


def _lstm(rows: Doubles, get: dict[str, Doubles], end: str) -> Doubles:
    """Run a layer as PyTorch describes it: gates are input, forget, cell, output."""
    weight_ih, weight_hh, bias_ih, bias_hh = (
        get[f"lstm.{what}_{end}"] for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    hidden = weight_hh.shape[1]
    state, cell, states = np.zeros(hidden), np.zeros(hidden), []
    for row in rows:
        gates = weight_ih @ row + bias_ih + weight_hh @ state + bias_hh
        taken, forget, fresh, given = np.split(gates, 4)
        cell = _sigmoid(forget) * cell + _sigmoid(taken) * np.tanh(fresh)
        state = _sigmoid(given) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def _sigmoid(value: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-value)))


def _leaky(value: Doubles) -> Doubles:
    return np.where(value < 0, 0.01 * value, value)
