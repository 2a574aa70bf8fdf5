"""As many threads as there are CPUs: on Lambda memory buys them, elsewhere the machine has them."""

from __future__ import annotations

import os

import pytest

from pipeline.workbench import Settings

ON_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


@pytest.mark.parametrize(
    ("memory_mb", "threads"),
    [(128, 1), (512, 1), (1769, 1), (2048, 1), (2654, 2), (3538, 2), (4096, 2), (10240, 6)],
)
def test_on_lambda_threads_follow_memory(memory_mb: int, threads: int) -> None:
    environment = ON_LAMBDA | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}

    settings = Settings.from_environment(environment)

    assert (settings.memory_mb, settings.threads) == (memory_mb, threads)


def test_on_a_laptop_every_cpu_counts_whatever_the_functions_size() -> None:
    settings = Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"})

    assert settings.threads == os.cpu_count()
