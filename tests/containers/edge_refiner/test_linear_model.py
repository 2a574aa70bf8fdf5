"""Covariances are those of the samples, and every pixel's system of equations is solved."""

from __future__ import annotations

import numpy as np

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.linear_model import RIDGE, covariance, dot, products, solve


def test_a_covariance_is_that_of_the_samples() -> None:
    samples = np.random.default_rng(1).random((3, 40, 50), dtype=np.float32)
    mean, squares = (
        planes.mean(axis=(1, 2), keepdims=True) for planes in (samples, products(samples))
    )

    found = covariance(squares, mean)[:, 0, 0]

    expected = np.cov(samples.reshape(3, -1), bias=True)[np.triu_indices(3)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_every_pixel_gets_the_solution_of_its_own_equations() -> None:
    rng = np.random.default_rng(2)
    roots = rng.normal(size=(4, 5, 3, 3))
    matrices = roots @ roots.swapaxes(-1, -2)
    target = rng.normal(size=(3, 4, 5)).astype(np.float32)
    upper: Plane = np.stack([matrices[..., i, j] for i, j in zip(*np.triu_indices(3), strict=True)])

    found = solve(upper.astype(np.float32), target)

    expected = np.linalg.solve(matrices + RIDGE * np.eye(3), target.transpose(1, 2, 0)[..., None])[
        ..., 0
    ].transpose(2, 0, 1)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02)


def test_a_covariance_of_zero_can_be_solved() -> None:
    target = np.ones((3, 2, 2), dtype=np.float32)

    found = solve(np.zeros((6, 2, 2), dtype=np.float32), target)

    np.testing.assert_allclose(dot(found, target), 3 / RIDGE, rtol=1e-3)
